"""Padding that a maximum or a mean takes in."""

from typing import Any

import pytest

from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import at, log, lstm, measure, readout, value_of
from tests.derive.recurrent_logs import padding


def pooled(*shares: float | None, pooling: str = "maximum") -> RunLog:
    found: list[dict[str, Any]] = [
        {"step": k, "pooling": pooling, "pooled_share": s} for k, s in enumerate(shares, 1)
    ]
    return log(lstm(), [padding(**fields) for fields in found], readout(location=at(9)))


@pytest.mark.parametrize("pooling", ["maximum", "mean"])
def test_what_is_pooled_of_the_padding(pooling: str) -> None:
    run = pooled(0.1, 0.2, 0.4, pooling=pooling)
    assert value_of("padding_pooling", run, "lstm") == pooling
    assert value_of("padding_pooled_share", run, "lstm") == 0.4  # the latest decides
    assert measure("padding_pooled_share", run, "lstm").location == at(9)


def test_without_padding_in_a_sample_nothing_of_it_is_pooled() -> None:
    assert value_of("padding_pooled_share", pooled(0.4, None), "lstm") == 0.0
    assert value_of("padding_pooled_share", pooled(None, pooling="otherwise"), "lstm") == 0.0


def test_a_module_that_is_read_now_so_now_otherwise() -> None:
    run = log(lstm(), padding(pooling="mean", pooled_share=0.4), padding(step=3, pooling="otherwise"))
    assert value_of("padding_pooling", run, "lstm") == "otherwise"


@pytest.mark.parametrize("run", [log(lstm()), log(lstm(), padding())])
def test_what_older_logs_do_not_tell(run: RunLog) -> None:
    for name in ("padding_pooling", "padding_pooled_share"):
        assert "not seen" in (measure(name, run, "lstm").absent or "")
