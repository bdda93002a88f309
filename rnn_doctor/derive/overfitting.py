"""Whether the validation loss rises while the network memorizes: by single examples, or by the curve alone."""

import math
from dataclasses import dataclass

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.validation import (
    WINDOW,
    training_trend,
    validation_rise,
    validation_trend_z,
    validations,
)
from rnn_doctor.derive.view import View
from rnn_doctor.schema.runlog import Evaluation
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.validating import ExampleLosses

FEWEST_EXAMPLES = 16
"""Below it the distribution of a mean loss is too skewed for a normal approximation."""
RISE_Z = 2.33
GAP_Z = 3.0
SMALLEST_RISE = 0.02
SMALLEST_GAP = 0.2

_NO_SINGLE = "the losses of single examples were not seen"


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
    def overfits(self) -> bool:
        """Risen above the best before it, and off the training loss: both beyond chance, and by enough to matter."""
        return (
            self.gap is not None
            and self.gap_z is not None
            and self.rise > SMALLEST_RISE
            and self.rise_z > RISE_Z
            and self.gap > SMALLEST_GAP
            and self.gap_z > GAP_Z
        )


def standings(view: View) -> tuple[Standing, ...] | str:
    """The evaluations that can be held against a better one before them, or why there are none."""
    series, why = view.once(validations)
    if not series:
        return why
    if not any(e.examples for e in series):
        return _NO_SINGLE
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
    return "two evaluations of the same data are needed, and one was seen" if len(series) == 1 else _NO_SINGLE


def _gap(examples: ExampleLosses, trained: ExampleLosses) -> tuple[float | None, float | None]:
    """Welch's z of two means, and their distance as a share of the training loss.

    Source: Welch 1947.
    """
    if trained.count < FEWEST_EXAMPLES or trained.mean <= 0:
        return None, None
    error = math.sqrt(examples.std**2 / examples.count + trained.std**2 / trained.count)
    distance = examples.mean - trained.mean
    return distance / trained.mean, distance / error if error > 0 else math.inf


def _last(view: View) -> Standing | str:
    found = view.once(standings)
    return found if isinstance(found, str) else found[-1]


@signal(unit="Z", reads=("evaluations.rise",))
def validation_rise_z(view: View) -> Measurement:
    """How far the last validation lies above the best before it, in standard errors.

    Example by example where both looked at the same ones in the same order; otherwise as two samples.

    Reads: `log.evaluations[i].rise`. Unit: Z; negative where the last is a new best.
    None if: fewer than 2 validations, or losses that do not fall into 16 examples or more.
    """
    last = view.once(_last)
    return unknown(last) if isinstance(last, str) else known(last.rise_z, n=last.count)


@signal(unit="Z", reads=("evaluations.examples", "evaluations.trained"))
def validation_gap_z(view: View) -> Measurement:
    """Welch's z of the last validation's examples against those of the training batches just before it.

    The training losses are measured before each update and with dropout, which makes them larger and the gap smaller.

    Reads: `log.evaluations[i].examples`, `.trained`. Unit: Z. None if: either is not known by example.
    """
    last = view.once(_last)
    if isinstance(last, str):
        return unknown(last)
    return unknown("no training losses by example were seen") if last.gap_z is None else known(last.gap_z)


@signal(unit="share", reads=("evaluations.examples", "evaluations.trained"))
def validation_gap(view: View) -> Measurement:
    """How far the last validation loss lies above that of the training examples just before it, as a share of it.

    Reads: as validation_gap_z. Unit: share. None if: as validation_gap_z.
    """
    last = view.once(_last)
    if isinstance(last, str):
        return unknown(last)
    return unknown("no training losses by example were seen") if last.gap is None else known(last.gap)


@signal(unit="basis", reads=("evaluations", "steps.loss"))
def overfitting_basis(view: View) -> Measurement:
    """What shows that the network overfits: `examples`, `curve`, or `nothing`.

    By examples: the last validation lies 2 % and 2.33 standard errors above the best before it, example by example, and
    20 % and 3 standard errors above the training examples of the same time. By the curve alone, where no single
    losses were seen: the last 10 validation losses rise while the training loss falls.

    Reads: as the signals that it is made of. Unit: basis. None if: neither can be measured.
    """
    found = view.once(standings)
    if not isinstance(found, str) and any(each.gap_z is not None for each in found):
        return known("examples" if found[-1].overfits else "nothing", n=len(found) + 1)
    return _by_curve(view, found if isinstance(found, str) else _NO_SINGLE)


def _by_curve(view: View, why: str) -> Measurement:
    """The same by the curve: rank trends of the validation and the training losses."""
    parts = [trend(view) for trend in (validation_trend_z, validation_rise, training_trend)]
    values = [part.value for part in parts if isinstance(part, Measurement)]
    if any(value is None for value in values):
        short = next(p.absent for p in parts if isinstance(p, Measurement) and p.absent)
        return unknown(short or why)
    trend, rise, training = (float(value) for value in values if value is not None)
    rises = trend > RISE_Z and rise > SMALLEST_RISE and training < -1.64
    return known("curve" if rises else "nothing", n=WINDOW)


@signal(unit="step", reads=("evaluations.loss",))
def best_validation_step(view: View) -> Measurement:
    """The update after which the validation loss was lowest: where training should have stopped, so far.

    Reads: `log.evaluations[i]`. Unit: step. None if: fewer than 2 validations.
    """
    series, why = view.once(validations)
    if len(series) < 2:
        return unknown(why or "1 validation was seen, 2 are needed")
    return known(min(series, key=lambda e: e.loss or 0.0).step, n=len(series))


@signal(unit="share", reads=("evaluations.loss",))
def lost_since_best(view: View) -> Measurement:
    """How far the last validation loss lies above the lowest.

    Reads: `log.evaluations[i].loss`. Unit: share; 0 where the last is the lowest. None if: fewer than 2 validations,
    or a lowest loss that is not positive.
    """
    series, why = view.once(validations)
    losses = [e.loss for e in series if e.loss is not None]
    if len(losses) < 2:
        return unknown(why or "1 validation was seen, 2 are needed")
    if min(losses) <= 0:
        return unknown("the validation loss is not positive, so that its ratios mean nothing")
    return known(losses[-1] / min(losses) - 1, n=len(losses))
