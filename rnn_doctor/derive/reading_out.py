"""What the loss reads: padding, the reverse direction, mixed samples."""

import math
from collections.abc import Sequence
from statistics import median

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import each_module, of_all
from rnn_doctor.derive.view import View
from rnn_doctor.schema.recurrence import Mixing, Padding, Readout
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.values import Location

ONE_STEP = 0.999
"""Share of the reverse half's gradient where it has seen a single input; with T equal steps it would be 1 / T."""

LEAST_PADDING = 0.15
"""Share of the steps: beyond what all rows share, a fifth of them cost nn.LSTM and nn.RNN 0.8 of what their packed
twins had learned, a twentieth cost an LSTM 0.14 (benchmarks/thresholds/padding.py)."""
MOST_WITHSTOOD = 6
"""Steps: four of twelve beyond what all rows share cost nothing, eight of forty 0.8 of what the twin had learned."""
LEAST_LEFT = 0.2
"""Of what the state told before the padding (benchmarks/thresholds/padding_left.py)."""
ALWAYS_WITHSTOOD = 2
"""Steps: two of twelve cost no network anything there."""

_NO_READOUT = "how the loss reads it was not seen"

_WHAT = {
    "input": "the input",
    "output": "the output",
    "state": "the final state",
    "start": "the first state",
}


def _paddings(view: View, module: int) -> list[Padding]:
    return [record for record in view.log.paddings if record.module == module]


def _readouts(view: View, module: int) -> list[Readout]:
    return [record for record in view.log.readouts if record.module == module]


def read_at(view: View, module: int) -> Location | None:
    """The line at which the loss reads a module, or calls it where no such line was seen."""
    return next((r.location for r in _readouts(view, module) if r.location is not None), None)


def _at_its_reading(view: View, module: int, measurement: Measurement) -> Measurement:
    return measurement.model_copy(update={"location": read_at(view, module)})


def _runs_on(record: Padding) -> bool:
    """Whether the recurrence runs on over padding: its sequences are not packed, or by lengths that take it in."""
    return not record.packed or record.read_share is not None


def _median_of(values: Sequence[float]) -> Measurement:
    return of_all(values, median, "where its sequences end was not seen")


@signal(unit="share", by="module", reads=("paddings.padded_share",))
def padded_rows_share(view: View) -> dict[str, Measurement]:
    """Share of a module's sequences that end before the time axis does, median over the samples.

    Reads: `log.paddings[i].padded_share`. Unit: share. None if: where sequences end was not seen,
    as of single ones, or of rows that end in what also occurs within them.
    """
    return each_module(view, lambda module: _median_of([r.padded_share for r in _paddings(view, module)]))


@signal(unit="share", by="module", reads=("paddings.padding",))
def padding_share(view: View) -> dict[str, Measurement]:
    """Mean share of a module's time axis that is padding, median over the samples; what all rows share does not count.

    Reads: `log.paddings[i].padding`. Unit: share. None if: where sequences end was not seen,
    as of single ones, or of rows that end in what also occurs within them.
    """
    return each_module(view, lambda module: _median_of([r.padding for r in _paddings(view, module)]))


@signal(unit="steps", by="module", reads=("paddings.padding", "batches.time"))
def padding_steps(view: View) -> dict[str, Measurement]:
    """How many steps of padding a module's sequences end in on average, median over the samples.

    What all rows share does not count.

    Reads: `log.paddings[i].padding`, `log.batches[i].time` of the same step. Unit: time steps.
    None if: where sequences end was not seen, as of single ones, or of rows that end in what also occurs within them.
    """

    return each_module(view, lambda module: _median_of(_steps(view, module)))


def _steps(view: View, module: int) -> list[float]:
    """Of each sample the mean number of steps of padding."""
    times = {batch.step: batch.time for batch in view.batches[module]}
    return [r.padding * times[r.step] for r in _paddings(view, module) if r.step in times]


@signal(unit="claim", by="module", reads=("paddings", "batches.time"))
def padding_reaches_state(view: View) -> dict[str, Measurement]:
    """Whether a module's sequences end in more padding than every network withstands: more than two steps, on average.

    Or in so much or so harmful padding that it undoes their state, as padding_spares_state tells. Packed sequences end
    where they end: of these it has to be much, unless they were packed by lengths that take in padding, or all that end
    before the longest are read as the zeros that stand behind them.

    Reads: `log.paddings[i].state_left` of the latest sample, `.padding`, `.packed`, `.padded_share`, `.unread_share`,
    `log.batches[i].time`. Unit: claim.
    None if: as padding_steps, unless what is left of the state was seen and is little.
    """

    def measure(module: int) -> Measurement:
        harm = _harm(view, module)
        return (
            harm if isinstance(harm, Measurement) else known(harm is not None, n=len(_paddings(view, module)))
        )

    return each_module(view, measure)


