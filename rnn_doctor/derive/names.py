"""The script's own names of optimizer, model and recurrent modules, from its lines that were seen at work.

The lines are those at which the objects were built or used, so that a name that stands there is bound to them; no
value of the script is looked at.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping

from rnn_doctor.derive.displacement import path_per_step
from rnn_doctor.derive.subjects import is_hand_written
from rnn_doctor.derive.view import View
from rnn_doctor.schema.built import Module
from rnn_doctor.schema.names import Names
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.values import Location

USUAL_UPDATE = 3e-3
"""Of the weights' size: between the smallest of healthy runs, 1.2e-3, and Adam's at 1e-3 in small networks, 1e-2."""
MOST_DECADES = 6
_NAME = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_ASSIGNED = re.compile(rf"({_NAME})\s*(?::[^=]+)?=(?!=)\s*\S")
"""`name = ...` and `name: type = ...` at the beginning of a line."""
_OWNER = re.compile(rf"({_NAME})\.(?:named_)?parameters\(")
_STEPPED = re.compile(rf"(?:\w+\.step\(\s*({_NAME})\s*[,)])|(?:({_NAME})\.step\(\s*\))")
"""`scaler.step(optimizer)` or `optimizer.step()`."""


def names(view: View, places: dict[str, Location]) -> Names:
    """What the script calls its leading optimizer, its model, and each recurrent module."""
    lead = next((o for o in (view.turns[0] if view.turns else ()) if o in view.log.optimizers), None)
    built = view.log.optimizers[lead].location if lead is not None else None
    fused = _fused(view)
    return Names(
        optimizer=assigned(built) or (_stepped(places.get("step")) if lead is not None else None),
        model=None if _holds_a_part(view) else _owner([built, places.get("clip")]),
        modules=(modules := dict(_modules(view))),
        recurrent=dict(_recurrent(view, modules)),
        kinds={subject: module.kind for subject, module in fused.items()},
        time_first=tuple(subject for subject, module in fused.items() if not module.batch_first),
        shortfall=_shortfall(view),
    )


def _shortfall(view: View) -> int:
    """The power of ten that brings the length of an update to a usual one, 10 at the least."""
    made = path_per_step(view)
    assert isinstance(made, Measurement)
    if not isinstance(made.value, int | float) or not 0 < made.value < USUAL_UPDATE:
        return 10
    return int(10 ** min(max(1, round(math.log10(USUAL_UPDATE / made.value))), MOST_DECADES))


def _fused(view: View) -> dict[str, Module]:
    """The recurrent modules that run whole sequences, by subject."""
    built = {subject: view.log.modules[number] for number, subject in view.module_names.items()}
    return {subject: module for subject, module in built.items() if module.kind in ("RNN", "LSTM", "GRU")}


def _holds_a_part(view: View) -> bool:
    """Whether parameters are left out of the optimizers: `head.parameters()` then names no whole model, and a
    snippet that repeats it would repeat the fault."""
    return any(p.trainable and p.optimizer is None for p in view.log.parameters.values())


def assigned(location: Location | None) -> str | None:
    """The name that a line of the script assigns to; None where it assigns none, or several, or is a library's."""
    code = _code(location)
    found = None if ";" in code else _ASSIGNED.match(code)
    open_ends = code.count("(") - code.count(")")
    if found is None or open_ends < 0 or (not open_ends and code.endswith(",")):
        return None  # the last is an argument by keyword, in a call that began on an earlier line
    return found.group(1)


def _modules(view: View) -> Iterator[tuple[str, str]]:
    """Each recurrent module with a name of its own; those that one line built in turn share it, and have none."""
    known = {subject: assigned(view.log.modules[n].location) for n, subject in view.module_names.items()}
    taken = list(known.values())
    for subject, name in known.items():
        if name is not None and taken.count(name) == 1:
            yield subject, name


def _recurrent(view: View, modules: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """Each hand-written recurrence, with the weights of its state as an expression where that is known."""
    for number, subject in view.module_names.items():
        if not is_hand_written(view, number):
            continue
        weights = [each for w in view.log.initial_weights if w.module == number for each in w.recurrent]
        name, holder = weights[0].name if len(weights) == 1 else None, modules.get(subject)
        if name is None or holder is None:
            yield subject, None
            continue
        (weight,) = weights
        turned = ".t()" if weight.transposed else ""
        columns = "[:, {}:{}]".format(*weight.columns) if weight.columns else ""
        yield subject, f"{holder}.{name.removeprefix(f'{subject}.')}{turned}{columns}"


def _owner(locations: Iterable[Location | None]) -> str | None:
    """Whose parameters the first line that names any speaks of; None where it names those of several."""
    for location in locations:
        owners = dict.fromkeys(_OWNER.findall(_code(location)))
        if owners:
            return next(iter(owners)) if len(owners) == 1 else None
    return None


def _stepped(location: Location | None) -> str | None:
    found = _STEPPED.search(_code(location))
    return (found.group(1) or found.group(2)) if found else None


def _code(location: Location | None) -> str:
    """The line, unless it is a library's: its names are not the script's."""
    if location is None or "site-packages" in location.file or location.code is None:
        return ""
    return location.code
