"""The curves of a report: what they hold, what is kept of long ones, and why they are absent."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_doctor.derive.profiles import profiles
from rnn_doctor.derive.thinning import STRETCHES, thinned
from rnn_doctor.schema.curves import GateCourse
from rnn_doctor.schema.recurrence import Layer
from rnn_doctor.schema.report import Profiles
from tests.derive import logs, recurrent_logs


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(), min_size=1, max_size=3_000))
def test_thinning_keeps_what_stands_out(values: list[float]) -> None:
    curve = thinned(range(1, len(values) + 1), values)
    assert curve.seen == len(values)
    assert len(curve.values) <= 3 * STRETCHES + 2
    assert list(curve.steps) == sorted(set(curve.steps))
    assert {curve.steps[0], curve.steps[-1]} == {1, len(values)}
    finite = [v for v in values if math.isfinite(v)]
    if finite:
        assert {min(finite), max(finite)} <= set(curve.values)
    if len(finite) < len(values):
        assert not all(map(math.isfinite, curve.values))


def test_short_series_are_kept_whole() -> None:
    curve = thinned((3, 8), (1.0, math.nan))
    assert curve.steps == (3, 8)
    assert curve.values[0] == 1.0
    assert math.isnan(curve.values[1])


def made(*records: object, **fields: int) -> Profiles:
    return profiles(logs.log(*records), **fields)  # type: ignore[arg-type]


def test_losses_norms_and_rates_by_step() -> None:
    steps = logs.steps([3.0, 2.5, 2.0], [1.0, 8.0, 1.0], lr=[0.1, 0.05, 0.025], clip_limit=2.0)
    steps[1] = steps[1].model_copy(update={"clipped_norm": 2.0})
    curves = made(logs.lstm(), logs.adam(), steps, logs.evaluations([2.4], every=3)).by_step
    assert curves.loss.values == (3.0, 2.5, 2.0)
    assert (curves.validation.steps, curves.validation.values) == ((3,), (2.4,))
    assert curves.grad_norm.values == (1.0, 8.0, 1.0)
    assert curves.clipped_norm.values == (1.0, 2.0, 1.0)
    assert curves.clip_limit.values == (2.0, 2.0, 2.0)
    assert curves.learning_rate.values == (0.1, 0.05, 0.025)


def test_curves_by_lag_and_time_are_of_the_last_sample_before_anything_broke() -> None:
    samples = [logs.lag_profile(step=step) for step in (1, 3, 8)]
    layers = [recurrent_logs.layer(step=step) for step in (1, 3, 8)]
    whole = made(logs.lstm(), logs.adam(), logs.steps([1.0] * 10), samples, layers)
    assert (whole.by_lag[0].step, whole.by_time[0].step) == (8, 8)
    broken = made(logs.lstm(), logs.adam(), logs.steps([1.0] * 10), samples, layers, logs.not_finite(4))
    assert (broken.by_lag[0].step, broken.by_time[0].step) == (3, 3)
    at_once = made(logs.lstm(), logs.adam(), logs.steps([1.0] * 10), samples, layers, logs.not_finite(1))
    assert (at_once.by_lag[0].step, at_once.by_time[0].step) == (8, 8)


def test_spikes_are_named_by_step() -> None:
    norms = [1.0] * 30
    norms[19] = 50.0
    assert made(logs.lstm(), logs.adam(), logs.steps([1.0] * 30, norms)).by_step.spikes == (20,)
    assert made(logs.lstm(), logs.adam(), logs.steps([1.0] * 30, [1.0] * 30)).by_step.spikes == ()


def test_of_optimizers_that_take_turns_the_leading_one_is_told() -> None:
    mine, other = logs.steps([1.0] * 12), logs.steps([9.0] * 6, optimizers=(1,))
    curves = made(logs.lstm(), logs.adam(), logs.adam(1), logs.weight(), mine, other).by_step
    assert set(curves.loss.values) == {1.0}


def test_updates_are_told_by_layer_and_by_module() -> None:
    parameters = [
        logs.weight(0, "lstm.weight_hh_l0"),
        logs.weight(1, "lstm.weight_ih_l0"),
        logs.weight(2, "lstm.weight_hh_l1_reverse"),
        logs.weight(3, "head.weight", module=None, owner="Linear"),
        logs.weight(4, "frozen.weight", module=None, trainable=False),
    ]
    samples = logs.samples(
        (1, 3),
        parameters=(0, 1, 2, 3, 4),
        update_norm=(0.03, 0.04, 0.0, 0.2, 0.0),
        weight_norm=(3.0, 4.0, 2.0, 1.0, 1.0),
    )
    found = made(logs.lstm(num_layers=2, bidirectional=True), logs.adam(), parameters, samples).updates
    told = [(c.subject, c.layer, c.reverse, c.steps) for c in found]
    assert told == [
        ("lstm", 0, False, (1, 3)),
        ("lstm", 1, True, (1, 3)),
        ("head", None, False, (1, 3)),
    ]
    assert [c.ratios[0] for c in found] == pytest.approx([0.01, 0.0, 0.2])


def test_weights_that_are_zero_have_no_ratio() -> None:
    samples = logs.samples((1, 3), weight_norm=(0.0,))
    assert made(logs.lstm(), logs.weight(), samples, logs.steps([1.0])).updates == ()


def test_gates_are_told_over_the_steps_that_were_replayed() -> None:
    layers = [
        recurrent_logs.layer(step, gates=(recurrent_logs.gate("f", low=low, high=0.1),))
        for step, low in ((1, 0.0), (50, 0.6))
    ]
    (curve,) = made(logs.lstm(), layers).gates
    assert (curve.module, curve.layer, curve.gate) == ("lstm", 0, "f")
    assert (curve.steps, curve.low, curve.high) == ((1, 50), (0.0, 0.6), (0.1, 0.1))


def _course(step: int, mean: float, name: str = "f", **fields: Any) -> Layer:
    told = {"mean": (mean, mean), "p10": (0.1, 0.2), "p90": (0.8, 0.9)}
    return recurrent_logs.layer(
        step, gates=(recurrent_logs.gate(name, **told),), gate_times=(0, 19), **fields
    )


def test_gates_over_time_are_told_at_the_first_the_middle_and_the_last_look() -> None:
    looks = [_course(step, 0.1 * step) for step in range(1, 6)]
    courses = made(logs.lstm(), looks).gate_courses
    assert [(c.step, c.mean) for c in courses] == [(s, (0.1 * s, 0.1 * s)) for s in (1, 3, 5)]
    assert (courses[0].module, courses[0].layer, courses[0].gate) == ("lstm", 0, "f")
    assert (courses[0].times, courses[0].p10, courses[0].p90) == ((0, 19), (0.1, 0.2), (0.8, 0.9))


def test_gates_over_time_stand_layer_by_layer_and_gate_by_gate() -> None:
    layers = [_course(step, 0.5, layer=layer) for step in (1, 50) for layer in (0, 1)]
    assert [(c.layer, c.step) for c in made(logs.lstm(num_layers=2), layers).gate_courses] == [
        (0, 1), (0, 50), (1, 1), (1, 50),
    ]  # fmt: skip


def test_why_there_are_no_gates_over_time() -> None:
    older = made(logs.lstm(), [recurrent_logs.layer()])
    assert older.absent["gate_courses"].startswith("the run log holds no gates by time step")
    plain = made(logs.lstm(kind="RNN"), [recurrent_logs.layer(gates=(recurrent_logs.gate("h"),))])
    assert plain.absent["gate_courses"] == "its recurrent layers have no gates"


def test_a_gate_has_a_value_at_each_of_its_times() -> None:
    with pytest.raises(ValueError, match="not one value at each of gate_times"):
        recurrent_logs.layer(gates=(recurrent_logs.gate(mean=(0.5,)),), gate_times=(0, 1))
    with pytest.raises(ValueError, match="not one value a time step"):
        GateCourse(module="m", layer=0, gate="f", step=1, times=(0,), mean=(0.5,), p10=(), p90=(0.5,))


def test_what_is_absent_says_why() -> None:
    empty = made()
    assert empty.by_step.loss.absent == "no training step was seen"
    assert empty.absent["by_lag"] == "no recurrent network was seen"
    assert empty.absent["updates"] == "no training step was seen"
    some = made(logs.lstm(), logs.adam(), logs.steps([None, None], [1.0, 1.0]))
    assert some.by_step.loss.absent == "no training loss was seen"
    assert some.by_step.validation.absent == "no validation loss was computed while the script was watched"
    assert some.by_step.clipped_norm.absent == "the gradient was not clipped"
    assert some.absent["gates"] == "the recurrence was not examined while the script was watched"
    by_hand = made(logs.lstm(kind="custom"), logs.steps([1.0], optimizers=()))
    assert by_hand.by_step.learning_rate.absent == "no torch optimizer made the updates"
    assert by_hand.absent["gates"].startswith("hand-written")
    frozen = made(logs.lstm(frozen=True), logs.steps([1.0]))
    assert frozen.absent["by_lag"] == "no gradient flows through its recurrent layers"


def test_a_curve_has_one_value_an_update() -> None:
    with pytest.raises(ValueError, match="not one value an update"):
        Profiles.model_validate({"by_step": {"loss": {"steps": [1, 2], "values": [1.0]}}})


def test_reports_that_were_stored_without_curves_can_be_read() -> None:
    assert Profiles.model_validate({"by_lag": [], "by_time": []}) == Profiles()
