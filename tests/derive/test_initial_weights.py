"""The scale of the recurrent weights and the bias of the gate that keeps the state."""

import math
from typing import Any

import pytest

from rnn_doctor.schema.recurrence import Gate
from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import batch, initial, lag_profile, log, lstm, measure, value_of
from tests.derive.recurrent_logs import gate, layer


def run(slope: float = -0.2, longest: int = 30, **fields: Any) -> RunLog:
    weights = initial(**{"kurtosis": -1.2, "gate_spread": 1.02, **fields})
    return log(lstm(hidden_size=32), weights, lag_profile(slope, longest))


SOUND = {
    "default": (-0.2, {}),
    "orthogonal": (-0.05, {"hidden_gain": 1.0, "kurtosis": -0.2}),
    "orthogonal, a little more": (0.02, {"hidden_gain": 1.1, "kurtosis": -0.2}),
    "memory": (-0.02, {"forget_bias": 5.0}),
    "small but harmless": (-0.26, {"hidden_gain": 0.05}),
    "closed but harmless": (-0.3, {"forget_bias": -2.0}),
    "large but harmless": (-0.1, {"hidden_gain": 2.0}),
    "falls for other reasons": (-0.9, {}),
}


@pytest.mark.parametrize(("slope", "fields"), SOUND.values(), ids=SOUND.keys())
def test_what_is_sound(slope: float, fields: dict[str, Any]) -> None:
    assert value_of("recurrent_start", run(slope, **fields), "lstm") == "sound"
    assert value_of("recurrent_start_poor", run(slope, **fields), "lstm") is False


POOR = {
    "recurrent weights too large": (0.14, {"hidden_gain": 3.0}),
    "recurrent weights too small": (-1.1, {"hidden_gain": 0.1}),
    "forget gate closed": (-0.7, {"forget_bias": -3.0}),
}


@pytest.mark.parametrize(("problem", "start"), POOR.items())
def test_what_is_poor(problem: str, start: tuple[float, dict[str, Any]]) -> None:
    slope, fields = start
    assert value_of("recurrent_start", run(slope, **fields), "lstm") == problem
    assert value_of("recurrent_start_poor", run(slope, **fields), "lstm") is True
    assert measure("recurrent_start", run(slope, **fields, gate_spread=1.5), "lstm").absent, "loaded"


@pytest.mark.parametrize(
    ("gates", "slope", "start"),
    [
        ([gate("z", low=0.9)], -0.7, "forget gate closed"),
        ([gate("z", high=0.9)], -0.7, "forget gate closed"),  # it is 1 - z that keeps
        ([gate("z", high=0.9)], -0.1, "sound"),  # it is z that keeps
        ([gate("f", low=0.6)], -0.7, "forget gate closed"),
        ([gate("f", high=0.9)], -0.7, "sound"),
        ([gate("z", low=0.4)], -0.7, "sound"),
        ([gate("h")], -0.69, "sound"),
        ([gate("h")], -0.87, "recurrent step too lossy"),
        ([gate("h", low=0.06, high=0.06)], -0.87, "sound"),  # what saturates it is the cause
        ([gate("i", low=1.0)], -0.7, "sound"),
    ],
)
def test_gates_of_a_hand_written_cell(gates: list[Gate], slope: float, start: str) -> None:
    seen = (initial(), lag_profile(slope), layer(gates=tuple(gates)), layer(21, gates=(gate("z", low=1.0),)))
    assert value_of("recurrent_start", log(lstm(kind="custom"), seen), "lstm") == start
    assert value_of("recurrent_start", log(lstm(), seen), "lstm") == "sound", "of torch's own the biases tell"


def test_symmetry_that_is_not_known() -> None:
    assert value_of("unit_asymmetry_min", log(lstm(), initial(0.0), initial(0.9)), "lstm") == 0
    assert measure("unit_asymmetry_min", log(lstm(), initial(math.nan)), "lstm").absent


def test_growth_that_short_sequences_do_not_feel() -> None:
    assert value_of("recurrent_start", run(0.14, longest=6, hidden_gain=2.4), "lstm") == "sound"
    assert value_of("recurrent_start", run(0.009, longest=6, hidden_gain=7.0), "lstm") == "sound"


