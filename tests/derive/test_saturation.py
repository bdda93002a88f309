"""Saturated gates and dead units."""

import math
from typing import Any

import pytest

from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import initial, log, loss_call, lstm, measure, value_of
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


SHUT = layer(gates=lstm_gates(f={"low": 0.7}))
FRESH = {"uniform": -1.19, "normal": 0.05, "orthogonal": -0.2}


def weighted(*losses: Any, **fields: Any) -> RunLog:
    """A saturated LSTM of 32 units with these initial weights."""
    weights = initial(**{"kurtosis": -1.2, "gate_spread": 1.02, **fields})
    return log(lstm(hidden_size=32), SHUT, weights, list(losses))


@pytest.mark.parametrize("kurtosis", FRESH.values(), ids=FRESH.keys())
def test_fresh_weights_are_judged(kurtosis: float) -> None:
    assert value_of("gate_saturation_start", weighted(kurtosis=kurtosis), "lstm") == 0.7
    chance = loss_call(value=1.0 * math.log(27), input_shape=(64, 27))
    assert value_of("gate_saturation_start", weighted(chance, kurtosis=kurtosis), "lstm") == 0.7


def test_the_few_weights_of_a_sparse_start_are_judged_by_themselves() -> None:
    assert value_of("gate_saturation_start", weighted(kurtosis=0.4, filled=0.1), "lstm") == 0.7
    assert measure("gate_saturation_start", weighted(kurtosis=0.4), "lstm").absent


TRAINED = {"tails": {"kurtosis": 0.66}, "between": {"kurtosis": -0.8}, "gates": {"gate_spread": 1.4}}


@pytest.mark.parametrize("fields", TRAINED.values(), ids=TRAINED.keys())
def test_weights_that_were_loaded_are_not(fields: dict[str, float]) -> None:
    found = measure("gate_saturation_start", weighted(**fields), "lstm")
    assert "loaded" in (found.absent or "")
    open_gates = log(lstm(hidden_size=32), layer(), initial(kurtosis=0.66, gate_spread=1.4))
    assert value_of("gate_saturation_start", open_gates, "lstm") == 0.0, "nothing is saturated in any case"


def test_a_first_loss_that_only_training_reaches_tells_loaded_weights() -> None:
    low = loss_call(value=0.5 * math.log(27), input_shape=(64, 27))
    assert "0.50" in (measure("gate_saturation_start", weighted(low), "lstm").absent or "")
    later = loss_call(step=3, value=0.5 * math.log(27), input_shape=(64, 27))
    assert value_of("gate_saturation_start", weighted(later), "lstm") == 0.7


def test_few_weights_tell_little() -> None:
    few = log(lstm(hidden_size=4), SHUT, initial(kurtosis=-0.8, gate_spread=1.3))
    assert value_of("gate_saturation_start", few, "lstm") == 0.7


def test_gates_that_stay_shut() -> None:
    shut = lstm_gates(i={"stuck_low": 0.95, "slope": 0.01}, o={"stuck_low": 0.5, "slope": 0.1})
    found = run(layer(), layer(step=50, layer=1, gates=shut))
    assert value_of("gate_stuck_share", found, "lstm") == 0.95
    assert value_of("gate_stuck_slope", found, "lstm") == 0.01
    assert value_of("gate_stuck_name", found, "lstm") == "input gate closed in layer 1"
    averaging = lstm_gates(i={"stuck_low": 0.95, "slope": 0.01}, f={"stuck_high": 0.95, "slope": 0.01})
    assert value_of("gate_stuck_share", run(layer(step=50, gates=averaging)), "lstm") == 0.0
    candidate = lstm_gates(g={"stuck_low": 1.0, "slope": 0.0})
    assert value_of("gate_stuck_share", run(layer(step=50, gates=candidate)), "lstm") == 0.0
    mended = run(layer(step=21, gates=shut), layer(step=50))
    assert value_of("gate_stuck_share", mended, "lstm") == 0.0


def test_only_gates_after_an_update_can_be_stuck() -> None:
    assert measure("gate_stuck_share", run(layer()), "lstm").absent
    plain = run(layer(step=50, gates=(gate("h", stuck_low=1.0),)), kind="RNN")
    assert value_of("gate_stuck_share", plain, "lstm") == 0.0
    assert measure("gate_stuck_slope", plain, "lstm").absent


def test_the_rank_of_the_layer_with_fewest_directions_when_last_seen() -> None:
    found = run(
        layer(effective_rank=0.1),
        layer(step=50, effective_rank=0.6),
        layer(step=50, layer=1, effective_rank=0.3),
    )
    assert value_of("effective_rank", found, "lstm") == 0.3
    assert measure("effective_rank", run(), "lstm").absent


def test_dead_units_are_those_of_the_last_look() -> None:
    found = run(
        layer(dead_share=0.9), layer(step=50, dead_share=0.1), layer(step=50, layer=1, dead_share=0.4)
    )
    assert value_of("dead_unit_share", found, "lstm") == 0.4
    assert value_of("dead_unit_share_lowest", found, "lstm") == 0.1
    assert measure("dead_unit_share", run(), "lstm").absent
    assert value_of("dead_unit_share_first", found, "lstm") == 0.9
    assert measure("dead_unit_share_first", run(layer(step=50, dead_share=0.1)), "lstm").absent
    young = run(layer(dead_share=1.0))
    assert "after the first update" in (measure("dead_unit_share", young, "lstm").absent or "")
    assert "after the first update" in (measure("dead_unit_share_lowest", young, "lstm").absent or "")


def test_a_state_of_zero_is_dead_though_too_few_states_were_looked_at() -> None:
    still = run(layer(dead_share=None, hidden_norm=(0.0,) * 7, time=7))
    assert value_of("dead_unit_share", still, "lstm") == 1
    assert value_of("dead_unit_share_lowest", still, "lstm") == 1
    moves = run(layer(dead_share=None, hidden_norm=(0.0,) * 6 + (0.1,), time=7))
    assert measure("dead_unit_share", moves, "lstm").absent


def test_gates_and_units_of_a_hand_written_cell_are_judged_where_its_graph_keeps_them() -> None:
    shut = tuple(gate(name, low=float(name == "o")) for name in "ifgo")
    found = run(
        layer(gates=shut, hidden_gradient=(), dead_share=1.0),
        layer(50, gates=(), hidden_gradient=(), dead_share=1.0),
        kind="custom",
    )
    assert value_of("gate_saturation_start", found, "lstm") == 1.0
    assert value_of("gate_saturation_start_name", found, "lstm") == "output gate closed in layer 0"
    assert value_of("dead_unit_share", found, "lstm") == 1.0


def test_a_closed_input_gate_counts_whole_where_no_gate_keeps_the_state() -> None:
    found = run(layer(gates=(gate("i", low=0.8), gate("g"))), kind="custom")
    assert value_of("gate_saturation_start", found, "lstm") == 0.8


def test_units_of_a_relu_are_told() -> None:
    relu = log(lstm(), layer(step=50, active_share=0.4), layer(step=50, layer=1))
    assert value_of("units_rectified", relu, "lstm") is True
    assert value_of("units_rectified", log(lstm(), layer(step=50)), "lstm") is False
    assert "not replayed" in (measure("units_rectified", log(lstm()), "lstm").absent or "")
