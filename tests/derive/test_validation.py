import math

import pytest

from rnn_doctor.schema.runlog import Record
from rnn_doctor.schema.wiring import SharedExamples
from tests.derive.logs import adam, at, evaluations, loader, log, lstm, measure, steps, value_of

DOWN = [2.0 * 0.97**k for k in range(60)]
UP = [1.0 + 0.05 * k for k in range(12)]


def test_overfitting_run() -> None:
    run = log(steps(DOWN), evaluations(UP))
    assert value_of("evaluations_observed", run) == 12
    assert value_of("validation_rise", run) == pytest.approx(0.55)


def test_unit_of_the_loss_does_not_matter() -> None:
    plain, scaled = log(steps(DOWN), evaluations(UP)), log(steps(DOWN), evaluations([9 * v for v in UP]))
    for name in ("validation_rise", "validation_trend_z", "training_trend", "evaluations_observed"):
        assert value_of(name, scaled) == pytest.approx(value_of(name, plain))


def test_rise_is_over_the_best() -> None:
    assert value_of("validation_rise", log(evaluations([4.0, 1.0, *[2.0] * 9, 1.5]))) == pytest.approx(0.5)
    assert value_of("validation_rise", log(evaluations(UP[::-1]))) == 0


def test_evaluations_on_training_data_are_not_validation() -> None:
    run = log(steps(DOWN), evaluations(UP, on_training_data=True))
    assert value_of("evaluations_observed", run) == 0
    assert "no validation loss" in (measure("validation_rise", run).absent or "")


def test_validation_set_is_the_one_evaluated_most() -> None:
    run = log(evaluations([1.0, 2.0, 3.0], loader=1), evaluations([9.0], loader=2))
    assert value_of("evaluations_observed", run) == 3
    assert measure("validation_rise", run).absent == "3 validations were seen, 10 are needed"


@pytest.mark.parametrize(("seen", "series"), [(64, 2), (40, 1)])
def test_a_copy_of_the_training_data_beside_a_validation_is_none(seen: int, series: int) -> None:
    """It measures the training loss; what stands in them for a part is a validation that leaks."""
    shared = [
        SharedExamples(
            record="shared_examples", step=50, examples=64, twins=0, held_out=n, held_out_examples=64,
            held_out_seen=count,
        )
        for n, count in ((1, seen), (2, 0))
    ]  # fmt: skip
    both = [evaluations([2.0, 1.0, 0.5], loader=1), evaluations([3.0, 2.0, 2.5], loader=2)]
    alone = log(loader(0, trains=True, samples=64), both[0], shared[:1])
    assert value_of("validation_lost", alone) == 0
    together = log(loader(0, trains=True, samples=64), *both, shared)
    assert value_of("validation_lost", together) == (pytest.approx(0.25) if series == 2 else 0)


def test_sets_that_cannot_be_told_apart_are_not_judged() -> None:
    run = log(steps(DOWN), evaluations(UP, loader=None), evaluations(UP, loader=None))
    for name in ("evaluations_observed", "validation_rise", "validation_trend_z", "training_trend"):
        assert "told apart" in (measure(name, run).absent or "")


def test_absent() -> None:
    few = log(steps(DOWN), evaluations(UP[:3]))
    assert measure("validation_trend_z", few).absent == "3 validations were seen, 10 are needed"
    assert measure("training_trend", few).absent
    assert measure("training_trend", log(evaluations(UP))).absent == "no training step was seen"
    assert measure("training_trend", log(steps([None] * 60), evaluations(UP))).absent
    blind = log(evaluations([None, None, math.nan]))
    assert "no loss" in (measure("validation_rise", blind).absent or "")
    negative = log(evaluations([-1.0] * 10))
    assert "not positive" in (measure("validation_rise", negative).absent or "")


def trained_anew(times: int) -> list[Record]:
    """As many optimizers after one another, each with 20 updates and four validations."""
    records: list[Record] = []
    for n in range(times):
        records.append(adam(n, location=at(9)))
        records.extend(
            step.model_copy(update={"step": step.step + 20 * n, "optimizers": (n,)})
            for step in steps(DOWN[:20])
        )
        records.extend(
            each.model_copy(update={"step": each.step + 20 * n})
            for each in evaluations([3.0, 2.0, 1.0 + n, 1.1 + n])
        )
    return records


def test_of_folds_the_one_whose_losses_are_looked_at() -> None:
    """Each fold has a network and an optimizer of its own, and its validation is no rise over that of another."""
    run = log(lstm(0, location=at(3)), lstm(1, location=at(3)), trained_anew(2))
    assert value_of("evaluations_observed", run) == 4
    assert value_of("validation_best", run) == "evaluation 3 of 4, after update 15"


def test_phases_of_one_network_are_one_series() -> None:
    assert value_of("evaluations_observed", log(lstm(location=at(3)), trained_anew(2))) == 8
