"""Overfitting by the losses of single examples, and by the curve where there are none."""

import math
from itertools import product
from typing import Any

import pytest

from rnn_doctor.schema.built import Loader
from rnn_doctor.schema.validating import EarlyValidation, Evaluation
from tests.derive.logs import evaluations, log, measure, steps, value_of

DOWN = [2.0 * 0.97**k for k in range(60)]
BY_EXAMPLES = ("validation_rise_z", "validation_lasting_rise", "validation_gap_z", "validation_gap")


def validated(*means: float, **changes: Any) -> list[Evaluation]:
    """Evaluations of 64 examples each; the training examples stand at half the first mean."""
    found: list[Evaluation] = []
    best, at = math.inf, 0
    for k, mean in enumerate(means):
        step = 5 * (k + 1)
        fields: dict[str, Any] = {
            "record": "evaluation", "step": step, "batches": 1, "loss": mean, "loader": 1,
            "examples": {"count": 64, "mean": mean, "std": 0.4},
            "trained": {"count": 64, "mean": means[0] / 2, "std": 0.3, "since": step - 3},
        }  # fmt: skip
        if k:
            fields["rise"] = {"best_step": at, "mean": mean - best, "error": 0.02, "paired": True}
        if mean < best:
            best, at = mean, step
        found.append(Evaluation.model_validate(fields | changes))
    return found


def test_the_last_against_the_best_before_it() -> None:
    run = log(steps(DOWN), validated(1.0, 0.8, 0.9, 0.88))
    assert value_of("overfitting_basis", run) == "examples"
    assert value_of("validation_rise_z", run) == pytest.approx((5.0 + 4.0) / math.sqrt(2))
    assert value_of("validation_lasting_rise", run) == pytest.approx(0.1)
    assert value_of("validation_gap", run) == pytest.approx(0.38 / 0.5)
    assert value_of("validation_gap_z", run) == pytest.approx(0.38 / math.sqrt((0.16 + 0.09) / 64))
    assert value_of("leaves_training_behind", run) is True
    assert value_of("validation_best", run) == "evaluation 2 of 4, after update 10"
    assert value_of("validation_lost", run) == pytest.approx(0.1)


def test_a_new_best_lies_below() -> None:
    run = log(steps(DOWN), validated(1.0, 0.8, 0.7))
    assert value_of("validation_rise_z", run) == pytest.approx(-5.0)
    assert value_of("validation_lost", run) == 0


def test_the_unit_of_the_loss_does_not_matter() -> None:
    def scaled(by: float) -> list[Evaluation]:
        series = [e.model_dump(by_alias=True) for e in validated(1.0, 0.8, 0.9)]
        for each in series:
            parts = (each, each["examples"], each["trained"], each["rise"] or {})
            for part, key in product(parts, ("loss", "mean", "std", "error")):
                if key in part:
                    part[key] *= by
        return [Evaluation.model_validate(each) for each in series]

    plain, other = log(steps(DOWN), scaled(1.0)), log(steps(DOWN), scaled(7.0))
    for name in BY_EXAMPLES:
        assert value_of(name, other) == pytest.approx(value_of(name, plain))


def test_both_rising_alike_is_no_memorizing() -> None:
    run = log(steps(DOWN), validated(1.0, 2.0, trained={"count": 64, "mean": 1.9, "std": 0.3}))
    assert value_of("leaves_training_behind", run) is False


def test_a_later_evaluation_is_held_against_the_last_training_examples_that_were_seen() -> None:
    *before, last = validated(1.0, 0.8, 0.9)
    series = [*before, last.model_copy(update={"trained": None})]
    assert value_of("validation_gap", log(steps(DOWN), series)) == pytest.approx(0.4 / 0.5)


def test_without_single_losses_the_curve_decides() -> None:
    rising = [1.0 + 0.05 * k for k in range(12)]
    run = log(steps(DOWN), evaluations(rising))
    assert value_of("overfitting_basis", run) == "curve"
    assert value_of("validation_rise_z", run) == value_of("validation_trend_z", run)
    assert value_of("validation_lasting_rise", run) == value_of("validation_rise", run)
    assert value_of("leaves_training_behind", run) is True
    assert measure("validation_gap", run).absent


