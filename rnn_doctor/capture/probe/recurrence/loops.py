"""Hand-written recurrences in the graph of a loss: the weights they apply step by step, and their state.

A weight whose product depends on an earlier product of the same weight, three times or more, is applied in a loop.
The loop is a recurrence if these products are made of a state, and make the next one: additions of a weight, as in
the forward algorithm of a CRF, are none, and neither is what merely looks at the state.

Where no matrix is applied in a row, each unit may see its own past alone: then weights of one axis that multiply the
state unit by unit are taken for products, and where there are none of these, gates, decays and fixed matrices.

The step of an operation is the number of products on the longest chain below it. The state at step t are the tensors
made up to step t that later steps take: whatever the form of the cell, all paths through time pass them.
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import Callable, NamedTuple, Sequence

import torch

from ..graph import TURNS
from ..saved import saved
from . import carried
from .feeding import is_fed
from .loop_states import State, alike, below, crossing, following
from .unrolled import KEPT, PRODUCTS, UNIT_BY_UNIT, VIEWS, Unrolled

FEWEST = 3
"""Products in a row that make a recurrence."""
_MOST_WEIGHTS = 24
_MATRIX = 2
"""Axes of a state of several rows."""
_LINEAR = VIEWS | {"Add", "Sub", "Neg", "NativeDropout", "Sum", "Mean", "AccumulateGrad"}
_SCALING = ("Mul", "Div")
"""Views that exchange the last two axes of a matrix."""


class Loop(NamedTuple):
    """A recurrence that the script unrolled."""

    weights: list[torch.Tensor]
    """Those that take the state and make the next one."""
    steps: int
    """T, how often they were applied in a row."""
    states: list[State]
    """The tensors of the state by step, oldest first, as operation and output; those of one form, up to the last."""
    hidden_size: int
    axis: int
    """The axis of the state that the weights multiply."""
    rows: int | None
    """B, the other axis of a state that is a matrix; None where it has another form."""
    anew: bool
    """Its first step was given a state of zeros, or one that the graph made: none that was carried on."""
    linear: bool
    """Nothing but linear operations leads from state to state."""
    diagonal: bool
    """Each unit sees its own past alone, or a fixed matrix carries the state on: made so on purpose."""
    is_fed: Callable[[], bool]
    """Tells whether each step takes something new, or is read by itself: of layers that share weights none does."""
    operations: list[int]
    """Those between the first state and the last."""
    step: list[int]
    """By operation: at which step it was made; 0 outside."""


class _Chain:
    """The products of one weight, or what carries a state on that no weight does."""

    def __init__(
        self, unrolled: Unrolled, weight: int, products: list[int], makers: Sequence[int] = ()
    ) -> None:
        self.makers: list[torch.Tensor] = [unrolled.nodes[number].variable for number in makers]
        """Where no weight carries the state on: those that make its gates, and what it takes up."""
        self.weight = weight
        self.tensor: torch.Tensor = unrolled.nodes[weight].variable
        self.products = products
        self.level = unrolled.levels(products)
        self.length = max(self.level[number] for number in products)
        ends = [number for number in products if self.level[number] == self.length]
        self.end = max(ends, key=lambda number: _made_at(unrolled, number))
        """The last product of the longest chain, of several the one computed last."""


def _made_at(unrolled: Unrolled, number: int) -> int:
    told = getattr(unrolled.nodes[number], "_sequence_nr", None)
    return int(told()) if told is not None else -number


def find(
    unrolled: Unrolled, known: Callable[[torch.Tensor], bool], owner: Callable[[list[torch.Tensor]], str]
) -> list[Loop]:
    """The hand-written recurrences of a loss, one for each module that `owner` names, the longest.

    known: whether a weight belongs to a recurrent module of torch; a loop that such a module carries is its own.
    """
    applied = {w: p for w, p in unrolled.applied().items() if _is_matrix(unrolled, w)}
    chains = _chains(unrolled, applied, known)
    if chains is None:
        chains = _chains(unrolled, unrolled.scalings(), known)
    if chains is None:
        chains = [_Chain(unrolled, w[0], products, w) for w, products in carried.find(unrolled)]
    by_owner: dict[str, list[list[_Chain]]] = {}
    for group in _groups(chains):
        if not any(_is_torchs(unrolled, chain, known) for chain in group):
            loop = _loop(unrolled, group)
            if loop is not None:
                by_owner.setdefault(owner(loop.weights), []).append(group)
    found = []
    for groups in by_owner.values():
        loops = [_loop(unrolled, group) for group in _merged(groups)]
        found.append(max((loop for loop in loops if loop), key=lambda loop: loop.steps))
    return found


def _chains(
    unrolled: Unrolled, applied: dict[int, list[int]], known: Callable[[torch.Tensor], bool]
) -> list[_Chain] | None:
    """The weights that are applied in a row; empty where they are all known, None where there are none."""
    repeated = {weight: products for weight, products in applied.items() if len(products) >= FEWEST}
    if repeated and all(known(unrolled.nodes[weight].variable) for weight in repeated):
        return []
    often = sorted(repeated, key=lambda w: -len(repeated[w]))[:_MOST_WEIGHTS]
    return [c for c in (_Chain(unrolled, w, repeated[w]) for w in often) if c.length >= FEWEST] or None


def _is_torchs(unrolled: Unrolled, chain: _Chain, known: Callable[[torch.Tensor], bool]) -> bool:
    """Whether a module of torch's applies the weight: it is its own, or set anew (weight drop) beside its bias.

    Of a state that no weight carries on: whether the fixed matrix is that of a module that is frozen.
    """
    if chain.makers:
        kept = KEPT.get(unrolled.kinds[chain.end], {}).values()
        fixed = (saved(unrolled.nodes[chain.end], name) for name in kept)
        return any(known(matrix) for matrix in fixed if matrix is not None)
    beside = (unrolled.nodes[made] for made, _ in unrolled.inputs[chain.end] if made >= 0)
    leaves = (getattr(node, "variable", None) for node in beside)
    return known(chain.tensor) or any(leaf is not None and known(leaf) for leaf in leaves)


def _is_matrix(unrolled: Unrolled, weight: int) -> bool:
    return bool(unrolled.nodes[weight].variable.dim() > 1)


def _groups(chains: list[_Chain]) -> list[list[_Chain]]:
    """Weights whose products feed each other's, such as those of the gates of one cell."""
    groups: list[list[_Chain]] = []
    for chain in chains:
        for group in groups:
            first = group[0]
            if first.level[chain.end] and chain.level[first.end]:
                group.append(chain)
                break
        else:
            groups.append([chain])
    return groups