@signal(unit="claim", by="module", reads=("paddings", "batches.time"))
def padding_spares_state(view: View) -> dict[str, Measurement]:
    """Whether the padding that a module's sequences end in is little, and a good part of the state is left behind it.

    It is more than every network withstands, but neither more than six steps and a sixth of them, nor such that less
    than a fifth of the state is left: behind it some networks lose much and most nothing.

    Reads: as padding_reaches_state. Unit: claim. None if: as padding_reaches_state.
    """

    def measure(module: int) -> Measurement:
        harm = _harm(view, module)
        return harm if isinstance(harm, Measurement) else known(harm is False, n=len(_paddings(view, module)))

    return each_module(view, measure)


@signal(unit="claim", by="module", reads=("paddings",))
def padding_reads_zeros(view: View) -> dict[str, Measurement]:
    """Whether the loss reads packed sequences at the last step of the longest, where zeros stand for all others.

    Just those that end before are unread, in every sample. Rows that lose their gradient otherwise (dead units, a
    margin that holds) are others from sample to sample.

    Reads: `log.paddings[i].packed`, `.padded_share`, `.unread_share`. Unit: claim.
    None if: where its sequences end was not seen.
    """

    def measure(module: int) -> Measurement:
        paddings = _paddings(view, module)
        if not paddings:
            return unknown("where its sequences end was not seen")
        return known(_reads_zeros(paddings), n=len(paddings))

    return each_module(view, measure)


def _harm(view: View, module: int) -> bool | Measurement | None:
    """Whether the padding undoes the state; None where every network withstands it, else the reason why not known."""
    left = _left(view, module)
    if left and left[-1] < LEAST_LEFT:
        return True
    paddings, steps = _paddings(view, module), _steps(view, module)
    if not steps:
        return unknown("where its sequences end was not seen")
    if median(r.padding for r in paddings) > LEAST_PADDING and median(steps) > MOST_WITHSTOOD:
        return True
    if _reads_zeros(paddings):
        return True
    return False if median(steps) > ALWAYS_WITHSTOOD and _runs_on(paddings[0]) else None


def _reads_zeros(paddings: Sequence[Padding]) -> bool:
    """As padding_reads_zeros; of at least one sample."""
    return not _runs_on(paddings[0]) and all(
        r.padded_share > 0 and r.unread_share is not None and math.isclose(r.unread_share, r.padded_share)
        for r in paddings
    )


@signal(unit="share", by="module", reads=("paddings.read_share", "paddings.unread_share"))
def padding_misread_share(view: View) -> dict[str, Measurement]:
    """Share of what the loss takes from a module that lies beyond the ends of its sequences; the least of all samples.

    Of packed sequences, whose output is zero there, the share of rows from which the loss takes nothing; unless they
    were packed by lengths that take in padding.

    Reads: `log.paddings[i].read_share`, `.unread_share`; its location is the read-out's.
    Unit: share. None if: the read-out was not seen.
    """

    def measure(module: int) -> Measurement:
        shares = [
            share
            for record in _paddings(view, module)
            if (share := record.read_share if _runs_on(record) else record.unread_share) is not None
        ]
        return _at_its_reading(
            view, module, of_all(shares, min, "whether the loss reads padding was not seen")
        )

    return each_module(view, measure)


@signal(unit="share", by="module", reads=("paddings.state_left",))
def padding_state_left(view: View) -> dict[str, Measurement]:
    """How much of what the state told of its sequence is left behind the padding, at the latest sample.

    By unit the squared correlation over the padded rows between its value before the padding and at the last index,
    weighted by its variance before the padding: 1 where the state waits, 0 where nothing is left of it.

    Reads: `log.paddings[i].state_left`. Unit: share. None if: packed by lengths without padding, fewer than two padded
    rows in every sample, or the run log is older than the measurement.
    """

    def measure(module: int) -> Measurement:
        return of_all(_left(view, module)[-1:], max, "how far the padding changes the state was not seen")

    return each_module(view, measure)


def _left(view: View, module: int) -> list[float]:
    return [r.state_left for r in _paddings(view, module) if r.state_left is not None]


