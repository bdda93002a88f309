"""Why weights stay exactly as they were, in one word."""

from typing import Any

import pytest

from tests.derive.logs import adam, at, log, lstm, measure, readout, samples, steps, value_of, weight

RUN = steps([1.0] * 8)
AT = [1, 2, 3, 5, 8]
STILL = samples(AT, lambda _: 0.0)


@pytest.mark.parametrize(
    ("module", "parameter", "records", "cause"),
    [
        (lstm(gradientless=at(31)), weight(), [STILL], "no_grad"),
        (lstm(), weight(weightless=True), [STILL], "weightless"),
        (lstm(), weight(used=False), [samples(AT, lambda _: 0.0, grad_norm=(None,))], "unreached"),
        (lstm(), weight(used=True), [samples(AT, lambda _: 0.0, grad_norm=(0.0,))], "flat"),
        (lstm(), weight(used=True), [STILL], "other"),
        (
            lstm(bidirectional=True),
            weight(name="lstm.weight_hh_l0_reverse", used=True),
            [STILL, [readout(step, reverse_last_share=1.0) for step in AT]],
            "unread",
        ),
    ],
    ids=["no_grad", "weightless", "unreached", "flat", "other", "unread"],
)
def test_the_cause_is_told(module: Any, parameter: Any, records: list[Any], cause: str) -> None:
    run = log(adam(), module, parameter, RUN, *records)
    assert value_of("unchanged_cause", run, "lstm") == cause
    assert (
        measure("unchanged_cause", run, "lstm").location == measure("unchanged_tensors", run, "lstm").location
    )


def test_too_few_updates_tell_nothing() -> None:
    early = log(adam(), lstm(), weight(used=True), RUN, samples([1], lambda _: 0.0))
    assert "needed" in (measure("unchanged_cause", early, "lstm").absent or "")
