"""Whether the targets of a module are inputs that it reads as it answers."""

from collections.abc import Callable

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import each_module
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.wiring import CopiedTargets

FEWEST_TARGETS = 48
"""Of that many numbers or classes that vary none is another one's copy by chance."""
STILL = 0.5
"""Share of the steps that repeat the one before, from which on a target that is the next input, too, is that input."""

_NOT_COMPARED = "its targets were not held against its inputs"
_PLACES = {
    "same": "the input at its own step",
    "next": "the input one step on, which the reverse direction has read",
    "last": "the last input of its sequence",
}


def _record(view: View, module: int) -> CopiedTargets | None:
    return next((record for record in view.log.copied_targets if record.module == module), None)


def _told(view: View, module: int, what: Callable[[CopiedTargets], bool | float | str]) -> Measurement:
    """Of targets that are inputs."""
    record = _record(view, module)
    if record is None or record.absent is not None:
        return unknown(_NOT_COMPARED)
    if not _is_copied(view, record):
        return unknown("its targets are no inputs that it reads")
    return known(what(record), n=record.targets)


def _is_copied(view: View, record: CopiedTargets) -> bool:
    if record.place is None or record.targets < FEWEST_TARGETS or (record.still or 0.0) > STILL:
        return False
    # Two directions that a script trains apart read what lies before each of them alone.
    return record.place != "next" or not any(
        each.unread_direction for each in view.log.readouts if each.module == record.module
    )


def _whole(view: View, record: CopiedTargets) -> bool:
    """As an autoencoder's: each step is to be made anew from itself, and nothing else starts the recurrence."""
    batches = view.batches[record.module]
    begun = any(batch.state in ("given", "carried") for batch in batches)
    return record.place == "same" and record.of > 1 and record.columns == record.of and not begun


@signal(unit="claim", by="module", reads=("copied_targets", "readouts"))
def targets_copied(view: View) -> dict[str, Measurement]:
    """Whether numbers of the targets, or their classes, are inputs that the module reads as it answers, in all targets.

    The input at the step of the target; with two directions also the one after it; of one target a sequence the last.

    Reads: `log.copied_targets[i]`, `log.readouts[i].unread_direction`. Unit: claim. None if: targets and inputs were
    not held against each other, or fewer than 48.
    """

    def measure(module: int) -> Measurement:
        record = _record(view, module)
        if record is None or record.absent is not None:
            reason = f": {record.absent}" if record is not None else ""
            return unknown(f"{_NOT_COMPARED}{reason}")
        if record.targets < FEWEST_TARGETS:
            return unknown(
                f"{record.targets} targets were held against its inputs, it takes {FEWEST_TARGETS}"
            )
        return known(_is_copied(view, record), n=record.targets)

    return each_module(view, measure)


@signal(unit="name", by="module", reads=("copied_targets", "readouts"))
def targets_copied_from(view: View) -> dict[str, Measurement]:
    """Which input the targets are.

    Reads: as targets_copied. Unit: name. None if: they are none.
    """
    return each_module(view, lambda m: _told(view, m, lambda record: _PLACES[record.place or "same"]))


@signal(unit="share", by="module", reads=("copied_targets", "readouts"))
def targets_copied_share(view: View) -> dict[str, Measurement]:
    """How many of the numbers of a target are numbers of that input.

    Reads: as targets_copied. Unit: share. None if: they are none.
    """
    return each_module(view, lambda m: _told(view, m, lambda record: record.columns / max(1, record.of)))


@signal(unit="claim", by="module", reads=("copied_targets", "readouts", "batches.state"))
def targets_copied_whole(view: View) -> dict[str, Measurement]:
    """Whether each step is to answer with all of its own input, of several numbers, as an autoencoder's steps are.

    Reads: as targets_copied, `log.batches[i].state`: a decoder that is given a state is no autoencoder of its inputs.
    Unit: claim. None if: the targets are no inputs.
    """
    return each_module(view, lambda m: _told(view, m, lambda record: _whole(view, record)))