@pytest.mark.parametrize(
    "changes",
    [
        {"examples": {"count": 8, "mean": 1.0, "std": 0.4}},
        {"trained": {"count": 8, "mean": 0.5, "std": 0.3}},
        {"trained": None},
    ],
)
def test_few_examples_are_not_judged(changes: dict[str, Any]) -> None:
    run = log(steps(DOWN), validated(1.0, 0.8, 0.9, **changes))
    assert measure("validation_rise_z", run).absent == "3 validations were seen, 10 are needed"


def test_the_report_names_where_to_stop_and_what_was_lost() -> None:
    run = log(steps(DOWN), evaluations([3.0, 2.0, 1.0, *[1.2] * 9, 1.5, 1.5, 9.0]))
    found = str(value_of("validation_best", run))
    assert found == f"evaluation 3 of 15, after update {run.evaluations[2].step}"
    assert value_of("validation_lost", run) == pytest.approx(0.5), "one wild value at the end is no loss"
    assert value_of("validation_lost", log(evaluations([2.0, 1.0, 2.0] * 4))) == pytest.approx(1.0)
    assert measure("validation_lost", log(evaluations([-1.0] * 12))).absent


def test_one_evaluation_is_not_judged() -> None:
    run = log(steps(DOWN), validated(1.0))
    for name in ("overfitting_basis", "validation_best", "validation_lost", "validation_rise_z"):
        assert measure(name, run).absent == "1 validation was seen, 2 are needed"
    loader = Loader(record="loader", id=0, samples=1000, batch_size=10, trains=True, given=60)
    assert measure("validation_rise_z", log(loader, steps(DOWN), validated(1.0))).absent == (
        "1 validation was seen, 2 are needed; what was seen once cannot have been memorized"
    )


def test_where_an_epoch_was_ended_for_one_evaluation_the_steps_that_bring_more_are_named() -> None:
    run = log(steps(DOWN), validated(1.0), _early(outcome="ended", epoch=80, given=50))
    more = "; an epoch has 80 batches: use --steps 170, or --steps all"
    assert measure("validation_rise_z", run).absent == f"1 validation was seen, 2 are needed{more}"
    curve = log(steps(DOWN), evaluations([1.0]), _early(outcome="ended", epoch=80, given=50))
    more = "; an epoch has 80 batches: use --steps 810, or --steps all"
    assert measure("validation_rise", curve).absent == f"1 validation was seen, 10 are needed{more}"
    endless = log(steps(DOWN), validated(1.0), _early(outcome="ended", epoch=10**9, given=50))
    assert measure("validation_rise_z", endless).absent == "1 validation was seen, 2 are needed"


def _early(**fields: Any) -> EarlyValidation:
    return EarlyValidation.model_validate({"record": "early_validation", "step": 60, **fields})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"outcome": "off", "epoch": 900, "given": 60},
            "--validate off left the epoch as it is; an epoch has 900 batches, 60 of which were seen: "
            "use --steps 910 to observe what comes after it",
        ),
        (
            {"outcome": "by_hand"},
            "the script makes its batches by hand, so that no epoch can be ended early; if it validates later, "
            "use more --steps than 60, or validate every few updates",
        ),
        (
            {"outcome": "by_next", "epoch": 312_500_000, "given": 60},  # a sampler that draws for ever
            "the script takes its batches by next(), so that no epoch can be ended early; if it validates later, "
            "use more --steps than 60, or validate every few updates",
        ),
        (
            {"outcome": "ended", "epoch": 900, "given": 60},
            "its epoch was ended early, and none followed; if it does validate, use --steps to observe beyond its "
            "first validation, or --steps all",
        ),
        (
            {"outcome": "ranks", "epoch": 900, "given": 60},
            "several ranks cannot end an epoch at the same batch; an epoch has 900 batches, 60 of which were seen: "
            "use --steps 910 to observe what comes after it",
        ),
        (
            {"outcome": "failed", "error": "IndexError: x"},
            "its epoch was ended early, and the script failed afterwards (IndexError: x); if it does validate, use "
            "--steps to observe beyond its first validation, or --steps all",
        ),
    ],
)
def test_a_missing_validation_is_told_with_what_helps(fields: dict[str, Any], said: str) -> None:
    run = log(steps(DOWN), _early(**fields))
    absent = measure("validation_rise_z", run).absent
    assert absent == f"no validation loss was computed while the script was watched: {said}"


