"""The gates of a report: their saturation over the updates, their course over the time steps of a sequence."""

from collections.abc import Iterator, Sequence

from rnn_doctor.derive.view import View
from rnn_doctor.schema.curves import GateCourse, GateCurve
from rnn_doctor.schema.recurrence import Gate, Layer

NO_GATES = "its recurrent layers have no gates"
NOT_KEPT = "the run log holds no gates by time step; it may have been recorded by an earlier version"


def over_updates(view: View) -> tuple[GateCurve, ...]:
    """Saturation of each gate of each layer and direction, at the updates where it was replayed."""
    return tuple(
        GateCurve(
            module=view.module_names[records[0].module],
            layer=records[0].layer,
            reverse=records[0].reverse,
            gate=seen[0][1].name,
            steps=tuple(record.step for record, _ in seen),
            low=tuple(gate.low for _, gate in seen),
            high=tuple(gate.high for _, gate in seen),
        )
        for records in _layers(view)
        for seen in _by_gate(records)
    )


def over_time(view: View) -> tuple[GateCourse, ...]:
    """Mean and range of each gate of each layer and direction, at its first, middle and last replay."""
    return tuple(
        GateCourse(
            module=view.module_names[record.module],
            layer=record.layer,
            reverse=record.reverse,
            gate=gate.name,
            step=record.step,
            times=record.gate_times,
            mean=gate.mean,
            p10=gate.p10,
            p90=gate.p90,
        )
        for records in _layers(view)
        for seen in _by_gate(records)
        for record, gate in _ends_and_middle([(record, gate) for record, gate in seen if gate.mean])
    )


def why_no_course(curves: Sequence[GateCurve]) -> str:
    """Why gates that were looked into have no course."""
    return NOT_KEPT if any(curve.gate != "h" for curve in curves) else NO_GATES


def _layers(view: View) -> Iterator[list[Layer]]:
    """The records of each layer and direction, in their order."""
    layers: dict[tuple[int, int, bool], list[Layer]] = {}
    for record in view.log.layers:
        if record.gates and record.module in view.module_names:
            layers.setdefault((record.module, record.layer, record.reverse), []).append(record)
    yield from (layers[key] for key in sorted(layers))


def _by_gate(records: Sequence[Layer]) -> Iterator[list[tuple[Layer, Gate]]]:
    """Each gate of a layer wherever it was seen."""
    for name in dict.fromkeys(gate.name for record in records for gate in record.gates):
        yield [(record, gate) for record in records for gate in record.gates if gate.name == name]


def _ends_and_middle(seen: Sequence[tuple[Layer, Gate]]) -> list[tuple[Layer, Gate]]:
    return [seen[k] for k in sorted({0, len(seen) // 2, len(seen) - 1})] if seen else []
