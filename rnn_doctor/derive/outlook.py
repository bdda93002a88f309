"""How far it reaches that no overfitting was found: what was seen ends somewhere, and overfitting comes late."""

from rnn_doctor.derive.overfitting import STILL_FALLS_Z, each_seen_once, last_by_examples
from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.validation import validations
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement

_LATER = "what comes later they cannot show; `rnn-doctor record --steps all` watches the whole training"


@signal(unit="claim", reads=("stop",))
def watched_to_the_end(view: View) -> Measurement:
    """Whether the training was seen to its own end: the script ended by itself, or another library logged it.

    Reads: `log.stop.reason`, `log.imported`. Unit: claim. None if: no training step was seen.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    stop = view.log.stop
    return known(view.log.imported is not None or (stop is not None and stop.reason == "script_end"))


@signal(unit="words", reads=("evaluations", "steps", "stop", "loaders"))
def overfitting_outlook(view: View) -> Measurement:
    """What it means that no overfitting was found, in words: of how many evaluations, and whether more were to come.

    Reads: `log.evaluations`, `log.steps`, `log.stop`, `log.loaders`. Unit: words. None if: fewer than 2 validations.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    series, why = view.once(validations)
    if len(series) < 2:
        return unknown(why or too_few(len(series), "validation", "seen", 2))
    count = len(series)
    if view.log.imported:
        return known(f"no sign of overfitting in the {count} evaluations that were logged", n=count)
    if watched_to_the_end(view).value:  # type: ignore[union-attr]
        return known(f"no sign of overfitting in {count} evaluations up to the end of the training", n=count)
    updates = view.log.steps[-1].step
    return known(
        f"so far no sign of overfitting, by {count} evaluations in {updates} updates{_aside(view)}: {_LATER}",
        n=count,
    )


def _aside(view: View) -> str:
    """What makes it likely that it is too early to tell."""
    if each_seen_once(view):
        return ", in which no sample was seen twice"
    last = view.once(last_by_examples)
    falls = last is not None and last.rise_z < -STILL_FALLS_Z
    return ", where the loss of the same examples still falls" if falls else ""
