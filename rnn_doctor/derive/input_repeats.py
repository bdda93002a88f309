"""Whether the batches of a training repeat themselves along one of their axes."""

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import each_module
from rnn_doctor.derive.view import View
from rnn_doctor.schema.runlog import Batch
from rnn_doctor.schema.signals import Measurement

FEWEST_BATCHES = 2
FEWEST_ROWS = 4
FEWEST_STEPS = 3
AT_THE_END = 0.99
"""Share of what the loss takes that it takes at the last step, from which on no step has an answer of its own."""

_NOT_SEEN = "too few of its batches were seen"


def _repeats(view: View, module: int) -> str | None:
    """What repeats itself in all batches; "nothing" where something else does; None where too few were seen."""
    batches = [b for b in view.batches[module] if b.batch >= FEWEST_ROWS and b.time * b.calls >= FEWEST_STEPS]
    if len(batches) < FEWEST_BATCHES:
        return None
    told = {each.alike for each in batches}
    if len(told) > 1 or told == {None} or any(b.state in ("given", "carried") for b in batches):
        return "nothing"
    if told == {"steps"}:
        return "steps" if _read_at_the_end(view, module, batches) else "nothing"
    return "samples"


def _read_at_the_end(view: View, module: int, batches: list[Batch]) -> bool:
    """What answers at every step may be begun by one input: it is told which sequence to make."""
    shares = [each.last_share for each in view.log.readouts if each.module == module]
    return all(b.calls == 1 for b in batches) and bool(shares) and min(shares) > AT_THE_END


@signal(unit="claim", by="module", reads=("batches.alike", "batches.state", "readouts.last_share"))
def input_repeated(view: View) -> dict[str, Measurement]:
    """Whether all rows of every batch are one and the same sequence, or all steps of every sequence the same input.

    Of modules that begin with no state. Sequences of one input are meant only where the loss reads the last step: what
    answers at each step may be begun by one input.

    Reads: `log.batches[i].alike`, `.state`, `.batch`, `.time`, `.calls`; `log.readouts[i].last_share`. Unit: claim.
    None if: fewer than two batches of four rows and three steps were seen.
    """

    def measure(module: int) -> Measurement:
        found = _repeats(view, module)
        return unknown(_NOT_SEEN) if found is None else known(found != "nothing", n=len(view.batches[module]))

    return each_module(view, measure)


@signal(unit="name", by="module", reads=("batches.alike", "batches.state", "readouts.last_share"))
def input_repeated_over(view: View) -> dict[str, Measurement]:
    """What repeats itself: `samples` of a batch, `steps` of a sequence, or `nothing`.

    Reads: as input_repeated. Unit: name. None if: as input_repeated.
    """

    def measure(module: int) -> Measurement:
        found = _repeats(view, module)
        return unknown(_NOT_SEEN) if found is None else known(found)

    return each_module(view, measure)


@signal(unit="sequences", by="module", reads=("batches.batch",))
def batch_rows(view: View) -> dict[str, Measurement]:
    """Rows of the largest batch that a module was given.

    Reads: `log.batches[i].batch`. Unit: sequences. None if: it was not called in a sampled step.
    """

    def measure(module: int) -> Measurement:
        rows = [b.batch for b in view.batches[module]]
        return known(max(rows), n=len(rows)) if rows else unknown(_NOT_SEEN)

    return each_module(view, measure)