def _merged(groups: list[list[_Chain]]) -> list[list[_Chain]]:
    """Layers that take their steps in turn are one recurrence; encoder and decoder are two."""
    merged: list[list[_Chain]] = []
    for group in groups:
        for other in merged:
            if _in_turn(other[0], group[0]) or _in_turn(group[0], other[0]):
                other.extend(group)
                break
        else:
            merged.append(list(group))
    return merged


def _in_turn(lower: _Chain, upper: _Chain) -> bool:
    """Whether each step of the upper one has seen as many steps of the lower one, or one less."""
    ahead = {lower.level[number] - upper.level[number] for number in upper.products}
    return lower.length == upper.length and len(ahead) == 1 and ahead <= {0, -1}


def _loop(unrolled: Unrolled, group: list[_Chain]) -> Loop | None:
    """The recurrence of these weights; None where they are applied in a row but carry no state on."""
    group = _once_a_step(group)
    steps = max(chain.length for chain in group)
    step = _steps(unrolled, group, steps)
    ends = [chain.end for chain in group]
    inside = below(unrolled, ends, step)
    states = crossing(unrolled, inside, step, steps)
    roles = _roles(unrolled, group, step, states, steps)
    if roles is None:
        return None
    weights, width, axis = roles
    kept = alike(unrolled, states)
    own = set(inside)
    products = [{step[n]: n for n in chain.products if n in own} for chain in group]
    for now in range(states.index(kept[-1]) + 1 if kept else steps, steps):
        after = following(unrolled, step, products, kept[-1], now)
        if not after:
            break
        kept.append(after)
    rows = _rows(unrolled, kept[-1], width, axis) if kept else None
    own_chains = [chain for chain in group if any(chain.tensor is weight for weight in weights)]
    anew = any(_begins_anew(unrolled, chain, width, axis) for chain in own_chains)
    made = list({id(tensor): tensor for chain in group for tensor in chain.makers}.values())
    diagonal = bool(made) or unrolled.kinds[ends[0]] in UNIT_BY_UNIT
    linear = _is_linear(unrolled, inside, step)
    fed = functools.partial(is_fed, unrolled, inside, step, states)
    return Loop(
        made or weights, steps, kept, width, axis, rows, anew, linear, diagonal,
        (lambda: True) if made else fed, inside, step,
    )  # fmt: skip


