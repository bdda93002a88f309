"""Hand-written recurrences through no weight: gates, a decay or a fixed matrix alone carry the state on.

h_t = f_t * h_(t-1) + (1 - f_t) * x_t, as of an SRU, a QRNN, a minGRU or a selective scan, leaves no product of a weight
between two states. What tells it from other chains of multiplications, such as those of a network's depth, of shares
that are multiplied up or of gates that the state itself drives: at every step it is multiplied by something else, made
by the same weights, takes up something new, made by the same weights as well, and neither depends on the state.
"""

from __future__ import annotations

from collections import Counter
from typing import Iterator, NamedTuple, Tuple

from .loop_states import Edge
from .sources import Sources
from .unrolled import ELEMENTWISE, PRODUCTS, UNIT_BY_UNIT, Unrolled

FEWEST = 3
_MOST_KINDS = 12
"""Sets of weights that gates are made of, the most frequent: a model has a few."""
_FIXED = "fixed"
_MATRIX = "matrix"
_SUMS = ("Add", "Sub")
_JOINING = {"Addmm": 0, "Addmv": 0, "Baddbmm": 0, "Addcmul": 0}
"""Operations that add to what they multiply, and where."""
_PARTS = ("Split", "SplitWithSizes", "UnsafeSplit", "Chunk")

_Key = Tuple[object, ...]


class _Carrier(NamedTuple):
    """An operation that may carry a state on."""

    number: int
    carry: Edge
    """The state before."""
    gate: Edge | None
    """What it is multiplied by; None where that is a number, a mask or a matrix that nothing is learned of."""
    added: Edge | None
    """What the same operation adds; None where it adds nothing."""
    adds: bool
    """Whether it adds something, be it without a gradient."""


class _Chain(NamedTuple):
    carriers: list[_Carrier]
    """Oldest first."""
    ways: list[list[int]]
    """The operations from each carrier to the next."""


class Carried(NamedTuple):
    """A recurrence that no weight carries on."""

    weights: list[int]
    """The operations of the weights that make its gates and what it takes up, those of a gate first."""
    products: list[int]
    """The operations that carry it on."""


def find(unrolled: Unrolled) -> list[Carried]:
    """The recurrences whose state passes no weight, one for each set of weights that their gates are made by.

    The operations that carry them on count among the products from then on.
    """
    if not _multiplies_in_a_row(unrolled):
        return []
    sources = Sources(unrolled, unrolled.applied())
    by_key: dict[_Key, list[_Carrier]] = {}
    for key, carrier in _carriers(unrolled, sources):
        by_key.setdefault(key, []).append(carrier)
    likely = [key for key, carriers in by_key.items() if _may_carry(sources, carriers)]
    often = sorted(likely, key=lambda key: -len(by_key[key]))
    found: list[Carried] = []
    taken: set[int] = set()
    for key in often[:_MOST_KINDS]:
        chain = _regular(unrolled, _longest(unrolled, by_key[key]))
        numbers = {carrier.number for carrier in chain.carriers}
        weights = _weights(unrolled, sources, chain) if not numbers & taken else []
        if weights:
            taken |= numbers
            found.append(Carried(weights, [carrier.number for carrier in chain.carriers]))
    for number in taken:
        unrolled.kinds[number] = ELEMENTWISE.get(unrolled.kinds[number], unrolled.kinds[number])
    return found


def _multiplies_in_a_row(unrolled: Unrolled) -> bool:
    """Whether anything is multiplied often enough without a product between, which spares most graphs the rest."""
    length = [0] * len(unrolled.nodes)
    for number in unrolled.order:
        kind = unrolled.kinds[number]
        known = [made for made, _ in unrolled.inputs[number] if made >= 0]
        below = max((length[made] for made in known), default=0)
        if kind in ELEMENTWISE:
            below += 1
        elif kind in PRODUCTS and kind not in UNIT_BY_UNIT:
            factors = [p for p in PRODUCTS[kind] if p < len(unrolled.inputs[number])]
            below = below + 1 if sum(unrolled.inputs[number][p][0] >= 0 for p in factors) == 1 else 0
        if below >= FEWEST:
            return True
        length[number] = below
    return False


