"""Which evidence tells that the validation loss has risen for good: single examples, two evaluations, or the curve."""

import math
from statistics import fmean
from typing import Any

import pytest

from rnn_doctor.derive.looks import AT_LEAST_Z, ENOUGH, LASTING_RISE, PARTED, jumps
from rnn_doctor.derive.memorizing import BEYOND, LASTS, LASTS_KNOWING, MEMORIZED
from rnn_doctor.schema.built import Loader
from rnn_doctor.schema.runlog import LossCall, RunLog
from rnn_doctor.schema.validating import Evaluation
from tests.derive.logs import evaluations, log, measure, steps, value_of

FALLING = [2.0 * 0.98**k for k in range(120)]


def seen(*means: float, error: float = 0.02, trained: float = 0.4, losses: list[float] = FALLING) -> RunLog:
    """Evaluations of 64 examples each, held against the best before them; the training loss falls.

    trained: that of the last training examples, in the unit of which the losses of the updates are held.
    """
    found: list[Evaluation] = []
    best, at = math.inf, 0
    for k, mean in enumerate(means):
        fields: dict[str, Any] = {
            "record": "evaluation", "step": 5 * (k + 1), "batches": 1, "loss": mean, "loader": 1,
            "examples": {"count": 64, "mean": mean, "std": 0.4},
            "trained": {"count": 64, "mean": trained, "std": 0.3, "since": 5 * k + 2},
        }  # fmt: skip
        if k:
            fields["rise"] = {"best_step": at, "mean": mean - best, "error": error, "paired": True}
        if mean < best:
            best, at = mean, 5 * (k + 1)
        found.append(Evaluation.model_validate(fields))
    return log(steps(losses), found)


def of_four_classes(run: RunLog, losses: list[float]) -> RunLog:
    """The same where an answer that knows nothing has a loss of 1.39, with these training losses."""
    call = LossCall(
        record="loss", step=1, function="cross_entropy", site=0, input_shape=(8, 4), target_shape=(8,), value=1.4
    )  # fmt: skip
    return run.model_copy(update={"steps": tuple(steps(losses)), "losses": (call,)})


def ends_at(means: int, level: float) -> list[float]:
    """Training losses up to the last of so many evaluations, after which no update follows."""
    return [2.0 - (2.0 - level) * k / (5 * means) for k in range(5 * means)]


def test_two_in_a_row_count_as_two_looks() -> None:
    once, twice = seen(1.0, 0.8, 0.835), seen(1.0, 0.8, 0.835, 0.835)
    assert value_of("validation_rise_z", once) == pytest.approx(1.75)
    assert value_of("validation_rise_z", twice) == pytest.approx(2 * 1.75 / math.sqrt(2))


def test_an_evaluation_below_the_best_ends_the_row() -> None:
    assert value_of("validation_rise_z", seen(1.0, 0.8, 0.835, 0.79)) == pytest.approx(-0.5)
    assert value_of("validation_rise_z", seen(1.0, 0.8, 0.79, 0.825)) == pytest.approx(1.75)


def test_a_large_rise_is_not_made_smaller_by_the_one_before_it() -> None:
    assert value_of("validation_rise_z", seen(1.0, 0.8, 0.801, 0.9)) == pytest.approx(5.0)


@pytest.mark.parametrize(("beside", "sure"), [(0.5, False), (0.1, True)])
def test_the_less_the_training_loss_the_less_it_takes(beside: float, sure: bool) -> None:
    means = (1.0, 0.8, 0.83)
    run = seen(*means, trained=beside, losses=ends_at(3, 1.0))
    assert value_of("validation_rise_z", run) == pytest.approx(1.5)
    assert (1.5 + math.log(0.83 / beside) > ENOUGH) is sure
    assert value_of("validation_rise_is_sure", run) is sure


def test_what_chance_may_bring_is_sure_beside_no_training_loss() -> None:
    for z, sure in ((0.99 * AT_LEAST_Z, False), (1.01 * AT_LEAST_Z, True)):
        run = seen(1.0, 0.8, 0.85, error=0.05 / z, trained=1e-6, losses=ends_at(3, 1.0))
        assert value_of("validation_rise_is_sure", run) is sure


def test_weak_evidence_counts_where_something_was_memorized_since_the_best() -> None:
    for fall, sure in ((1.1 * MEMORIZED, True), (0.9 * MEMORIZED, False)):
        losses = [2.0] * 10 + [2.0 - 0.8 * fall] * 5
        run = seen(1.0, 0.8, 0.84, trained=0.05, losses=losses)
        assert value_of("validation_rise_is_sure", run) is sure
        assert value_of("leaves_training_behind", run) is True


