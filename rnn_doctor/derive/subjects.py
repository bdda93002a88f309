"""Measurements subject by subject."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from rnn_doctor.derive.registry import known, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement

HAND_WRITTEN = "hand-written: its calls, gates and carried states are not looked into"
"""Why a signal is absent that needs more of a recurrence than the graph of a loss shows: one reason for all."""

Value = TypeVar("Value")


def each_module(view: View, measure: Callable[[int], Measurement]) -> dict[str, Measurement]:
    """What `measure` says of each recurrent module, by its name; at the module's own line where it names none."""
    found = {}
    for number, name in view.module_names.items():
        measured, location = measure(number), view.log.modules[number].location
        found[name] = measured.model_copy(update={"location": measured.location or location})
    return found


def of_all(
    values: Sequence[Value], summary: Callable[[Sequence[Value]], bool | float], absent: str
) -> Measurement:
    """The summary of what was observed and of how much; `absent` where nothing was."""
    return known(summary(values), n=len(values)) if values else unknown(absent)


def is_hand_written(view: View, module: int) -> bool:
    """Whether a recurrence is known from the graph of the loss alone."""
    return view.log.modules[module].kind == "custom"
