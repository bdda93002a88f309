"""Hand-made records of the inside of a recurrence, with the fields that a test does not care about filled in."""

from typing import Any

from rnn_doctor.schema.recurrence import (
    Gate,
    Layer,
    Loop,
    Mixing,
    Padding,
    StateFlow,
)
from tests.derive.logs import at


def gate(name: str = "f", **fields: Any) -> Gate:
    """An open gate at PyTorch's default initialization."""
    return Gate(**{
        "name": name, "low": 0.0, "high": 0.0, "stuck_low": 0.0, "stuck_high": 0.0, "slope": 0.24, **fields,
    })  # fmt: skip


def layer(
    step: int = 1, layer: int = 0, decades_a_step: float = -0.1, time: int = 20, **fields: Any
) -> Layer:
    """A healthy LSTM layer whose accumulated gradient falls by so much a step, the last step first in strength."""
    return Layer(**{
        "record": "layer", "step": step, "module": 0, "layer": layer, "times": tuple(range(time)),
        "hidden_norm": (0.1,) * time, "cell_norm": (0.2,) * time,
        "hidden_gradient": tuple(decades_a_step * (time - 1 - t) for t in range(time)),
        "gates": tuple(gate(name) for name in "ifgo"), "dead_share": 0.0, "effective_rank": 0.4, **fields,
    })  # fmt: skip


def flow(step: int = 1, module: int = 0, calls: int = 1, **fields: Any) -> StateFlow:
    """All calls fresh where nothing else is said."""
    linked = sum(fields.get(k, 0) for k in ("attached", "detached", "continued", "kept"))
    return StateFlow(**{
        "record": "state_flow", "step": step, "module": module, "calls": calls, "fresh": calls - linked,
        "length": 20, **fields,
    })  # fmt: skip


def loop(step: int = 1, module: int = 0, **fields: Any) -> Loop:
    """A hand-written recurrence with a nonlinearity."""
    return Loop(**{
        "record": "loop", "step": step, "module": module, "steps": 20, "states": 1, "linear": False, **fields,
    })  # fmt: skip


def padding(step: int = 1, module: int = 0, **fields: Any) -> Padding:
    return Padding(**{
        "record": "padding", "step": step, "module": module, "rows": 16, "padded_share": 0.0, "padding": 0.0,
        "read_share": 0.0, **fields,
    })  # fmt: skip


def mixing(step: int = 1, module: int = 0, what: str = "state", **fields: Any) -> Mixing:
    return Mixing(**{
        "record": "mixing", "step": step, "module": module, "what": what, "shape": (2, 16, 32),
        "viewed": (16, 64), "location": at(40), **fields,
    })  # fmt: skip
