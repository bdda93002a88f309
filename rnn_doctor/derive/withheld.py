"""Copies that learned the training data without some of the examples, looked at as if they were validated on these.

The script's own network has seen all of its examples after one pass, so that nothing of it can be held against its
training losses unless it validates. The copies stand in for it: as many updates, from the same weights.
"""

from rnn_doctor.derive.overfitting import (
    NO_SINGLE,
    last_by_examples,
    validation_gap,
    validation_lost,
    validation_parting,
    validation_turns,
)
from rnn_doctor.derive.registry import Measure, known, signal, too_few, unknown
from rnn_doctor.derive.unvalidated import NONE_SEEN
from rnn_doctor.derive.validation import validations
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.validating import Evaluation

FEWEST_LOOKS = 3
"""The one that the gap is measured from, and two later ones, as of validations."""
NOT_MADE = "no copy of the network learned without a part of the training examples"


def copied(view: View) -> View | str:
    """The copy's looks as the validations of a run of their own, or why there is none."""
    made = view.log.withheld
    if made is None:
        return NOT_MADE
    if made.absent is not None:
        return f"{NOT_MADE}: {made.absent}"
    if len(made.looks) < FEWEST_LOOKS:
        return f"{NOT_MADE}: {too_few(len(made.looks), 'look', 'taken at it', FEWEST_LOOKS)}"
    looks = tuple(
        Evaluation(
            record="evaluation", step=look.step, batches=1, loss=look.examples.mean,
            examples=look.examples, trained=look.trained, rise=look.rise,
        )
        for look in made.looks
    )  # fmt: skip
    return View(view.log.model_copy(update={"evaluations": looks}))


def _of_copy(measure: Measure, view: View) -> Measurement:
    """What a signal of the validation says of the copy."""
    copy = view.once(copied)
    found = unknown(copy) if isinstance(copy, str) else measure(copy)
    assert isinstance(found, Measurement)
    return found


def _of_either(measure: Measure, view: View) -> Measurement:
    """What a signal of the validation says of the script's own; of the copy's where the script has none."""
    own = measure(view)
    assert isinstance(own, Measurement)
    if view.once(validations)[1] != NONE_SEEN or view.log.withheld is None:
        return own
    found = _of_copy(measure, view)
    return found if found.value is not None else unknown(f"{own.absent}; and {found.absent}")


@signal(unit="share", reads=("evaluations", "steps.loss", "withheld"))
def memorizing_parting(view: View) -> Measurement:
    """How much the ratio of the loss on other examples to that on trained ones has grown: validation_parting.

    Of a copy that learned without some of the examples where the script was not seen to validate.

    Reads: as validation_parting, `log.withheld.looks`. Unit: share. None if: neither is known.
    """
    return _of_either(validation_parting, view)


@signal(unit="claim", reads=("evaluations", "steps.loss", "withheld"))
def memorizing_turns(view: View) -> Measurement:
    """Whether the loss on other examples has begun to rise, while the training loss falls: validation_turns.

    Of a copy that learned without some of the examples where the script was not seen to validate.

    Reads: as validation_turns, `log.withheld.looks`. Unit: claim. None if: neither is known.
    """
    return _of_either(validation_turns, view)


@signal(unit="name", reads=("evaluations", "withheld"))
def memorizing_basis(view: View) -> Measurement:
    """What memorizing_parting and memorizing_turns are measured on: `validation`, or `copy`.

    Reads: `log.evaluations`, `log.withheld`. Unit: name. None if: the script was not seen to validate, and there is no
    copy.
    """
    series, why = view.once(validations)
    if series:
        return known("validation", n=len(series))
    copy = view.once(copied)
    if why != NONE_SEEN or isinstance(copy, str):
        return unknown(why)
    return known("copy", n=len(copy.log.evaluations))


@signal(unit="examples", reads=("withheld",))
def withheld_examples(view: View) -> Measurement:
    """How many training examples were learned by copies of the network, each of which did without a part of them.

    Reads: `log.withheld.examples`. Unit: examples. None if: no such copy was made, as where the script validates.
    """
    copy, made = view.once(copied), view.log.withheld
    if isinstance(copy, str) or made is None or made.examples is None:
        return unknown(str(copy))
    return known(made.examples, n=made.folds)


@signal(unit="share", reads=("withheld",))
def withheld_gap(view: View) -> Measurement:
    """How far the copy's loss on the examples kept from it lies above that on those it learned from, at the end.

    Both in evaluation mode and at the same parameters.

    Reads: `log.withheld.looks[-1]`. Unit: share. None if: no copy was made.
    """
    return _of_copy(validation_gap, view)


@signal(unit="share", reads=("withheld",))
def withheld_lost(view: View) -> Measurement:
    """How far the copy's loss on the examples kept from it lies above its lowest at the end.

    Reads: `log.withheld.looks[i].examples`. Unit: share; 0 where it still falls. None if: no copy was made.
    """
    return _of_copy(validation_lost, view)


@signal(unit="Z", reads=("withheld",))
def withheld_rise_z(view: View) -> Measurement:
    """By how many standard errors the copies' losses on the examples kept from them lie above their lowest, at the end.

    Example by example, so that what makes one harder than another cancels.

    Reads: `log.withheld.looks[-1].rise`. Unit: Z; negative where it is the lowest. None if: no copy was made.
    """
    copy = view.once(copied)
    last = None if isinstance(copy, str) else copy.once(last_by_examples)
    return (
        unknown(NOT_MADE if isinstance(copy, str) else NO_SINGLE)
        if last is None
        else known(last.rise_z, n=last.count)
    )
