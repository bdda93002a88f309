"""Saturated gates and dead units."""

from typing import Any

import pytest

from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import log, lstm, measure, value_of
from tests.derive.recurrent_logs import gate, layer


def run(*layers: Any, **module: Any) -> RunLog:
    return log([lstm(**module)], list(layers))


def lstm_gates(**shares: dict[str, float]) -> Any:
    return tuple(gate(name, **shares.get(name, {})) for name in "ifgo")


@pytest.mark.parametrize(("name", "side"), [("f", "low"), ("o", "low"), ("g", "low"), ("g", "high")])
def test_the_harmful_side_of_each_gate_counts(name: str, side: str) -> None:
    found = run(layer(), layer(layer=1, gates=lstm_gates(**{name: {side: 0.7}})))
    assert value_of("gate_saturation_start", found, "lstm") == 0.7
    assert "layer 1" in str(value_of("gate_saturation_start_name", found, "lstm"))


def test_memory_is_no_saturation() -> None:
    chrono = lstm_gates(f={"high": 0.8}, i={"low": 0.75})  # input gates as closed as forget gates are open
    assert value_of("gate_saturation_start", run(layer(gates=chrono)), "lstm") == 0.0
    shut = lstm_gates(i={"low": 0.75})
    assert value_of("gate_saturation_start", run(layer(gates=shut)), "lstm") == 0.75
    update = (gate("r"), gate("z", high=1.0), gate("n"))
    assert value_of("gate_saturation_start", run(layer(gates=update), kind="GRU"), "lstm") == 0.0


def test_a_plain_state_saturates_unless_it_is_a_relu() -> None:
    state = (gate("h", low=0.4, high=0.3),)
    assert value_of("gate_saturation_start", run(layer(gates=state), kind="RNN"), "lstm") == pytest.approx(
        0.7
    )
    relu = run(layer(gates=state), kind="RNN", nonlinearity="relu")
    assert measure("gate_saturation_start", relu, "lstm").absent


def test_only_the_first_update_counts() -> None:
    later = layer(step=50, gates=lstm_gates(f={"low": 1.0}))
    assert value_of("gate_saturation_start", run(layer(), later), "lstm") == 0.0
    assert measure("gate_saturation_start", run(later), "lstm").absent
    assert measure("gate_saturation_start_name", run(), "lstm").absent


def test_dead_units_are_those_of_the_last_look() -> None:
    found = run(
        layer(dead_share=0.9), layer(step=50, dead_share=0.1), layer(step=50, layer=1, dead_share=0.4)
    )
    assert value_of("dead_unit_share", found, "lstm") == 0.4
    assert measure("dead_unit_share", run(), "lstm").absent
