"""Whether the recurrence runs over time: sequences of one step, batch and time mixed up."""

import math
from collections.abc import Sequence

from rnn_doctor.derive.batches import by_module
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import HAND_WRITTEN, each_module, is_hand_written
from rnn_doctor.derive.view import View
from rnn_doctor.schema.built import Loader
from rnn_doctor.schema.recurrence import StepReadout
from rnn_doctor.schema.runlog import Batch
from rnn_doctor.schema.signals import Measurement

ONE_ROW = 0.999
"""Share of the loss's gradient on a single row of the batch axis. With B equal rows it would be 1 / B."""

TELLS = 4.0
"""Times what random orders of the batch axis reach, beyond which the inputs along it tell of the targets."""
TELLS_ALL = 3.0
"""The same, where the inputs along it leave little of the targets open: few places far apart reach no more."""
WHOLE = 0.8
"""Share of the target's variance that the input at one distance explains; data drawn to mislead reached 0.04 beyond 1
along the batch where they were silent along time (benchmarks/thresholds/axes.py)."""
IN_ORDER = 2.0
"""The same along time, beyond which the axes are right: the sensor looks no further then."""
SILENT = 1.25
"""The same along time, and of what its places have in common, below which they tell nothing. Of what tells nothing
one in forty lies above 1."""
FEWEST_BATCHES = 3
"""Batches that differ: of fewer, random orders make no two alike."""

_NO_GRADIENT = "no gradient of its recurrent weights was seen"

_WIDE = 3
"""Rows of which one alone may be read by mistake."""
SPREAD = 0.9
"""Share of it on the last step below which the loss reads along the axis; with T equal steps it would be 1 / T."""


@signal(unit="steps", by="module", reads=("batches.time", "loops"))
def sequence_length_max(view: View) -> dict[str, Measurement]:
    """Longest axis that a module treated as time, over all samples.

    1 of a hand-written cell that is given a state of zeros at each of its steps: it makes one from each of them.

    Reads: `log.batches[i].time`, `log.loops[i].unused`. Unit: time steps. None if: the module was not called in a
    sampled step, or it is another hand-written one.
    """
    found = by_module(view, lambda b: max(x.time for x in b), "")
    for number, name in view.module_names.items():
        if is_hand_written(view, number):
            told = known(1) if number in view.renewed else unknown(HAND_WRITTEN)
            found[name] = told.model_copy(update={"location": view.log.modules[number].location})
    return found


@signal(
    unit="claim", by="module", reads=("parameters", "samples.grad_norm", "state_flows", "batches", "loops")
)
def recurrent_weights_unused(view: View) -> dict[str, Measurement]:
    """Whether the gradient of all recurrent weights of a module was exactly 0 at every sample.

    Happens where the state is zero at every step that the module makes: it never recurs. Called step by step
    with its state carried on, a module uses them, also where nothing behind it lets a gradient through.

    Reads: `log.samples[k].grad_norm` of `weight_hh`, `log.state_flows[i].attached`, and where there is no gradient
    `log.batches[i].time`, `.calls`, `.state`: a single step from a zero state uses none; `log.loops[i].unused`.
    Unit: claim. None if: none tells.
    """
    found = {}
    carried = {flow.module for flow in view.log.state_flows if flow.attached}
    for number, name in view.module_names.items():
        location = view.log.modules[number].location
        mine = {
            p.id for p in view.log.parameters.values() if p.module == number and ".weight_hh" in f".{p.name}"
        }
        norms = [
            norm
            for sample in view.log.samples
            for parameter, norm in zip(sample.parameters, sample.grad_norm, strict=True)
            if parameter in mine and norm is not None
        ]
        never = number in view.renewed or (not norms and mine and _never_recurs(view.batches[number]))
        found[name] = (
            known(all(norm == 0 for norm in norms) and number not in carried, n=len(norms), location=location)
            if norms or never
            else unknown(HAND_WRITTEN if is_hand_written(view, number) else _NO_GRADIENT, location=location)
        )
    return found


def _never_recurs(batches: Sequence[Batch]) -> bool:
    """Whether every update makes one call of a single step from a state of zeros."""
    return bool(batches) and all(
        b.calls == 1 and b.time == 1 and b.state in ("none", "zero") for b in batches
    )


@signal(
    unit="claim",
    by="module",
    reads=("batches", "readouts", "step_readouts", "sample_steps", "loaders", "axis_dependences"),
)
def batch_axis_as_time(view: View) -> dict[str, Measurement]:
    """Whether a module runs along the batch: it takes the axis of the samples for time.

    Either the loss reads one row alone of what the module treats as its batch of three or more, as
    `out[:, -1]` does on a time-first output, or the axes of the loader's batch (B, T, ...) arrive as
    time and batch although the loader shuffles its samples, or its steps lie along the samples of a batch that a loader
    or an index drew in no order, or it is given all samples as one sequence, or the targets depend
    on inputs along the module's batch that never reach them, and on none along its time, whose places are like samples
    in no order. Of a loop written by hand, or over cells, its steps are the time, and its rows the batch.

    Reads: `log.readouts[i].top_row_share`, `log.step_readouts[i]`, `log.batches[i].loader_shape`, `log.loaders`,
    `log.sample_steps[i]`, `log.axis_dependences[i]`.
    Unit: claim. None if: neither read-out nor loader was seen, nor what the targets depend on.
    """
    found = {}
    for number, name in view.module_names.items():
        module, votes = view.log.modules[number], _votes(view, number)
        readouts = [r for r in view.log.readouts if r.module == number]
        found[name] = (
            known(any(votes.values()), n=len(readouts) or len(view.batches[number]), location=module.location)
            if votes
            else unknown("neither its read-out nor the loader's batches were seen", location=module.location)
        )
    return found