def _steps(unrolled: Unrolled, group: list[_Chain], steps: int) -> list[int]:
    """By operation: the step that it belongs to, by the weights of every step and those that the first steps left out.

    What is applied to states of several steps ago has fewer in a row, and tells of no step.
    """
    step = [0] * len(unrolled.nodes)
    for chain in sorted(group, key=lambda chain: -chain.length):
        late = steps - chain.length
        if any(chain.level[number] + late - step[number] > 1 for number in chain.products if late):
            continue
        for number, level in enumerate(chain.level):
            if level and level + late > step[number]:
                step[number] = level + late
    return step


def _once_a_step(group: list[_Chain]) -> list[_Chain]:
    """Without the weights that are applied several times a step, as of a memory, where most are applied once."""
    lengths = Counter(chain.length for chain in group)
    most, usual = max(lengths), lengths.most_common(1)[0]
    if most == usual[0] or most % usual[0] or lengths[most] >= usual[1]:
        return group
    return [chain for chain in group if chain.length <= usual[0]]


def _begins_anew(unrolled: Unrolled, chain: _Chain, width: int, axis: int) -> bool:
    """Whether the first product takes zeros for a state, alone or joined with an input, or what the graph made."""
    for number in (n for n in chain.products if chain.level[n] == 1):
        position = PRODUCTS[unrolled.kinds[number]][0 if axis == -1 else 1]
        name = KEPT.get(unrolled.kinds[number], {}).get(position)
        given = saved(unrolled.nodes[number], name) if name else None
        if given is None or given.shape[axis] < width:
            continue
        if given.shape[axis] == width and unrolled.inputs[number][position][0] >= 0:
            return True
        ends = given.narrow(axis, 0, width), given.narrow(axis, given.shape[axis] - width, width)
        if not all(bool(end.any()) for end in ends):
            return True
    return False


def _rows(unrolled: Unrolled, state: State, width: int, axis: int) -> int | None:
    """How many rows the matrices of a state have along the axis that no weight multiplies."""
    shapes = [unrolled.shape(edge) for edge in state] if axis < 0 else []
    found = {shape[-3 - axis] for shape in shapes if len(shape) == _MATRIX and shape[axis] == width}
    return found.pop() if len(found) == 1 else None


