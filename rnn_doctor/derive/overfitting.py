"""How the validation stands to the best one before it and to the training loss: by single examples, or by the curve.

Whether it has risen for good is left to rising.py, the curve alone to curve_trend.py.
"""

import math
from dataclasses import dataclass
from statistics import median

from rnn_doctor.derive.curve_trend import best
from rnn_doctor.derive.data_size import begun_anew, data_repeated
from rnn_doctor.derive.generalization import gap_growth, training_fall_since_best, validation_rise_early
from rnn_doctor.derive.memorizing import MEMORIZED, memorized_since_best, nothing_learned_yet
from rnn_doctor.derive.registry import Measure, known, signal, too_few, unknown
from rnn_doctor.derive.unvalidated import NONE_SEEN, more_of_them, why_none
from rnn_doctor.derive.validation import WINDOW, validations
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.validating import Evaluation, ExampleLosses

FEWEST_EXAMPLES = 16
"""Below it the distribution of a mean loss is too skewed for a normal approximation."""
GAP_Z = 3.0
"""Within it a gap is none."""
TURNS_Z = 1.28
"""One-sided 10 %: a loss that only stands still often falls again, or stays (benchmarks/overfitting/results.md)."""
STILL_FALLS_Z = 2.0
"""Below the best before it by so many standard errors, a validation is better (one-sided 2.5 %)."""
SMALLEST_RISE = 0.02
"""Smaller rises come and go with the noise of the validation set."""
TREND_DECIDES = 20
"""From so many evaluations on the last two alone say little: of 480 curves by formula that do not rise they called 8 %
at 20 evaluations and 37 % at 300 (benchmarks/thresholds/curve_trend.py)."""

NO_SINGLE = "the losses of single examples were not seen"


@dataclass(frozen=True, slots=True)
class Standing:
    """An evaluation as the losses of its examples show it."""

    evaluation: Evaluation
    count: int
    """Its examples."""
    rise: float
    """Above the best before it, as a share of that."""
    rise_z: float
    gap: float | None
    """Above the loss on the last training examples, as a share of that."""
    gap_z: float | None

    @property
    def mean(self) -> float:
        """Of the losses of its examples."""
        assert self.evaluation.examples is not None
        return self.evaluation.examples.mean


def standings(view: View) -> tuple[Standing, ...] | str:
    """The evaluations that can be held against a better one before them, or why there are none."""
    series, why = view.once(validations)
    if not series:
        return why
    if not any(e.examples for e in series):
        return NO_SINGLE
    found: list[Standing] = []
    trained: ExampleLosses | None = None
    for evaluation in series:
        trained = evaluation.trained or trained  # later on not every evaluation has its own
        examples, rise = evaluation.examples, evaluation.rise
        if examples is None or rise is None or examples.count < FEWEST_EXAMPLES:
            continue
        best = examples.mean - rise.mean
        if best <= 0 or not math.isfinite(examples.mean):
            continue
        gap, gap_z = _gap(examples, trained) if trained is not None else (None, None)
        z = rise.mean / rise.error if rise.error > 0 else math.copysign(math.inf, rise.mean or -1.0)
        found.append(Standing(evaluation, examples.count, rise.mean / best, z, gap, gap_z))
    if found:
        return tuple(found)
    return "two evaluations of the same data are needed, and one was seen" if len(series) == 1 else NO_SINGLE


def _gap(examples: ExampleLosses, trained: ExampleLosses) -> tuple[float | None, float | None]:
    """Welch's z of two means, and their distance as a share of the training loss.

    Source: Welch 1947.
    """
    if trained.count < FEWEST_EXAMPLES or trained.mean <= 0:
        return None, None
    error = math.sqrt(examples.std**2 / examples.count + trained.std**2 / trained.count)
    distance = examples.mean - trained.mean
    return distance / trained.mean, distance / error if error > 0 else math.inf


def basis(view: View) -> str:
    """What the rise is told by: `examples` where the losses of single ones were seen beside trained ones."""
    found = view.once(standings)
    by_examples = not isinstance(found, str) and any(each.gap is not None for each in found)
    return "examples" if by_examples else "curve"


def _single(view: View) -> str | None:
    """Why the one validation that was seen by example says nothing of a rise; None where there are more or none."""
    series, _ = view.once(validations)
    if len(series) != 1 or series[0].examples is None:
        return None
    first = "; what was seen once cannot have been memorized" if each_seen_once(view) else ""
    return too_few(1, "validation", "seen", 2) + first + more_of_them(view.log, 2)


def within_first_pass(view: View) -> bool:
    """Whether fewer samples than one pass has were seen, and none of them again by intention."""
    repeated = data_repeated(view)
    return isinstance(repeated, Measurement) and repeated.value is False


def each_seen_once(view: View) -> bool:
    """Whether no sample of the training data was seen twice, not even by chance in passes that were broken off."""
    return within_first_pass(view) and not begun_anew(view)


def last_by_examples(view: View) -> Standing | None:
    """The last evaluation by its examples; None where the curve alone has to do."""
    found = view.once(standings)
    return None if isinstance(found, str) or view.once(basis) == "curve" else found[-1]