def _carriers(unrolled: Unrolled, sources: Sources) -> Iterator[tuple[_Key, _Carrier]]:
    """What may carry a state on, with what those of one recurrence have in common."""
    for number, kind in enumerate(unrolled.kinds):
        if (kind not in ELEMENTWISE and kind not in PRODUCTS) or kind in UNIT_BY_UNIT:
            continue
        inputs = unrolled.inputs[number]
        factors = (0, 2) if kind == "Lerp" else PRODUCTS[ELEMENTWISE.get(kind, kind)][:2]
        joins = _JOINING.get(kind)
        added = inputs[joins] if joins is not None else None
        for carrying, gating in (factors, factors[::-1]) if kind != "Lerp" else ((0, 2), (1, 2)):
            gate = inputs[gating] if gating < len(inputs) and inputs[gating][0] >= 0 else None
            if carrying >= len(inputs) or inputs[carrying][0] < 0 or (kind == "Div" and carrying):
                continue
            carry = inputs[carrying]
            if kind == "Lerp":
                added = inputs[1 - carrying]
            key: _Key
            if kind in PRODUCTS:
                if gate is not None or sources.constant[carry[0]]:
                    continue
                key = (_MATRIX, kind, carrying)
            elif not _fits(unrolled, number, carry, gate):
                continue
            elif gate is None:
                key = (_FIXED,)
            else:
                key = (sources.near[gate[0]], sources.constant[gate[0]], _form(unrolled, gate))
            known = added if added is not None and added[0] >= 0 else None
            yield key, _Carrier(number, carry, gate, known, kind in _JOINING or kind == "Lerp")


def _may_carry(sources: Sources, carriers: list[_Carrier]) -> bool:
    """Whether enough of them are given what the weights of their gates have made before: all but a first one are."""
    known = sum(
        carrier.gate is None or sources.near[carrier.gate[0]] <= sources.near[carrier.carry[0]]
        for carrier in carriers
    )
    return known >= FEWEST - 1 and len(carriers) >= FEWEST


def _fits(unrolled: Unrolled, number: int, carry: Edge, gate: Edge | None) -> bool:
    """Whether the factors look like a state of two units or more and a gate for more than whole rows of it.

    A layer that is laid over others, pixel by pixel, has one number for all its channels.
    """
    state = unrolled.shape((number, 0))
    if not state or state[-1] < 2 or unrolled.shape(carry) != state or (gate is None and len(state) < 2):
        return False
    if gate is None:
        return True
    shape = unrolled.shape(gate)
    shape = (1,) * (len(state) - len(shape)) + shape
    within = [(own, whole) for own, whole in zip(shape[1:], state[1:])] or [(shape[-1], state[-1])]
    while within and within[-1][0] == 1:
        within.pop()
    return bool(within) and all(own == whole for own, whole in within) and any(own > 1 for own, _ in within)


def _form(unrolled: Unrolled, edge: Edge) -> tuple[object, ...]:
    """Which part of a product's units an edge holds, by the splits along the last axis on its way."""
    parts: list[object] = []
    for _ in range(8):
        number, output = edge
        kind, node = unrolled.kinds[number], unrolled.nodes[number]
        if kind in PRODUCTS:
            break
        last = len(unrolled.shape(edge)) - 1
        if kind in _PARTS and _axis(node, last) == last:
            parts.append(output)
        elif kind == "Slice" and _axis(node, last) == last:
            parts.append(getattr(node, "_saved_start", None))
        below = [each for each in unrolled.inputs[number] if each[0] >= 0]
        if len(below) != 1:
            break
        edge = below[0]
    return tuple(parts)


def _axis(node: object, last: int) -> int:
    """The axis that a split or a slice is along, counted from the front."""
    axis = getattr(node, "_saved_dim", None)
    if not isinstance(axis, int):
        return -1
    axis = axis - 2**64 if axis >= 2**63 else axis
    return axis + last + 1 if axis < 0 else axis


