import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnn_doctor.derive.registry import entries, kinds, known, signal
from rnn_doctor.derive.signals import FROZEN, GRADIENTLESS, signals
from rnn_doctor.derive.view import View
from rnn_doctor.schema.built import Scheduler
from rnn_doctor.schema.runlog import Place, Record, RunLog
from rnn_doctor.schema.signals import Measurement
from tests.derive.logs import (
    adam,
    at,
    batch,
    evaluations,
    initial,
    lag_profile,
    loader,
    log,
    loss_call,
    lstm,
    not_finite,
    readout,
    samples,
    steps,
    weight,
)  # fmt: skip

WHOLE: list[Record] = [
    adam(0), adam(1, kind="SGD"), lstm(), weight(), weight(1, "head.weight", module=None, owner="Linear"),
    initial(), loader(), *steps([1.0] * 8), *samples([1, 2, 3, 5, 8], parameters=(0, 1)), batch(), readout(),
    loss_call(), loss_call("mse_loss", site=1), *evaluations([1.0] * 3), not_finite(9), lag_profile(),
    *steps([2.0, float("nan")], optimizers=(1,)), *steps([None], [None], optimizers=()),
]  # fmt: skip


def test_every_signal_has_its_documentation() -> None:
    for name, entry in entries().items():
        doc = entry.measure.__doc__ or ""
        assert "Reads: " in doc, name
        assert "Unit: " in doc, name
        assert "None if: " in doc, name
        assert entry.unit, name
        assert {part.split(".")[0] for part in entry.reads} <= set(RunLog.model_fields), name


def test_every_signal_is_in_the_result() -> None:
    found = signals(log(WHOLE)).signals
    assert set(found) == set(kinds())
    assert all(s.by == kinds()[name] for name, s in found.items())


def test_what_a_module_under_no_grad_lacks_has_that_reason() -> None:
    found = signals(log(lstm(gradientless=at(31)), lstm(1, "decoder"), steps([1.0] * 5)), lag=5).signals
    assert found["lag_gain"].measurements["lstm"].absent == GRADIENTLESS
    assert found["lag_gain"].measurements["decoder"].absent != GRADIENTLESS
    runs = found["runs_without_gradients"].measurements
    assert (runs["lstm"].value, runs["lstm"].location, runs["decoder"].value) == (True, at(31), False)


def test_what_a_frozen_module_lacks_has_that_reason() -> None:
    found = signals(log(lstm(frozen=True), lstm(1, "decoder"), steps([1.0] * 5)), lag=5).signals
    for name in ("lag_gain", "gate_saturation_start", "padding_misread_share", "input_std"):
        assert found[name].measurements["lstm"].absent == FROZEN
        assert found[name].measurements["decoder"].absent not in (None, FROZEN)
    assert found["dropout_single_layer"].measurements["lstm"].value is False


def test_names_are_unique() -> None:
    with pytest.raises(ValueError, match="steps_observed"):

        @signal(unit="", reads=())
        def steps_observed(view: View) -> Measurement:
            return known(len(view.steps))


def check(run: RunLog) -> None:
    for lag in (None, 5):
        for name, found in signals(run, lag=lag).signals.items():
            if found.by == "run":
                assert list(found.measurements) == ["run"], name
            for measurement in found.measurements.values():
                assert (measurement.value is None) == bool(measurement.absent), name


def test_empty_log_has_a_reason_for_everything_but_counts() -> None:
    check(log())
    found = signals(log()).signals
    measured = {n for n, s in found.items() if s.by == "run" and s.measurements["run"].value is not None}
    assert measured == {"steps_observed", "evaluations_observed", "lag_given"}


@given(st.sets(st.integers(0, len(WHOLE) - 1)))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_part_of_a_log_can_be_examined(kept: set[int]) -> None:
    check(log([record for k, record in enumerate(WHOLE) if k in kept]))


def test_places() -> None:
    run = log(
        adam(0), adam(1), lstm(), loss_call(), Scheduler(record="scheduler", kind="StepLR", location=at(12)),
        Place(record="place", step=1, role="backward", location=at(40)),
        Place(record="place", step=1, role="scheduler_step", location=at(45)),
        steps([1.0] * 5, optimizers=(1,)),
    )  # fmt: skip
    lines = {role: location.line for role, location in signals(run).places.items()}
    assert lines == {
        "optimizer": 11, "loss": 30, "module": 20, "scheduler": 12, "backward": 40, "scheduler_step": 45
    }  # fmt: skip
    assert signals(log()).places == {}


def test_thousand_steps_take_a_moment() -> None:
    run = log(
        adam(), lstm(), [weight(k) for k in range(10)], steps([1.0 + 0.001 * (k % 7) for k in range(1000)]),
        samples([1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987], parameters=tuple(range(10))),
        evaluations([1.0] * 100, every=10), lag_profile(),
    )  # fmt: skip
    signals(run)
    begin = time.process_time()
    signals(run)
    assert time.process_time() - begin < 3  # ten times what it takes, so that a busy machine does not matter


def test_neither_torch_nor_scipy_is_imported() -> None:
    code = (
        "import sys; from rnn_doctor.derive.registry import entries; entries(); "
        "assert not {'torch', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