@signal(unit="claim", by="module", reads=("readouts.reverse_last_share", "modules"))
def reverse_reads_one_step(view: View) -> dict[str, Measurement]:
    """Whether the loss reads the reverse direction only where it has seen a single input, at every sample.

    Reads: `log.readouts[i].reverse_last_share` of sequences longer than a step. Unit: claim; False of one direction;
    its location is the read-out's.
    None if: the read-out of the reverse direction was not seen.
    """

    def measure(module: int) -> Measurement:
        if not view.log.modules[module].bidirectional:
            return known(False)
        shares = [
            r.reverse_last_share
            for r in _readouts(view, module)
            if r.time > 1 and r.reverse_last_share is not None
        ]
        measured = of_all(
            shares, lambda s: min(s) > ONE_STEP, "how the loss reads its reverse direction was not seen"
        )
        return _at_its_reading(view, module, measured)

    return each_module(view, measure)


def unread(view: View, module: int) -> tuple[int, str | None] | None:
    """What the loss depends on at no sampled step: a number of upper layers, and a direction of the one below them.

    None if: it reads all of it, or how it reads the module was not seen.
    """
    seen = {(r.unread_layers, r.unread_direction) for r in _readouts(view, module)}
    return seen.pop() if len(seen) == 1 and seen != {(0, None)} else None


@signal(unit="claim", by="module", reads=("readouts.unread_layers", "readouts.unread_direction"))
def part_unread(view: View) -> dict[str, Measurement]:
    """Whether the loss depends on an upper layer or on a direction of a module in no way, at every sample.

    Reads: `log.readouts[i].unread_layers`, `.unread_direction`. Unit: claim; its location is the read-out's.
    None if: how the loss reads the module was not seen.
    """

    def measure(module: int) -> Measurement:
        measured = of_all(_readouts(view, module), lambda _: unread(view, module) is not None, _NO_READOUT)
        return _at_its_reading(view, module, measured)

    return each_module(view, measure)


@signal(unit="name", by="module", reads=("readouts.unread_layers", "readouts.unread_direction", "modules"))
def part_unread_name(view: View) -> dict[str, Measurement]:
    """Which part of a module the loss depends on in no way, in words: `the reverse direction of layer 1`.

    Reads: `log.readouts[i].unread_layers`, `.unread_direction`, `log.modules[m].num_layers`. Unit: name.
    None if: all of it is read.
    """

    def measure(module: int) -> Measurement:
        found = unread(view, module)
        if found is None:
            return unknown("the loss reads all of it" if _readouts(view, module) else _NO_READOUT)
        return known(_unread_words(view.log.modules[module].num_layers, *found))

    return each_module(view, measure)


def _unread_words(layers: int, above: int, direction: str | None) -> str:
    """Layers are counted from 0, as in the names of their weights."""
    parts = []
    if direction:
        parts.append(f"the {direction} direction{f' of layer {layers - above - 1}' if layers > 1 else ''}")
    if above:
        parts.append(f"layer {layers - 1}" if above == 1 else f"layers {layers - above} to {layers - 1}")
    return " and ".join(parts)


def _mixing(view: View, module: int) -> Mixing | None:
    """The view to name: one that mixes samples before one that mixes steps, and one whose line is known."""
    records = [record for record in view.log.mixings if record.module == module]
    return min(records, key=lambda r: (r.within, r.by_numbers, r.location is None), default=None)


@signal(unit="claim", by="module", reads=("mixings", "batches"))
def batch_mixed_by_view(view: View) -> dict[str, Measurement]:
    """Whether a view takes numbers of one sample, or of one of its steps, for those of another, on the way to or from a
    module.

    Reads: `log.mixings`. Unit: claim; its location is the view's. None if: the module was not called in a sampled
    step.
    """

    def measure(module: int) -> Measurement:
        record = _mixing(view, module)
        if record is not None:
            return known(True, location=record.location)
        return of_all(view.batches[module], lambda _: False, "its calls were not looked at")

    return each_module(view, measure)


@signal(unit="name", by="module", reads=("mixings",))
def view_mixes(view: View) -> dict[str, Measurement]:
    """What a view puts together that belongs apart: `samples`, or `time steps` of each sample, or what the
    `numbers` of each sample alone tell to be other axes.

    Reads: `log.mixings[i].within`, `.by_numbers`. Unit: name. None if: no view mixes either.
    """

    def measure(module: int) -> Measurement:
        record = _mixing(view, module)
        if record is None:
            return unknown("no view mixes samples")
        if record.by_numbers:
            return known("numbers")
        return known("time steps" if record.within else "samples")

    return each_module(view, measure)


@signal(unit="name", by="module", reads=("mixings",))
def batch_mixed_by_view_name(view: View) -> dict[str, Measurement]:
    """What the view that mixes samples takes for what, in words.

    Reads: `log.mixings`. Unit: name. None if: no view mixes samples.
    """
    found = {}
    for number, name in view.module_names.items():
        record = _mixing(view, number)
        found[name] = (
            known(f"{_WHAT[record.what]} {record.shape} as {record.viewed}")
            if record
            else unknown("no view mixes samples")
        )
    return found