def test_a_loss_that_jumps_has_not_risen_by_less_than_it_jumps() -> None:
    calm, wild = [3.0, 2.0, 1.4, 1.0, 1.2], [3.0, 1.2, 2.4, 1.0, 1.2]
    assert jumps(calm) < math.log(1.2) < jumps(wild)
    assert value_of("validation_rise_is_sure", seen(*calm, trained=0.1)) is True
    assert value_of("validation_rise_is_sure", seen(*wild, trained=0.1)) is False


def test_a_turn_is_no_jump_whatever_the_unit_of_the_loss() -> None:
    turn = [4.0, 2.0, 1.0, 1.5, 2.4]
    assert jumps(turn) == pytest.approx(0.0)
    saw = [1.0, 1.5, 1.0, 1.4, 1.0]
    assert jumps([7 * v for v in saw]) == pytest.approx(jumps(saw))
    assert jumps([1.0, 0.5]) == 0.0


def test_the_training_loss_at_the_same_weights_tells_a_jump_of_both() -> None:
    """The batches before the evaluation were looked at before the step that threw the weights."""
    still = [1.0] * 15 + [0.9]
    assert value_of("leaves_training_behind", seen(1.0, 0.8, 0.9, losses=still)) is False, "it has not fallen"
    falls = [1.0 - 0.01 * k for k in range(15)]
    for after, parted in ((falls[-1], True), (2.6, False)):
        run = seen(1.0, 0.8, 0.9, losses=[*falls, after])
        assert value_of("leaves_training_behind", run) is parted


def test_the_training_loss_is_brought_to_the_unit_of_the_examples() -> None:
    """A script that trains with a sum over 20 examples, and validates with a mean."""
    sums = [20 * v for v in ends_at(3, 1.0)]
    for factor, parted in ((1 + 0.9 * PARTED, False), (1 + 1.1 * PARTED, True)):
        own = fmean(sums[11:15])
        run = seen(1.0, 0.8, 0.9, trained=0.9 / factor, losses=[*sums, own])
        assert value_of("leaves_training_behind", run) is parted


def test_what_an_evaluation_showed_stands_until_a_better_one() -> None:
    shown = (1.0, 0.8, 0.9)
    passing, back = seen(*shown, 0.82, error=0.04), seen(*shown, 0.79, error=0.04)
    assert value_of("validation_rise_z", passing) == pytest.approx(2.5), (
        "that of the evaluation that showed it"
    )
    assert value_of("validation_lasting_rise", passing) == pytest.approx(0.025), "that of the last"
    assert value_of("validation_rise_is_sure", passing) is True
    assert value_of("validation_rise_is_sure", back) is False
    assert value_of("validation_rise_is_sure", seen(*shown, 0.81, error=0.04)) is False, (
        "nothing is left of it"
    )


def test_two_in_a_row_count_as_one_where_nothing_was_memorized_since_the_best() -> None:
    def z(level: float) -> float:
        losses = [2.0] * 10 + [level] * 10
        rising = seen(1.0, 0.8, 0.835, 0.835).model_copy(update={"steps": tuple(steps(losses))})
        return float(value_of("validation_rise_z", rising) or 0)

    assert z(2.0 - 0.8 * 1.1 * MEMORIZED) == pytest.approx(2 * 1.75 / math.sqrt(2))
    assert z(2.0 - 0.8 * 0.9 * MEMORIZED) == pytest.approx(1.75)


@pytest.mark.parametrize(
    ("lowest", "end", "memorizes"),
    [(1.4, 1.2, False), (1.4, 0.5, True), (1.2, 1.2, True)],
)
def test_a_loss_that_rises_before_anything_is_learned_is_not_judged_yet(
    lowest: float, end: float, memorizes: bool
) -> None:
    falling = [1.4 - (1.4 - end) * min(1.0, k / 10) for k in range(15)]
    run = of_four_classes(seen(lowest + 0.05, lowest, lowest + 0.2, trained=0.5), falling)
    assert value_of("leaves_training_behind", run) is memorizes