def test_weights_so_large_that_saturated_states_bound_the_growth() -> None:
    start = value_of("recurrent_start", run(0.05, longest=18, hidden_gain=7.0), "lstm")
    assert start == "recurrent weights too large"


def test_what_was_not_seen() -> None:
    assert measure("recurrent_start", log(lstm(), lag_profile()), "lstm").absent
    assert measure("recurrent_start_poor", log(lstm(), initial()), "lstm").absent
    assert measure("recurrent_gain", log(lstm()), "lstm").absent
    assert measure("keep_bias_min", log(lstm(), initial()), "lstm").absent


def test_the_layer_that_is_farthest_off() -> None:
    layers = [
        initial(hidden_gain=g, layer=k, forget_bias=b) for k, (g, b) in enumerate(((0.5, 1), (3.0, -2)))
    ]
    assert value_of("recurrent_gain", log(lstm(), layers), "lstm") == 3.0
    assert value_of("keep_bias_min", log(lstm(), layers), "lstm") == -2


def test_a_network_is_new_where_its_weights_are_distributed_as_they_are_drawn() -> None:
    assert value_of("starts_untrained", run()) is True
    assert value_of("starts_untrained", run(kurtosis=1.5)) is False
    assert value_of("starts_untrained", run(gate_spread=2.0)) is False
    assert "not seen" in (measure("starts_untrained", run(kurtosis=None)).absent or "")
    assert "not seen" in (measure("starts_untrained", log(lstm())).absent or "")


@pytest.mark.parametrize(
    ("gain", "share", "start"),
    [
        (2.5, 0.55, "recurrent weights saturate the state"),
        (2.5, 0.5, "sound"),
        (2.15, 0.9, "sound"),  # what comes in saturates it
        (0.58, 0.9, "sound"),
    ],
)
def test_weights_that_hold_the_state_at_its_bounds(gain: float, share: float, start: str) -> None:
    weights = initial(hidden_gain=gain, kurtosis=-0.2, gate_spread=1.0)
    state = layer(gates=(gate("h", low=share / 2, high=share / 2),))
    plain = log(lstm(kind="RNN"), weights, lag_profile(-0.2), state)
    assert value_of("recurrent_start", plain, "lstm") == start
    relu = log(lstm(kind="RNN", nonlinearity="relu"), weights, lag_profile(-0.2), state)
    assert value_of("recurrent_start", relu, "lstm") == "sound"
    inputs = log(lstm(kind="RNN"), weights, lag_profile(-0.2), layer(gates=(gate("g", low=share),)))
    assert value_of("recurrent_start", inputs, "lstm") == "sound"


@pytest.mark.parametrize(
    ("kind", "bias", "time", "calls", "start"),
    [
        ("GRU", 6.0, 24, 1, "update gate keeps all"),
        ("GRU", 5.0, 24, 1, "sound"),  # 0.15 of the state
        ("GRU", 6.0, 400, 1, "sound"),
        ("GRUCell", 8.0, 1, 24, "update gate keeps all"),
        ("LSTM", 6.0, 24, 1, "sound"),  # another gate writes
    ],
)
def test_an_update_gate_that_keeps_all(kind: str, bias: float, time: int, calls: int, start: str) -> None:
    seen = log(
        lstm(kind=kind, hidden_size=32),
        initial(kurtosis=-1.2, gate_spread=1.02, forget_bias=bias),
        lag_profile(-0.001, 20),
        batch(time=time, calls=calls),
    )
    assert value_of("recurrent_start", seen, "lstm") == start


def test_what_a_sequence_can_replace_of_the_state() -> None:
    seen = log(lstm(kind="GRU"), initial(forget_bias=0.0), batch(time=3))
    assert value_of("state_entry_start", seen, "lstm") == pytest.approx(1 - 0.5**3)
    assert measure("state_entry_start", log(lstm(kind="GRU"), initial(forget_bias=0.0)), "lstm").absent
    assert measure("state_entry_start", log(lstm(), initial(forget_bias=0.0), batch()), "lstm").absent
