"""All signals of a run log, and the source lines that findings may point to."""

from rnn_doctor.derive import foreign_logs
from rnn_doctor.derive.names import names
from rnn_doctor.derive.registry import Entry, entries, unknown
from rnn_doctor.derive.subjects import HAND_WRITTEN, is_hand_written
from rnn_doctor.derive.view import View
from rnn_doctor.schema.runlog import RunLog
from rnn_doctor.schema.signals import RUN, Measurement, Signal, Signals
from rnn_doctor.schema.values import Location

FROZEN = "nothing is learned through it: its weights are frozen, and what it is given needs no gradient"
GRADIENTLESS = "nothing is learned through it: the training runs it under torch.no_grad()"
_OF_CALLS = {"batches", "readouts", "paddings", "mixings", "layers", "replays", "initial_weights"}
"""Parts of a run log that are written of the calls of torch's own modules alone."""


def signals(log: RunLog, *, lag: int | None = None) -> Signals:
    """Every signal of the run, measured or with the reason why not.

    lag: how many steps back the task needs to remember, where the user knows it.
    """
    view = View(log, lag)
    found = {}
    for name, entry in entries().items():
        measured = _measured(entry, view)
        if isinstance(measured, Measurement):
            measured = {RUN: measured}
        elif entry.by == "module":
            measured = {subject: _of_frozen(view, subject, m) for subject, m in measured.items()}
            if _needs_calls(entry.reads):
                measured = _with_one_reason(view, measured)
        found[name] = Signal(name=name, unit=entry.unit, by=entry.by, measurements=measured)
    places = _places(view)
    return Signals(signals=found, places=places, names=names(view, places))


def _measured(entry: Entry, view: View) -> Measurement | dict[str, Measurement]:
    """What the signal is; of a foreign log that lacks what it reads, the reason on the run as a whole."""
    reason = foreign_logs.lacks(view, entry.name)
    if reason:
        return {RUN: unknown(reason)}
    measured = entry.measure(view)
    return foreign_logs.sparse(measured, view, entry.name) if isinstance(measured, Measurement) else measured


def _of_frozen(view: View, subject: str, measured: Measurement) -> Measurement:
    """The measurement; what could not be measured of a module through which nothing is learned has that reason."""
    for modules, reason in ((view.frozen, FROZEN), (view.gradientless, GRADIENTLESS)):
        if measured.value is None and subject in modules:
            return measured.model_copy(update={"absent": reason})
    return measured


def _needs_calls(reads: tuple[str, ...]) -> bool:
    """Whether hand-written recurrences lack what a signal reads; what reads `loops` has reasons of its own."""
    parts = {part.split(".")[0] for part in reads}
    return bool(_OF_CALLS & parts) and "loops" not in parts


def _with_one_reason(view: View, measured: dict[str, Measurement]) -> dict[str, Measurement]:
    """What is absent of hand-written recurrences is so for one reason, whatever each signal says of it."""
    ours = {name for number, name in view.module_names.items() if is_hand_written(view, number)}
    return {
        name: each.model_copy(update={"absent": HAND_WRITTEN}) if name in ours and each.absent else each
        for name, each in measured.items()
    }


def _places(view: View) -> dict[str, Location]:
    """The first source line seen of each part of the training loop."""
    log = view.log
    lead = [log.optimizers[o] for o in (view.turns[0] if view.turns else ()) if o in log.optimizers]
    candidates: list[tuple[str, Location | None]] = [
        *(("optimizer", optimizer.location) for optimizer in (*lead, *log.optimizers.values())),
        *(("scheduler", scheduler.location) for scheduler in log.schedulers),
        *(("loss", loss.location) for loss in log.losses),
        *(("module", module.location) for module in log.modules.values()),
        *((place.role, place.location) for place in log.places),
        *(("scheduler", p.location) for p in log.places if p.role == "scheduler_step"),
    ]
    places: dict[str, Location] = {}
    for role, location in candidates:
        if location is not None:
            places.setdefault(role, location)
    return places
