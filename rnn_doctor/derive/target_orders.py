"""Whether flattened targets stand in another order than the outputs that a loss compares them with."""

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import each_module
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.wiring import AxisDependence

IN_ORDER = 2.0
"""Times what random orders reach, beyond which the inputs along time tell of the targets as they stand."""
NOTHING = 0.1
"""Share of the targets that the inputs around them tell in an order that is not theirs, at most
(benchmarks/thresholds/target_orders.py)."""
MOST = 0.3
"""Share that they tell in the right one, where its order is told at all (the same)."""
FEWEST_BATCHES = 3

_NOT_TOLD = "the order of its targets was not tested"


def in_another_order(*, batches: float, own_share: float, turned_share: float, **_: object) -> bool:
    """Whether the inputs around a place tell of its target in the other order alone."""
    return batches >= FEWEST_BATCHES and own_share < NOTHING and turned_share > MOST


def _record(view: View, module: int) -> AxisDependence | None:
    """What was tested; of a module that is called step by step the order of its targets may be, its axes are not."""
    told = (r for r in view.log.axis_dependences if r.module == module)
    return next((r for r in told if r.absent is None or r.own_share is not None), None)


def _none_in_one_row(view: View, module: int) -> bool:
    """Whether losses were seen, and none of them is given a target for each step in one row, or as many steps as rows.

    Of one target a sequence, and of targets that keep their axes, the shapes would not fit.
    """
    steps = {(b.time * b.calls if b.time == 1 else b.time, b.batch) for b in view.batches[module]}
    shapes = {call.target_shape for call in view.log.losses if call.target_shape}
    flat = any(shape[0] == t * b for shape in shapes for t, b in steps if t > 1)
    square = any(t == b == shape[0] and len(shape) > 1 for shape in shapes for t, b in steps)
    return bool(steps and shapes) and not (flat or square)


@signal(unit="claim", by="module", reads=("axis_dependences", "batches", "losses"))
def targets_in_another_order(view: View) -> dict[str, Measurement]:
    """Whether the targets of a module's steps, flattened in one row, stand in another order than its outputs.

    As they are held against the outputs, no input near a place tells of its target, in three batches that differ;
    read with the batch before the time, or the other way round, it does.

    Reads: `log.axis_dependences[i]`, `log.losses[i].target_shape`, `log.batches[i].time`, `.batch`. Unit: claim.
    None if: what the targets depend on was not tested, though the loss is given one of each step in one row.
    """

    def measure(module: int) -> Measurement:
        record = _record(view, module)
        if record is None:
            return known(False) if _none_in_one_row(view, module) else unknown(_NOT_TOLD)
        if record.own_share is None or record.turned_share is None:
            if (record.time_score or 0.0) >= IN_ORDER:
                return known(False, n=record.targets)
            return known(False) if _none_in_one_row(view, module) else unknown(_NOT_TOLD)
        return known(in_another_order(**record.model_dump()), n=record.targets)

    return each_module(view, measure)


@signal(unit="share", by="module", reads=("axis_dependences",))
def targets_told_turned(view: View) -> dict[str, Measurement]:
    """Share of the targets that the inputs near their places tell, if their row is read in the other order.

    Reads: `log.axis_dependences[i].turned_share`. Unit: share. None if: the order of the targets was not tested.
    """

    def measure(module: int) -> Measurement:
        record = _record(view, module)
        if record is None or record.turned_share is None:
            return unknown(_NOT_TOLD)
        return known(record.turned_share, n=record.targets)

    return each_module(view, measure)