def _longest(unrolled: Unrolled, carriers: list[_Carrier]) -> _Chain:
    """The longest row of carriers, each given what the one before made without a product between."""
    options: dict[int, list[_Carrier]] = {}
    for carrier in carriers:
        options.setdefault(carrier.number, []).append(carrier)
    length = [0] * len(unrolled.nodes)
    latest = [-1] * len(unrolled.nodes)
    """By operation: the last carrier on the longest row below it."""
    chosen: dict[int, tuple[_Carrier, int]] = {}
    for number in unrolled.order:
        for carrier in options.get(number, ()):
            if carrier.gate is not None and length[carrier.gate[0]]:
                continue  # the state drives it
            row = length[carrier.carry[0]] + 1
            if row > length[number]:
                length[number] = row
                chosen[number] = carrier, latest[carrier.carry[0]]
        if number in chosen:
            latest[number] = number
            continue
        kind = unrolled.kinds[number]
        if kind in PRODUCTS and kind not in UNIT_BY_UNIT:
            continue
        for made, _ in unrolled.inputs[number]:
            if made >= 0 and length[made] > length[number]:
                length[number], latest[number] = length[made], latest[made]
    if not chosen:
        return _Chain([], [])
    most = max(length[number] for number in chosen)
    number = next(n for n in reversed(unrolled.order) if n in chosen and length[n] == most)
    row_back, ways = [], []
    while number >= 0:
        carrier, before = chosen[number]
        row_back.append(carrier)
        if before >= 0:
            ways.append(_way(unrolled, carrier.carry[0], before, latest))
        number = before
    return _Chain(row_back[::-1], ways[::-1])


def _way(unrolled: Unrolled, number: int, end: int, latest: list[int]) -> list[int]:
    """The operations from one that takes a carrier's result, directly or not, down to it."""
    way: list[int] = []
    while number != end:
        way.append(number)
        number = next(made for made, _ in unrolled.inputs[number] if made >= 0 and latest[made] == end)
    return way


def _regular(unrolled: Unrolled, chain: _Chain) -> _Chain:
    """The longest stretch whose steps are all of one form: what is made of the last state is no step."""
    forms = [
        (
            tuple(unrolled.kinds[number] for number in way),
            unrolled.kinds[carrier.number],
            unrolled.shape((carrier.number, 0)),
        )
        for way, carrier in zip(chain.ways, chain.carriers[1:])
    ]
    if not forms:
        return _Chain([], [])
    usual = Counter(forms).most_common(1)[0][0]
    best = begin = end = 0
    for k, form in enumerate([*forms, None]):
        if form != usual:
            if k - begin > best:
                best, end = k - begin, k
            begin = k + 1
    return _Chain(chain.carriers[end - best : end + 1], chain.ways[end - best : end])


def _weights(unrolled: Unrolled, sources: Sources, chain: _Chain) -> list[int]:
    """The weights that such a chain is made by, where it is a recurrence; empty where it is none."""
    if len(chain.carriers) < FEWEST:
        return []
    level = unrolled.levels([carrier.number for carrier in chain.carriers])
    gates = [carrier.gate for carrier in chain.carriers if carrier.gate is not None]
    if any(level[number] for number, _ in gates):
        return []
    added = [_added(unrolled, sources, level, way, c) for way, c in zip(chain.ways, chain.carriers)]
    taken_up = [each for each in added if each is not None and each[0] >= 0]
    driven = (
        bool(gates) and not any(sources.constant[number] for number, _ in gates) and sources.differ(gates)
    )
    if None in added or (not driven and len(taken_up) < len(added)):
        return []
    makers = {sources.near[number] for number, _ in taken_up[1:]}
    if len(makers) > 1 or any(sources.constant[number] for number, _ in taken_up):
        return []
    if not driven and not sources.differ(taken_up):
        return []
    found: list[int] = []
    for near in ([sources.near[gates[-1][0]]] if driven else []) + sorted(makers, key=sorted):
        own = [weight for weight in near if unrolled.nodes[weight].variable.dim() > 1] or near
        found += sorted(weight for weight in own if weight not in found)
    return found


def _added(
    unrolled: Unrolled, sources: Sources, level: list[int], way: list[int], carrier: _Carrier
) -> Edge | None:
    """What a step takes up: what is added between a carrier and the next, of no state made; None where nothing is.

    (-1, 0) where it is added without a gradient.
    """
    found: list[Edge] = []
    if carrier.adds:
        if carrier.added is None:
            found.append((-1, 0))
        elif not level[carrier.added[0]] and not sources.constant[carrier.added[0]]:
            found.append(carrier.added)
    for number in way:
        if unrolled.kinds[number] in _SUMS:
            inputs = unrolled.inputs[number]
            found += [e for e in inputs if e[0] >= 0 and not level[e[0]] and not sources.constant[e[0]]]
            if unrolled.kinds[number] == "Sub" and inputs[0][0] < 0:
                found.append((-1, 0))
    return max(found, default=None)
