"""Layers that the model does not know of, since they stand in a plain list or dictionary."""

import re

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.built import Module
from rnn_doctor.schema.signals import Measurement

_COLLECTS = re.compile(r"\.append\(|\.extend\(|\.insert\(|=\s*[\[{(]|\]\s*=|\bfor\b.+\bin\b")
"""`layers.append(`, `layers = [`, `layers[k] =`, `... for _ in range(3)`."""
_ITEM = re.compile(r"(?:[\w.]+:\s*|['\"]\w+['\"]\s*:\s*)?[\w.]+\(.*\),?")
"""A line of a list or dictionary over several lines: the construction alone."""


@signal(unit="claim", by="module", reads=("modules",))
def kept_in_a_list(view: View) -> dict[str, Measurement]:
    """Whether a recurrent module is a part of no other, and was built into a list or dictionary.

    Such a collection hides its modules from `parameters()` of the model that holds it; nn.ModuleList does not, and
    what stands in one is a part of the model.

    Reads: `log.modules[m].name`, `.location.code`. Unit: claim. None if: the line that built it is not known.
    """
    found = {}
    for number, subject in view.module_names.items():
        module = view.log.modules[number]
        if module.location is None or module.location.code is None:
            found[subject] = unknown("the line that built it is not known", location=module.location)
            continue
        code = module.location.code.strip()
        collected = bool(_COLLECTS.search(code) or _ITEM.fullmatch(code))
        found[subject] = known(collected and _is_a_root(module), location=module.location)
    return found


def _is_a_root(module: Module) -> bool:
    """Whether it is named after its class, as modules that are part of no other are; further ones have a number."""
    return module.name.partition("#")[0] == module.kind
