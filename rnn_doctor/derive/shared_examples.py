"""Training examples that are given twice, that contradict each other, or that stand in the validation data too."""

import math

from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.unvalidated import NONE_SEEN, why_none
from rnn_doctor.derive.validation import validations
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.wiring import SharedExamples

FEWEST = 16
"""Examples on either side: of fewer a share says little."""
SIGMAS = 3.0
_NOT_TOLD = "no DataLoader gave batches whose examples could be told apart"


def _training(view: View) -> SharedExamples | str:
    """What was compared of the training examples, or why nothing was."""
    if not view.log.steps:
        return NO_STEP
    if not view.log.shared_examples:
        return _NOT_TOLD
    last = view.log.shared_examples[-1]
    return last if last.examples >= FEWEST else too_few(last.examples, "training example", "compared", FEWEST)


def _held_out(view: View) -> SharedExamples | str:
    """The same of the loader that the script validates on."""
    series, why = view.once(validations)
    if not series:
        return why_none(view.log) if why == NONE_SEEN else why
    found = view.once(_training)
    if isinstance(found, str):
        return found
    if series[0].loader is None:
        return "the script makes the batches that it validates on by hand"
    own = [each for each in view.log.shared_examples if each.held_out == series[0].loader]
    if not own or not own[-1].held_out_examples:
        return _NOT_TOLD
    count = own[-1].held_out_examples
    return own[-1] if count >= FEWEST else too_few(count, "validation example", "compared", FEWEST)


def _coverage(view: View, seen: SharedExamples) -> float:
    """The share of the training data that was compared; 1 where it is not known to be a random part of them."""
    loader = next((each for each in view.log.loaders.values() if each.trains), None)
    if loader is None or not loader.samples or not loader.shuffled:
        return 1.0
    return min(1.0, seen.examples / loader.samples)


def _least(count: int) -> float:
    """The mean of a Poisson distribution below which so many or more are seen in 2.5 % (Wilson & Hilferty 1931)."""
    return count * (1 - 1 / (9 * count) - 1.96 / (3 * math.sqrt(count))) ** 3 if count else 0.0


@signal(unit="examples", reads=("shared_examples", "evaluations"))
def validation_seen_examples(view: View) -> Measurement:
    """How many of the different validation examples stand, target included, among the training examples that were seen.

    Reads: `log.shared_examples[i].held_out_seen` of the loader that the script validates on. Unit: examples.
    None if: no validation, batches made by hand, examples that cannot be told apart, or fewer than 16 on either side.
    """
    found = view.once(_held_out)
    return unknown(found) if isinstance(found, str) else known(found.held_out_seen, n=found.held_out_examples)


@signal(unit="share", reads=("shared_examples", "evaluations", "loaders"))
def validation_seen_share(view: View) -> Measurement:
    """The share of the validation examples that stands in the training data too, at least.

    Where a random part of the training data was seen, what was found in it stands for more in the whole: the least
    number is taken that would show so many in 2.5 % of such parts.

    Reads: as validation_seen_examples, `log.loaders[i].samples`, `.shuffled`. Unit: share.
    None if: as validation_seen_examples.
    """
    found = view.once(_held_out)
    if isinstance(found, str):
        return unknown(found)
    seen, of = found.held_out_seen, found.held_out_examples
    part = _coverage(view, found)
    in_whole = _least(seen) / part if part < 1 else 0.0
    return known(min(1.0, max(seen, in_whole) / of), n=of)


@signal(unit="claim", reads=("shared_examples", "evaluations"))
def validation_seen_by_nature(view: View) -> Measurement:
    """Whether training examples equal each other about as often: then there are so few different ones, or each is there
    several times, and the validation examples need not have been taken from the training data.

    By exchangeability: of examples drawn alike, one of either set is as likely to equal another of the training set.
    Not so where the share of the validation examples is twice as large and 3 standard errors larger.

    Reads: `log.shared_examples[i].twins`, `.examples`, `.held_out_seen`. Unit: claim.
    None if: as validation_seen_examples.
    """
    found = view.once(_held_out)
    if isinstance(found, str):
        return unknown(found)
    among, across = found.twins / found.examples, found.held_out_seen / found.held_out_examples
    both = (found.twins + found.held_out_seen) / (found.examples + found.held_out_examples)
    error = math.sqrt(both * (1 - both) * (1 / found.examples + 1 / found.held_out_examples))
    return known(not (across > 2 * among and across - among > SIGMAS * error), n=found.held_out_examples)


@signal(unit="share", reads=("shared_examples",))
def training_twin_share(view: View) -> Measurement:
    """The share of the training examples of one pass that equal another one of it, target included.

    Of the part of the data that was seen, and so a lower bound.

    Reads: `log.shared_examples[i].twins`, `.examples`. Unit: share.
    None if: batches made by hand, examples that cannot be told apart, or fewer than 16 of them.
    """
    found = view.once(_training)
    return unknown(found) if isinstance(found, str) else known(found.twins / found.examples, n=found.examples)


@signal(unit="examples", reads=("shared_examples",))
def contradicting_examples(view: View) -> Measurement:
    """How many training examples of one pass equal another one of it in all but their target.

    Reads: `log.shared_examples[i].contradicting`. Unit: examples.
    None if: as training_twin_share, or it is not known which tensor of a batch is the target.
    """
    found = view.once(_training)
    if isinstance(found, str):
        return unknown(found)
    if found.contradicting is None:
        return unknown("which tensor of the training batches is the target is not told")
    return known(found.contradicting, n=found.examples)


@signal(unit="share", reads=("shared_examples",))
def contradicting_share(view: View) -> Measurement:
    """The share of the training examples of one pass that equal another one of it in all but their target.

    Of the part of the data that was seen, and so a lower bound.

    Reads: as contradicting_examples. Unit: share. None if: as contradicting_examples.
    """
    count, found = contradicting_examples(view), view.once(_training)
    assert isinstance(count, Measurement)
    if count.value is None or isinstance(found, str):
        return count
    return known(float(count.value) / found.examples, n=found.examples)
