"""Recurrent modules that are stacked one by one: cells in a list, or layers each with a name of its own."""

import math
import re
from collections import defaultdict

from rnn_doctor.derive.view import View
from rnn_doctor.schema.built import Module
from rnn_doctor.schema.runlog import Sample

_NUMBER = re.compile(r"\d+(?!.*\d)")
"""The last number in a name."""
Stack = tuple[int, ...]
"""Modules from the bottom up."""


def stacks(view: View) -> dict[int, Stack]:
    """The stack that each of its modules belongs to, of those that one number in their names tells apart.

    Their numbers follow each other, they are of one kind, and each takes as many features as the one below it gives.
    Modules side by side may look so too: their gradients are of one size, and nothing follows from that.
    """
    families: dict[str, dict[int, int]] = defaultdict(dict)
    for number, module in view.log.modules.items():
        found = _NUMBER.search(module.name)
        if found and module.num_layers == 1 and module.kind != "custom":
            families[_NUMBER.sub("#", module.name)][int(found.group())] = number
    whole = (tuple(members[n] for n in sorted(members)) for members in families.values() if _in_turn(members))
    return {
        number: stack
        for stack in whole
        if all(map(_fits, _modules(view, stack), _modules(view, stack[1:])))
        for number in stack
    }


def _in_turn(numbers: dict[int, int]) -> bool:
    return len(numbers) > 1 and max(numbers) - min(numbers) == len(numbers) - 1


def _modules(view: View, stack: Stack) -> list[Module]:
    return [view.log.modules[number] for number in stack]


def _fits(below: Module, above: Module) -> bool:
    given = (below.proj_size or below.hidden_size or 0) * (1 + below.bidirectional)
    return below.kind == above.kind and above.input_size == given


def weight_gain(view: View, stack: Stack, sample: Sample) -> float | None:
    """Decades from the gradient of the top module's weight matrices to that of the bottom one's, at one sample.

    None where it was not seen, or is no finite number; infinite where nothing reaches the bottom.
    """
    norms = dict(zip(sample.parameters, sample.grad_norm, strict=True))
    bottom, top = (
        math.hypot(*(
            norms.get(number) or 0.0
            for number, p in view.log.parameters.items()
            if p.module == module and len(p.shape) > 1
        ))
        for module in (stack[0], stack[-1])
    )  # fmt: skip
    if not top or not math.isfinite(top) or not math.isfinite(bottom):
        return None
    return math.log10(bottom / top) if bottom else -math.inf