def _roles(
    unrolled: Unrolled,
    group: list[_Chain],
    step: list[int],
    states: list[State],
    steps: int,
) -> tuple[list[torch.Tensor], int, int] | None:
    """The weights that carry the state on, its width, and the axis they multiply; None where none do.

    A weight carries it on if its product takes the state (width H, alone or joined with others) and gives a whole
    number of times H, of which the next state is made without another product. A network of several layers carries
    it on between its first and its last.
    """
    if len(states) < FEWEST - 1:
        return None
    before = {edge[0] for edge in states[-2]}
    made_by = _products_of(unrolled, states[-1], step, steps - 1)
    square, readers, makers = [], [], []
    width, axis = 0, -1
    for chain in group:
        products = [n for n in chain.products if step[n] == steps - 1]
        taken = next((t for t in (_taken(unrolled, n, before, step) for n in products) if t), None)
        made = [n for n in products if n in made_by]
        if taken is not None:
            readers.append(chain.tensor)
            size, where, given = taken
            if made and given % size == 0:
                square.append(chain.tensor)
            if not width or (made and len(square) == 1):
                width, axis = size, where
        if made:
            makers.append((chain.tensor, unrolled.shape((made[0], 0))))
    fitting = [tensor for tensor, shape in makers if width and _size(shape, axis) % width == 0]
    if not square and not (readers and fitting):
        return None
    return square or list({id(w): w for w in (*readers, *fitting)}.values()), width, axis


def _products_of(unrolled: Unrolled, state: State, step: list[int], now: int) -> set[int]:
    """The products of this step that a state is made of without another product between."""
    found: set[int] = set()
    seen = {number for number, _ in state}
    stack = list(seen)
    while stack:
        number = stack.pop()
        if step[number] != now:
            continue
        if unrolled.kinds[number] in PRODUCTS:
            found.add(number)
            continue
        for made, _ in unrolled.inputs[number]:
            if made >= 0 and made not in seen:
                seen.add(made)
                stack.append(made)
    return found


def _taken(unrolled: Unrolled, product: int, state: set[int], step: list[int]) -> tuple[int, int, int] | None:
    """Width and axis of the state that a product takes, and the width that it gives.

    Of several tensors the widest that the given width is a multiple of: an output may be fed back beside the state.
    """
    found: list[tuple[int, int, int]] = []
    kind, inputs = unrolled.kinds[product], unrolled.inputs[product]
    first, second = PRODUCTS[kind][:2]
    for position in (first, second):
        axis = 1 if kind == "Convolution" else -1 if position == first or kind in UNIT_BY_UNIT else -2
        if position >= len(inputs) or inputs[position][0] < 0:
            continue
        given = _size(unrolled.shape((product, 0)), axis)
        seen, stack = {inputs[position]}, [(inputs[position], axis)]
        while stack:
            edge, axis = stack.pop()
            if edge[0] in state:
                found.append((_size(unrolled.shape(edge), axis), axis, given))
                continue
            if unrolled.kinds[edge[0]] in PRODUCTS:
                continue
            if unrolled.kinds[edge[0]] in TURNS and axis < 0:
                axis = -3 - axis
            for taken in unrolled.inputs[edge[0]]:
                if taken[0] >= 0 and step[taken[0]] and taken not in seen:
                    seen.add(taken)
                    stack.append((taken, axis))
    return max(found, key=lambda taken: (taken[2] % taken[0] == 0, taken[0]), default=None)


def _size(shape: tuple[int, ...], axis: int) -> int:
    return shape[axis] if -len(shape) <= axis < len(shape) else shape[-1] if shape else 1


def _is_linear(unrolled: Unrolled, inside: list[int], step: list[int]) -> bool:
    """Whether each operation between the products is linear in the state; gates that inputs drive are not."""
    for number in inside:
        kind = unrolled.kinds[number]
        inputs = unrolled.inputs[number]
        carried = [position for position, (made, _) in enumerate(inputs) if made >= 0 and step[made]]
        if not carried or kind in _LINEAR:
            continue
        if kind in PRODUCTS:
            if sum(position in PRODUCTS[kind] for position in carried) > 1:
                return False
        elif kind not in _SCALING or carried != [0] or any(made >= 0 for made, _ in inputs[1:]):
            return False
    return True