@pytest.mark.parametrize(("given", "parted"), [(59, False), (130, True)])
def test_what_was_seen_once_cannot_have_been_memorized(given: int, parted: bool) -> None:
    loader = Loader(record="loader", id=0, samples=1000, batch_size=10, trains=True, given=given)
    run = log(loader, steps(DOWN), validated(1.0, 0.8, 0.9))
    assert value_of("leaves_training_behind", run) is parted


def _standing(mean: float, trained: float, rise: float, step: int) -> Evaluation:
    return Evaluation.model_validate({
        "record": "evaluation", "step": step, "batches": 1, "loss": mean, "loader": 1,
        "examples": {"count": 100, "mean": mean, "std": 0.5},
        "trained": {"count": 100, "mean": trained, "std": 0.5},
        "rise": {"best_step": 10 if step > 10 else 5, "mean": rise, "error": 0.01, "paired": True},
    })  # fmt: skip


def _turning(trained: float, before: float, rise: float) -> list[Evaluation]:
    return [
        _standing(1.0, 1.0, -0.2, 10),
        _standing(1.0 + before, trained, before, 15),
        _standing(1.0 + rise, trained, rise, 20),
    ]


@pytest.mark.parametrize(
    ("trained", "before", "rise", "parting", "turns"),
    [
        (0.5, 0.01, 0.03, 1.03 / 0.5 - 1, True),
        (0.5, 0.01, 0.015, 1.015 / 0.5 - 1, False),  # by less than what comes and goes
        (0.5, -0.01, 0.03, 1.03 / 0.5 - 1, False),  # once
        (0.5, 0.01, -0.05, 0.95 / 0.5 - 1, False),  # it still falls
        (0.98, 0.01, 0.03, 0.0, True),  # a gap within chance
    ],
)
def test_a_gap_that_opens_while_the_loss_turns(
    trained: float, before: float, rise: float, parting: float, turns: bool
) -> None:
    run = log(steps(DOWN), _turning(trained, before, rise))
    assert value_of("validation_parting", run) == pytest.approx(parting)
    assert value_of("validation_turns", run) is turns


def test_a_rise_within_chance_does_not_turn() -> None:
    few = [
        e.model_copy(update={"rise": e.rise and e.rise.model_copy(update={"error": 0.03})})
        for e in _turning(0.5, 0.01, 0.03)
    ]
    assert value_of("validation_turns", log(steps(DOWN), few)) is False


def test_a_loss_that_turns_while_nothing_is_memorized_does_not_turn() -> None:
    assert value_of("validation_turns", log(steps([2.0] * 20), _turning(0.5, 0.01, 0.03))) is False


def test_by_the_curve_the_gap_is_that_of_the_losses() -> None:
    rising = log(steps(DOWN), evaluations([1.0, 0.9, 1.0, 1.1]))
    assert value_of("validation_parting", rising) == value_of("gap_growth", rising)
    assert value_of("validation_turns", rising) is True
    assert value_of("validation_turns", log(steps(DOWN), evaluations([1.0, 0.9, 0.8, 0.7]))) is False
    assert measure("validation_turns", log(steps(DOWN), evaluations([1.0]))).absent


def test_of_many_evaluations_the_last_two_do_not_tell_that_it_turns() -> None:
    curve = [2.0 - 0.1 * k for k in range(10)]
    few, many = [*curve, 1.3, 1.3], [*curve, *[1.1] * 8, 1.3, 1.3]
    falling = [3.0 * 0.98**k for k in range(240)]
    assert value_of("validation_turns", log(steps(falling), evaluations(few))) is True
    assert value_of("validation_turns", log(steps(falling), evaluations(many))) is False
