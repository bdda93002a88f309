"""Recurrent modules that are stacked one by one: cells in a list, or layers each with a name of its own."""

import math
import re
from collections import defaultdict
from itertools import pairwise

from rnn_doctor.derive.view import View
from rnn_doctor.schema.built import Parameter
from rnn_doctor.schema.runlog import Sample

_NUMBER = re.compile(r"\d+(?!.*\d)")
"""The last number in a name."""
Stack = tuple[int, ...]
"""Modules from the bottom up."""


def stacks(view: View) -> dict[int, Stack]:
    """The stack that each of its modules belongs to, of those that one number in their names tells apart.

    Their numbers follow each other, they are of one kind, and each takes as many features as the one below it gives;
    of hand-written cells one matrix does. Modules side by side may look so too: their gradients are of one size, and
    nothing follows from that.
    """
    families: dict[str, dict[int, int]] = defaultdict(dict)
    for number, module in view.log.modules.items():
        found = _NUMBER.search(module.name)
        if found and module.num_layers == 1:
            families[_NUMBER.sub("#", module.name)][int(found.group())] = number
    whole = (tuple(members[n] for n in sorted(members)) for members in families.values() if _in_turn(members))
    return {
        number: stack
        for stack in whole
        if all(_fits(view, below, above) for below, above in pairwise(stack))
        for number in stack
    }


def _in_turn(numbers: dict[int, int]) -> bool:
    return len(numbers) > 1 and max(numbers) - min(numbers) == len(numbers) - 1


def _fits(view: View, below: int, above: int) -> bool:
    lower, upper = view.log.modules[below], view.log.modules[above]
    if lower.kind != upper.kind:
        return False
    if upper.kind == "custom":
        return _takes(view, above, lower.hidden_size or 0)
    given = (lower.proj_size or lower.hidden_size or 0) * (1 + lower.bidirectional)
    return upper.input_size == given


def _takes(view: View, module: int, features: int) -> bool:
    """Whether a hand-written cell has a matrix for so many features, alone or joined to its own state."""
    own = view.log.modules[module].hidden_size
    recurrent = {w.name for i in view.log.initial_weights if i.module == module for w in i.recurrent}
    if not own or not recurrent:
        return False
    return any(
        (features + own if p.name in recurrent else features) in _taken(p, own)
        for p in _matrices(view, module)
    )


def _taken(matrix: Parameter, units: int) -> set[int]:
    """How many features a matrix may be given: one side, where the other is that of the units, or of their gates."""
    rows, columns = matrix.shape[0], matrix.shape[-1]
    return {side for side, other in ((columns, rows), (rows, columns)) if other % units == 0}


def _matrices(view: View, module: int) -> list[Parameter]:
    """The weight matrices of a module; of a hand-written cell those that its name leads to."""
    own = view.log.modules[module]
    return [
        p
        for p in view.log.parameters.values()
        if len(p.shape) > 1
        and (p.module == module or (own.kind == "custom" and p.name.startswith(f"{own.name}.")))
    ]


def weight_gain(view: View, stack: Stack, sample: Sample) -> float | None:
    """Decades from the gradient of the top module's weight matrices to that of the bottom one's, at one sample.

    None where it was not seen, or is no finite number; infinite where nothing reaches the bottom.
    """
    norms = dict(zip(sample.parameters, sample.grad_norm, strict=True))
    bottom, top = (
        math.hypot(*(norms.get(p.id) or 0.0 for p in _matrices(view, module)))
        for module in (stack[0], stack[-1])
    )  # fmt: skip
    if not top or not math.isfinite(top) or not math.isfinite(bottom):
        return None
    return math.log10(bottom / top) if bottom else -math.inf
