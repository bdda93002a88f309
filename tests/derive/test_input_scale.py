"""Inputs out of scale: all of them, one feature, or an embedding that starts wide."""

from typing import Any

import pytest

from rnn_doctor.schema.built import Parameter
from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import batch, log, lstm, measure, value_of, weight


def run(*parameters: Parameter, **fields: Any) -> RunLog:
    return log(lstm(), parameters, [batch(k, **fields) for k in (1, 3, 8)])


def table(std: float) -> Parameter:
    return weight(7, "words.weight", owner="Embedding", module=None, shape=(50, 8), std=std)


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"drive": 0.0}, "none"),
        ({"drive": 0.25}, "none"),
        ({"drive": 0.26}, "all features"),
        ({"drive": 0.96, "feature_ratio": 5000.0}, "all features"),
        ({"drive": 0.12, "feature_ratio": 101.0}, "one feature"),
        ({"drive": 0.12, "feature_ratio": 99.0}, "none"),
        ({"drive": 0.01, "feature_ratio": 5000.0}, "none"),
        ({"drive": 0.12}, "none"),
    ],
)
def test_which_part_saturates_the_gates(fields: dict[str, Any], part: str) -> None:
    assert value_of("input_out_of_scale", run(**fields), "lstm") == part
    assert value_of("input_unscaled", run(**fields), "lstm") is (part != "none")


def test_a_feature_that_is_small_at_first_is_judged_by_most_samples() -> None:
    seen = [batch(k, drive=drive, feature_ratio=900.0) for k, drive in ((1, 0.0), (3, 0.1), (8, 0.2))]
    assert value_of("input_out_of_scale", log(lstm(), seen), "lstm") == "one feature"


def test_the_ratio_of_features() -> None:
    seen = [batch(k, feature_ratio=ratio) for k, ratio in ((1, 2.0), (3, 8.0), (8, 4.0))]
    assert value_of("input_feature_ratio", log(lstm(), seen), "lstm") == 4
    assert measure("input_feature_ratio", run(), "lstm").absent


def test_values_of_a_wide_embedding_are_no_input_out_of_scale() -> None:
    wide = {"std": 185.0, "absmax": 600.0, "drive": 0.94}
    embedded = run(table(200.0), **wide)
    assert value_of("input_from_embedding", embedded, "lstm") is True
    assert value_of("input_out_of_scale", embedded, "lstm") == "none"
    assert value_of("embedding_std", embedded) == 200
    for other in (table(1.0), table(2.9), table(20.0), weight(7, "proj.weight", module=None, std=200.0)):
        assert value_of("input_from_embedding", run(other, **wide), "lstm") is False
        assert value_of("input_out_of_scale", run(other, **wide), "lstm") == "all features"
    prices = run(table(5.0), std=0.9, absmax=15.0, drive=0.94)  # of which a few columns alone are not 0
    assert value_of("input_from_embedding", prices, "lstm") is False


def test_what_was_not_seen() -> None:
    assert measure("input_unscaled", log(lstm()), "lstm").absent
    assert value_of("input_from_embedding", log(lstm(), table(200.0)), "lstm") is False
    assert measure("embedding_std", log(lstm(), weight())).absent