@pytest.mark.parametrize(("evaluations_after", "memorizes"), [(LASTS, False), (LASTS + 1, True)])
@pytest.mark.parametrize("before_training", [False, True])
def test_a_rise_that_lasts_is_judged_though_nothing_was_learned(
    evaluations_after: int, memorizes: bool, before_training: bool
) -> None:
    rises = [1.4 + 0.02 * k for k in range(1, evaluations_after + 1)]
    falling = [1.4 - 0.4 * k / 50 for k in range(5 * evaluations_after + 5)]
    run = of_four_classes(seen(1.4, *rises, trained=0.5), falling)
    if before_training:  # then the best is at no update, and the rise counts from the first after one
        first = run.evaluations[0].model_copy(update={"step": 0})
        later = [
            each.model_copy(update={"rise": each.rise and each.rise.model_copy(update={"best_step": 0})})
            for each in run.evaluations[1:]
        ]
        shifted = [each.model_copy(update={"step": each.step - 5}) for each in later]
        run = run.model_copy(update={"evaluations": (first, *shifted), "steps": run.steps[:-5]})
    assert value_of("leaves_training_behind", run) is memorizes


@pytest.mark.parametrize(
    ("evaluations_after", "end", "memorizes"),
    [
        (LASTS_KNOWING, 0.9, False),
        (LASTS_KNOWING + 1, 0.9, True),
        (LASTS_KNOWING + 1, 1.1, False),
    ],
)
def test_less_waiting_where_the_training_loss_lies_below_that_of_the_frequencies(
    evaluations_after: int, end: float, memorizes: bool
) -> None:
    """Of a batch whose labels have an entropy of 1; it has not halved."""
    rises = [1.4 + 0.02 * k for k in range(1, evaluations_after + 1)]
    losses = [1.5 + (end * BEYOND - 1.5) * min(1.0, k / 20) for k in range(5 * evaluations_after + 5)]
    run = of_four_classes(seen(1.4, *rises, trained=0.5), losses)
    counted = tuple(call.model_copy(update={"baseline": 1.0}) for call in run.losses)
    run = run.model_copy(update={"losses": counted})
    assert value_of("leaves_training_behind", run) is memorizes


def test_a_trend_within_the_first_pass_is_no_memorizing() -> None:
    rising = evaluations([1.0, 0.8, *(0.8 + 0.02 * k for k in range(1, 14))])
    once = Loader(record="loader", id=0, samples=100_000, batch_size=10, trains=True, given=120)
    assert value_of("leaves_training_behind", log(once, steps(FALLING), rising)) is False
    assert value_of("leaves_training_behind", log(steps(FALLING), rising)) is True


PLATEAU = [2.0, 1.5, 1.2, 1.0, 1.03, 0.98, 1.01, 1.02, 0.99, 1.0]


@pytest.mark.parametrize(
    ("losses", "up"),
    [
        ([1.0, 0.8, 0.81], False),
        ([1.0, 0.8, 0.82], True),
        ([1.0, 0.8, 0.9, 0.8], False),
        ([*PLATEAU, 1.09], False),  # one evaluation stands out
        ([*PLATEAU, 0.93, 1.01, 1.01], False),  # the best stands out
        ([*PLATEAU, 1.09, 1.09], True),
    ],
)
def test_one_evaluation_of_many_is_no_rise(losses: list[float], up: bool) -> None:
    assert value_of("validation_stays_up", log(evaluations(losses))) is up


def test_the_best_at_the_end_is_no_rise() -> None:
    assert value_of("validation_stays_up", log(evaluations([*PLATEAU, 0.5]))) is False


def test_the_unit_of_the_loss_does_not_matter_for_staying_up() -> None:
    for factor in (1 + 0.99 * LASTING_RISE, 1 + 1.01 * LASTING_RISE):
        series = [2.0, *[1.0] * 9, factor, factor]
        expected = factor > 1 + LASTING_RISE
        assert value_of("validation_stays_up", log(evaluations(series))) is expected
        assert value_of("validation_stays_up", log(evaluations([7 * v for v in series]))) is expected


def test_what_has_no_ratio_does_not_stay_up() -> None:
    assert measure("validation_stays_up", log(evaluations([0.0, 1.0]))).absent
    one = log(evaluations([1.0]))
    assert measure("validation_stays_up", one).absent == measure("validation_rise_z", one).absent


def test_staying_up_is_told_by_the_examples_where_a_small_batch_weighs_too_much() -> None:
    by_script = [1.0, *[0.8] * 9, 0.9, 0.9]
    run = seen(*[1.0, *[0.8] * 11])
    skewed = [e.model_copy(update={"loss": loss}) for e, loss in zip(run.evaluations, by_script, strict=True)]
    assert value_of("validation_stays_up", log(steps(FALLING), skewed)) is False
    assert value_of("validation_stays_up", log(steps(FALLING), evaluations(by_script))) is True
