"""Whether updates are made in evaluation mode: dropout and batch normalization are off then."""

from itertools import takewhile

from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.wiring import Mode

FEWEST_UPDATES = 5
"""Fewer at the end of an observation may be a passing phase of the script's."""
_WORDS = {"dropout": "dropout", "batch_norm": "batch normalization"}
_MOST_NAMES = 3


def _unseen(view: View) -> str | None:
    """Why the modes do not tell of the training; None where they do."""
    if not view.log.steps:
        return NO_STEP
    if not all(module.called for module in view.log.modules.values()):
        return "TorchScript or a compiler hides in which mode its modules run"
    if not view.log.modes:
        return "no module with a gradient was seen"
    if len(view.turns) > 1:
        return "optimizers take turns: a network may rest while another learns"
    if not view.log.modes[-1].complete:
        return "the modes change too often"
    return None


def _stretch(view: View) -> list[Mode]:
    """The last records in a row, oldest first, by which something is off; none where all is on at the end."""
    off = list(takewhile(lambda mode: not all(mode.training), reversed(view.log.modes)))
    return off[::-1]


@signal(unit="updates", reads=("modes", "steps.step", "places"))
def evaluation_mode_updates(view: View) -> Measurement:
    """Updates at the end of the observation of which dropout or batch normalization of the trained network was off.

    Reads: `log.modes[i].step`, `.training`; `log.steps[k].step`. Unit: updates; 0 where all is on at the end, or
    there is neither. Its location is the line that called `eval()`, or that of the backward pass.
    None if: no module was seen to get a gradient, TorchScript runs it, optimizers take turns, the modes change more
    often than is recorded, or something is off in fewer than five updates.
    """
    absent = _unseen(view)
    if absent:
        return unknown(absent)
    stretch = _stretch(view)
    if not stretch:
        return known(0, n=len(view.log.steps))
    if view.log.steps_seen is None:
        count = sum(step.step >= stretch[0].step for step in view.log.steps)
    else:
        count = view.log.steps[-1].step - stretch[0].step + 1
    if count < FEWEST_UPDATES:
        return unknown(too_few(count, "update", "made in evaluation mode", FEWEST_UPDATES))
    backward = next((place.location for place in view.log.places if place.role == "backward"), None)
    return known(count, n=len(view.log.steps), location=stretch[0].location or backward)


@signal(unit="update", reads=("modes.step",))
def evaluation_mode_since(view: View) -> Measurement:
    """The first update of those that evaluation_mode_updates counts.

    Reads: `log.modes[i].step`. Unit: update, the first is 1. None if: nothing is off at the end, or as there.
    """
    stretch = [] if _unseen(view) else _stretch(view)
    return known(stretch[0].step) if stretch else unknown(_unseen(view) or "nothing is off")


@signal(unit="name", reads=("modes",))
def evaluation_mode_extent(view: View) -> Measurement:
    """How much of the trained network is in evaluation mode at the end of the observation.

    `whole`; `turned off`: a part, which was in training mode before; `part`: a part that never was, as it may be meant;
    `normalization`: batch normalization alone, as where its statistics are frozen on purpose.

    Reads: `log.modes[i].training`, `.others`. Unit: name. None if: as evaluation_mode_since.
    """
    stretch = [] if _unseen(view) else _stretch(view)
    if not stretch:
        return unknown(_unseen(view) or "nothing is off")
    last = stretch[-1]
    if not any(last.training) and not last.others:
        return known("whole")
    off = {name for name, on in zip(last.names, last.training, strict=True) if not on}
    if not any(kind == "dropout" for kind, on in zip(last.kinds, last.training, strict=True) if not on):
        return known("normalization")
    before = [m for m in view.log.modes if m.step < last.step]
    turned = any(on and n in off for m in before for n, on in zip(m.names, m.training, strict=True))
    return known("turned off" if turned else "part")


@signal(unit="name", reads=("modes.names", "modes.kinds"))
def evaluation_mode_of(view: View) -> Measurement:
    """What is off, in words: `dropout (lstm, drop)`.

    Reads: `log.modes[i].names`, `.kinds`, `.training`. Unit: name. None if: as evaluation_mode_since.
    """
    stretch = [] if _unseen(view) else _stretch(view)
    if not stretch:
        return unknown(_unseen(view) or "nothing is off")
    last = stretch[-1]
    words = []
    for kind, word in _WORDS.items():
        rows = zip(last.names, last.kinds, last.training, strict=True)
        names = [name for name, of, on in rows if of == kind and not on]
        if names:
            more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
            words.append(f"{word} ({', '.join(names[:_MOST_NAMES])}{more})")
    return known(" and ".join(words))
