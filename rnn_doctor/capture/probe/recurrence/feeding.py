"""Whether a loop runs over a sequence: each step takes something new, or is read by itself.

A network whose layers share their weights applies them in a row as well: a residual network, a transformer, a fixed
point that is sought, an image that is freed of its noise. It takes its input once, or the same at every layer, beside
a number of the layer at most, and what it finds is read once. That is depth: what is asked of time does not fit it.
"""

from __future__ import annotations

from ..saved import saved
from .loop_states import Edge, State
from .sources import Source, Sources
from .unrolled import Unrolled

_MAY_ADD_DATA = ("Add", "Sub", "Cat", "Stack", "Where", "SWhere", "IndexPut", "CopySlices", "MaskedScatter")
"""Operations whose other operand may be a batch's, where it has no gradient: they do not keep it."""
_MOST = 16
"""Steps that are compared: a habit shows in fewer."""


def is_fed(unrolled: Unrolled, inside: list[int], step: list[int], states: list[State]) -> bool:
    """Whether the steps of a recurrence take something new, or the loss reads more of them than the last.

    inside: its operations; step: by operation; states: by step from 1 on.
    """
    if _is_read(unrolled, inside, states):
        return True
    sources = Sources(unrolled, unrolled.applied())
    outside: dict[int, list[Edge]] = {}
    for number in inside:
        now = step[number]
        for edge in unrolled.inputs[number]:
            if edge[0] < 0:
                of_data = unrolled.kinds[number] in _MAY_ADD_DATA or _is_multiplied_by_data(unrolled, number)
                if now > 1 and of_data:
                    return True
            elif not step[edge[0]] and not sources.constant[edge[0]]:
                outside.setdefault(now, []).append(edge)
    rows = unrolled.shape(states[-1][0])[:1] if states and states[-1] else ()
    return _is_new(sources, outside, rows[0] if rows else 1)


def _is_multiplied_by_data(unrolled: Unrolled, number: int) -> bool:
    """Whether it is multiplied by several numbers that nothing is learned of, and that are no mask of a dropout."""
    if unrolled.kinds[number] != "Mul":
        return False
    for name in ("_saved_self", "_saved_other"):
        values = saved(unrolled.nodes[number], name)
        if values is not None and values.numel() > 1:
            there = values[values != 0]
            if there.numel() and bool((there != there[0]).any()):
                return True
    return False


def _is_new(sources: Sources, outside: dict[int, list[Edge]], rows: int) -> bool:
    """Whether what the steps take from outside differs, and not as a clock does, which all rows of a batch share."""
    later = [outside[now] for now in sorted(outside) if now > 1]
    if not later:
        return False
    # What a first step alone takes is what a network's layers begin with.
    first = [edges for edges in (outside.get(1, []),) if len(edges) == len(later[0])]
    spread = sorted({round(k * (len(later) - 1) / (_MOST - 1)) for k in range(_MOST)})
    steps = first + [later[k] for k in spread]
    for k in range(max(map(len, steps))):
        of_each = [edges[k] for edges in steps if k < len(edges)]
        if sources.differ(of_each) and not all(_is_shared(sources.of(edge), rows) for edge in of_each):
            return True
    return False


def _is_shared(source: Source | None, rows: int) -> bool:
    """Whether all rows of a batch of several are given the same."""
    given = None if source is None else source.given
    if given is None or rows < 2:
        return False
    if not given.dim() or given.shape[0] != rows:
        return given.dim() < 2 or given.shape[0] == 1
    if given.dim() > 1 and not given.is_floating_point():
        return False  # a table of tokens, which are a batch's also where all of them are the same
    return bool((given == given[:1]).all())


def _is_read(unrolled: Unrolled, inside: list[int], states: list[State]) -> bool:
    """Whether a state of an earlier step is taken by what is no part of the recurrence."""
    own = set(inside)
    return any(
        taker not in own
        for state in states[:-1]
        for number, _ in state
        for taker, _ in unrolled.takers[number]
    )