@signal(
    unit="name",
    by="module",
    reads=("batches", "readouts", "step_readouts", "sample_steps", "loaders", "axis_dependences"),
)
def batch_axis_told_by(view: View) -> dict[str, Measurement]:
    """What tells that a module runs along the batch: `gradient`, `loader`, `examples` or `targets`, the surest of them.

    Reads: as batch_axis_as_time. Unit: name. None if: nothing tells so.
    """

    def measure(module: int) -> Measurement:
        told = [name for name, vote in _votes(view, module).items() if vote]
        return known(told[0]) if told else unknown("nothing tells that it runs along the batch")

    return each_module(view, measure)


def _votes(view: View, module: int) -> dict[str, bool]:
    """What each of the observations says, of those that were made; the surest first."""
    loops = [r for r in view.log.step_readouts if r.module == module]
    votes = {
        "gradient": _loop_reads_one_row(loops) if loops else _reads_one_row(view, module),
        "loader": _steps_over_samples(view, module) or _runs_over_samples(view, module),
        "examples": _takes_examples_in_a_row(view, view.batches[module]) or None,
        "targets": _told_by_targets(view, module),
    }
    return {name: vote for name, vote in votes.items() if vote is not None}


def _steps_over_samples(view: View, module: int) -> bool | None:
    """True where its steps were seen to lie along the samples of a batch; None else, which says nothing."""
    return any(record.module == module for record in view.log.sample_steps) or None


def _told_by_targets(view: View, module: int) -> bool | None:
    record = next((r for r in view.log.axis_dependences if r.module == module), None)
    if record is None or record.time_score is None:
        return None
    if any(not loader.shuffled for loader in view.log.loaders.values() if loader.trains):
        return None  # neighbours in its batches may be neighbours in a series
    if record.time_score >= IN_ORDER:
        return False
    return mixed_up(**record.model_dump()) or None


def mixed_up(
    *,
    batches: float,
    time_score: float,
    batch_score: float,
    batch_share: float,
    positions: float,
    **_: object,
) -> bool:
    """Whether targets depend along the batch alone, and the places of the time axis are exchangeable."""
    told = batch_score >= TELLS or (batch_score >= TELLS_ALL and batch_share >= WHOLE)
    return batches >= FEWEST_BATCHES and told and time_score < SILENT and positions < SILENT


def _reads_one_row(view: View, module: int) -> bool | None:
    readouts = [r for r in view.log.readouts if r.module == module]
    wide = [r for r in readouts if r.batch >= _WIDE and r.time > 1]
    if not wide:
        return False if readouts else None
    # A loss on one sample's last step alone is unusual but sound; a mixed-up read-out takes every "time step".
    return len(wide) > 1 and all(r.top_row_share > ONE_ROW and r.last_share < SPREAD for r in wide)


def _loop_reads_one_row(readouts: Sequence[StepReadout]) -> bool | None:
    """The same of a loop, in which no other row may have a part in what is read by way of the state."""
    wide = [r for r in readouts if r.rows >= _WIDE]
    alone = [r.rows_reached == 1 and r.top_row_share > ONE_ROW and r.last_share < SPREAD for r in wide]
    return (len(wide) > 1 and all(alone)) or (False if wide else None)


def _runs_over_samples(view: View, module: int) -> bool | None:
    """Whether the loader's first axis, the samples, is the module's time axis, and its second the batch."""
    is_cell = view.log.modules[module].kind.endswith("Cell")
    votes = []
    for batch, loader, shape in _loaded(view, view.batches[module]):
        time = batch.calls if is_cell else batch.time
        vote = _crossed((time, batch.batch), loader, shape)
        if vote is False and loader.shuffled:
            vote = _in_a_row(batch, shape)
        if vote is not None:
            votes.append(vote)
    return all(votes) if votes else None


def _takes_examples_in_a_row(view: View, batches: Sequence[Batch]) -> bool:
    """Whether the examples of a loader, sequences themselves, are the time steps of one, in what order is not known.

    A sampler of the script's own gives them, or one that is not known.
    """
    votes = [
        loader.shuffled is None
        and loader.samples is not None
        and loader.batch_size == shape[0]
        and len(shape) > len(("example", "step"))
        and _in_a_row(batch, shape)
        for batch, loader, shape in _loaded(view, batches)
    ]
    return bool(votes) and all(votes)


def _loaded(view: View, batches: Sequence[Batch]) -> list[tuple[Batch, Loader, tuple[int, ...]]]:
    """The calls made of a loader's batch, with the loader, and with the shape of its batch."""
    return [
        (batch, view.log.loaders[batch.loader], batch.loader_shape)
        for batch in batches
        if batch.loader in view.log.loaders and batch.loader_shape is not None
    ]


def _in_a_row(batch: Batch, shape: tuple[int, ...]) -> bool:
    """Whether the examples of a batch are the steps of a single sequence: in no call they have rows of their own."""
    return (
        (batch.time, batch.batch) == (shape[0], 1)
        and not batch.packed
        and batch.calls < shape[0]
        and shape[0] not in shape[1:]
        and math.prod(shape[1:]) > 1
    )


def _crossed(extent: tuple[int, int], loader: Loader, shape: tuple[int, ...]) -> bool | None:
    """None where the sizes do not tell the axes apart, or consecutive samples may well be a series.

    extent: steps and rows.
    """
    if len(shape) < 2 or shape[0] == shape[1] or not loader.shuffled or loader.batch_size != shape[0]:
        return None
    return extent[1] > 1 and extent == (shape[0], shape[1])