@signal(unit="Z", reads=("evaluations.examples", "evaluations.trained"))
def validation_gap_z(view: View) -> Measurement:
    """Welch's z of the last validation's examples against those of the training batches just before it.

    The training losses are measured before each update and with dropout, which makes them larger and the gap smaller.

    Reads: `log.evaluations[i].examples`, `.trained`. Unit: Z. None if: either is not known by example.
    Source: Welch 1947.
    """
    last = view.once(last_by_examples)
    return unknown(NO_SINGLE) if last is None or last.gap_z is None else known(last.gap_z, n=last.count)


@signal(unit="share", reads=("evaluations.examples", "evaluations.trained"))
def validation_gap(view: View) -> Measurement:
    """How far the last validation loss lies above that of the training examples just before it, as a share of it.

    Reads: as validation_gap_z. Unit: share. None if: as validation_gap_z.
    """
    last = view.once(last_by_examples)
    return unknown(NO_SINGLE) if last is None or last.gap is None else known(last.gap, n=last.count)


@signal(unit="share", reads=("evaluations", "steps.loss"))
def validation_parting(view: View) -> Measurement:
    """How much the ratio of validation to training loss has grown since the first validation.

    By examples: (1 + gap now) / (1 + gap then) - 1, and 0 where the gap is within 3 standard errors. By the curve:
    gap_growth. What makes the two differ from the start, such as dropout or harder data, cancels.

    Reads: `log.evaluations[i].examples`, `.trained`, `.loss`. Unit: share. None if: as validation_rise_z or gap_growth.
    """
    last, found = view.once(last_by_examples), view.once(standings)
    if last is None or isinstance(found, str):
        return of_curve(gap_growth, view)
    gaps = [each.gap for each in found if each.gap is not None]
    if last.gap is None or last.gap_z is None or len(gaps) < 2:
        return unknown(NO_SINGLE)
    if last.gap_z <= GAP_Z or gaps[0] <= -1:
        return known(0.0, n=last.count)
    return known((1 + last.gap) / (1 + gaps[0]) - 1, n=last.count)


@signal(unit="claim", reads=("evaluations", "steps.loss"))
def validation_turns(view: View) -> Measurement:
    """Whether the validation loss has begun to rise, while the training loss falls.

    By examples: the last two validations lie above the best before them, the last by 2 % and 1.28 standard errors
    (one-sided 10 %), and the training loss has fallen since by 2 % of it; not where nothing was learned yet. By the
    curve, which cannot tell that: the last two lie 2 % above the best, and the training loss has fallen since. Of 20
    evaluations and more the last two may lie that high by noise alone: there the trend decides, and this is False.

    Reads: as validation_rise_z, validation_rise_early, validation_uninformed_ratio and loss_end_ratio. Unit: claim.
    None if: as the first two.
    """
    last = view.once(last_by_examples)
    if last is not None:
        return known(_turns(view, last), n=last.count)
    rise, fall = of_curve(validation_rise_early, view), of_curve(training_fall_since_best, view)
    if rise.value is None or fall.value is None:
        return rise if rise.value is None else fall
    if len(view.once(validations)[0]) >= TREND_DECIDES:
        return known(False, n=rise.n)
    return known(float(rise.value) > SMALLEST_RISE and float(fall.value) > 0, n=rise.n)


def _turns(view: View, last: Standing) -> bool:
    found = view.once(standings)
    if isinstance(found, str) or len(found) < 2 or found[-2].rise <= 0:
        return False
    rises = last.rise > SMALLEST_RISE and last.rise_z > TURNS_Z
    return rises and memorized_since_best(view) > MEMORIZED and not nothing_learned_yet(view)


def of_curve(measure: Measure, view: View) -> Measurement:
    """What a signal of the run says of the curve; where nothing or one was validated, with what would help."""
    found = measure(view)
    assert isinstance(found, Measurement)
    single = _single(view)
    if found.value is None and single is not None:
        return unknown(single)
    return unknown(why_none(view.log)) if found.absent == NONE_SEEN else found


@signal(unit="words", reads=("evaluations.loss",))
def validation_best(view: View) -> Measurement:
    """The evaluation where the training should have stopped, in words: "evaluation 7 of 20, after update 700".

    Reads: `log.evaluations[i].loss`, `.step`. Unit: words. None if: fewer than 2 validations.
    """
    series, why = view.once(validations)
    if len(series) < 2:
        return unknown(why or too_few(len(series), "validation", "seen", 2))
    k = best(series)
    return known(
        f"evaluation {k + 1} of {len(series)}, after {view.counted_by} {series[k].step}", n=len(series)
    )


@signal(unit="share", reads=("evaluations.loss",))
def validation_lost(view: View) -> Measurement:
    """How far the validation loss lies above the best by now: last / best - 1; of 10 and more the median of the last 3.

    Reads: `log.evaluations[i].loss`. Unit: share; 0 where nothing is lost. None if: fewer than 2 validations, or a
    best loss that is not positive.
    """
    series, why = view.once(validations)
    losses = [e.loss for e in series if e.loss is not None]
    if len(losses) < 2:
        return unknown(why or too_few(len(series), "validation", "seen", 2))
    if min(losses) <= 0:
        return unknown("the validation loss is not positive, so that its ratios mean nothing")
    now = median(losses[-3:]) if len(losses) >= WINDOW else losses[-1]
    return known(max(0.0, now / min(losses) - 1), n=len(losses))
