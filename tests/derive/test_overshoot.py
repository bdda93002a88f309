"""What too large steps leave behind."""

import math
from typing import Any

import pytest

from rnn_doctor.schema.recurrence import Layer
from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import adam, log, loss_call, lstm, measure, samples, steps, value_of, weight
from tests.derive.recurrent_logs import gate, layer

AT = (1, 3, 8, 21, 50)
HALVED = [2.0 * 0.9**k for k in range(50)]


def looked(step: int, low: float, high: float = 0.0, number: int = 0, **fields: Any) -> Layer:
    """A layer whose candidates are saturated by so much."""
    return layer(
        step, number, gates=(gate("i", high=1.0), gate("f"), gate("g", low=low, high=high)), **fields
    )


def run(
    losses: list[float], moved: float, *layers: Layer, baseline: float | None = 1.0, **optimizer: Any
) -> RunLog:
    """So far moved within 50 updates, in units of the weights' size."""
    call = loss_call("mse_loss", baseline=baseline, value=1.0)
    distance = samples(AT, lambda k: moved * k / 50)
    return log(adam(**optimizer), lstm(), weight(), steps(losses), distance, call, layers)


def test_saturation_is_what_was_gained_on_either_side() -> None:
    of = run(HALVED, 1.0, looked(1, 0.1), looked(50, 0.4, 0.5))
    assert value_of("saturation_gained", of) == pytest.approx(0.8)


def test_open_gates_and_what_was_saturated_at_first_do_not_count() -> None:
    assert value_of("saturation_gained", run(HALVED, 1.0, looked(1, 0.9), looked(50, 0.9))) == 0
    assert value_of("saturation_gained", run(HALVED, 1.0, looked(1, 0.9), looked(50, 0.1))) == 0


def test_of_several_layers_the_one_that_gained_most() -> None:
    of = run(HALVED, 1.0, looked(1, 0), looked(1, 0, number=1), looked(50, 0.2), looked(50, 0.7, number=1))
    assert value_of("saturation_gained", of) == pytest.approx(0.7)


def test_saturation_that_was_not_seen() -> None:
    assert measure("saturation_gained", run(HALVED, 1.0, looked(1, 0.1))).absent
    relu = log(lstm(kind="RNN", nonlinearity="relu"), steps(HALVED), looked(1, 0), looked(50, 1))
    assert measure("saturation_gained", relu).absent


@pytest.mark.parametrize(
    ("end", "moved", "astray"),
    [(1.0, 1.9, False), (1.0, 2.1, True), (5.1, 0.5, True), (4.9, 0.5, False)],
)
def test_astray_are_weights_or_a_loss_that_is_far(end: float, moved: float, astray: bool) -> None:
    assert value_of("steps_astray", run([1.0] * 10 + [end] * 40, moved)) is astray


def test_a_first_batch_that_was_easy_is_no_start() -> None:
    assert value_of("steps_astray", run([0.1] * 10 + [0.9] * 40, 0.5)) is False
    assert value_of("steps_astray", run([0.1] * 10 + [0.9] * 40, 0.5, baseline=0.1)) is True


def test_a_loss_that_a_spike_threw_is_the_spikes() -> None:
    norms = [1.0] * 50
    norms[20] = 500.0
    thrown = steps([1.0] * 21 + [9.0] * 29, norms)
    call, moved = loss_call("mse_loss", baseline=1.0, value=1.0), samples(AT, lambda k: 0.5)
    assert value_of("steps_astray", log(adam(kind="SGD"), weight(), thrown, moved, call)) is False
    assert value_of("steps_astray", log(adam(), weight(), thrown, moved, call)) is True


def test_the_loss_tells_where_weights_begin_at_zero() -> None:
    zero = samples(AT, weight_norm=(0.0,))
    call = loss_call("mse_loss", baseline=1.0, value=1.0)
    assert value_of("steps_astray", log(adam(), weight(), steps([1.0] * 10 + [9.0] * 40), zero, call)) is True
    assert measure("steps_astray", log(adam(), weight(), steps([1.0] * 50), zero, call)).absent


@pytest.mark.parametrize(("flat", "pays"), [(0.84, True), (0.86, False)])
def test_a_loss_that_halved_over_flat_states_does_not_count(flat: float, pays: bool) -> None:
    assert value_of("large_steps_pay", run(HALVED, 9.0, looked(1, 0), looked(50, flat))) is pays


def test_a_loss_that_did_not_halve_pays_for_nothing() -> None:
    assert value_of("large_steps_pay", run([1.0] * 50, 9.0, looked(1, 0), looked(50, 0))) is False
    assert value_of("large_steps_pay", run(HALVED, 9.0)) is True  # no states were looked at
    assert measure("large_steps_pay", run([math.nan] * 50, 9.0)).absent


def thrown(lr: list[float], clipped: float | None = None) -> RunLog:
    """SGD, whose gradient spikes at update 21; the loss runs away then."""
    norms = [1.0] * 50
    norms[20] = 500.0
    call = loss_call("mse_loss", baseline=1.0, value=1.0)
    seen = [
        step.model_copy(update={"clipped_norm": clipped if step.step == 21 else step.grad_norm})
        if clipped is not None
        else step
        for step in steps([1.0] * 21 + [9.0] * 29, norms, lr=lr)
    ]
    return log(adam(kind="SGD"), weight(), seen, samples(AT, lambda k: 0.5), call)


@pytest.mark.parametrize(("clipped", "astray"), [(1.0, True), (1.9, True), (2.1, False), (500.0, False)])
def test_a_spike_that_clipping_made_a_step_like_others_threw_nothing(clipped: float, astray: bool) -> None:
    assert value_of("steps_astray", thrown([0.1] * 50, clipped)) is astray


def test_a_spike_as_the_rate_rises_is_the_rates() -> None:
    rising = [0.1 + 0.006 * k for k in range(50)]
    assert value_of("rate_risen_to_spike", thrown(rising)) == pytest.approx(2.2)
    assert value_of("steps_astray", thrown(rising)) is True
    slowly = [0.1 + 0.004 * k for k in range(50)]
    assert value_of("rate_risen_to_spike", thrown(slowly)) == pytest.approx(1.8)
    assert value_of("steps_astray", thrown(slowly)) is False
    before = [min(0.1 + 0.02 * k, 0.3) for k in range(50)]
    assert value_of("rate_risen_to_spike", thrown(before)) == 1, (
        "it rose before, and stood when the spike came"
    )
    assert value_of("steps_astray", thrown(before)) is False


def test_a_rate_that_was_not_seen_did_not_rise() -> None:
    assert measure("rate_risen_to_spike", log(adam())).absent
    assert value_of("rate_risen_to_spike", run([1.0] * 50, 0.5)) == 1
