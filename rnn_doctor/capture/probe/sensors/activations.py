"""Layers outside of recurrences whose activation lets nothing through, whatever they are given: all units are dead."""

from __future__ import annotations

import torch

from ..graph import leaf_of
from ..naming import Naming
from ..recurrence.unrolled import KEPT, VIEWS, Unrolled
from ..saved import saved
from ..writer import Writer

_CUTTING = frozenset(("Relu", "Threshold", "ClampMin", "Clamp", "Hardtanh", "Gelu", "Maximum", "Where"))
"""What may leave exact zeros of everything on one side."""
_PASSED = VIEWS | {"NativeDropout", "Mul", "Div"}
_MADE = frozenset(("Addmm", "Mm", "Bmm", "Linear", "Convolution"))
_NORMS = frozenset(("NativeLayerNorm", "NativeBatchNorm", "NativeGroupNorm", "CudnnBatchNorm", "Add", "Sub"))
_CONVOLVED = "Convolution"
_NEAR = 24
"""Operations between an activation and the layer that it cuts, or the one that takes it."""
_MOST = 256
"""Activations of one graph that are looked at: long loops have more."""
_ROWS = 256


class Activations:
    """Looks at what the activations of a loss let through, at examined steps."""

    def __init__(self, writer: Writer, naming: Naming) -> None:
        self._writer = writer
        self._naming = naming
        self._written: tuple[int, set[int]] = (0, set())
        """The last step, and id() of the weights told of it."""

    def on_graph(self, step: int, unrolled: Unrolled) -> None:
        """A backward pass is about to run through these operations."""
        cutting = [number for number, kind in enumerate(unrolled.kinds) if kind in _CUTTING]
        if len(cutting) > _MOST:
            return
        makers = {number: made for number in cutting if (made := _maker(unrolled, number)) is not None}
        looped = _applied_in_a_row(unrolled, list(makers.values()))
        seen: dict[int, tuple[torch.Tensor, str, list[torch.Tensor]]] = {}
        for number in cutting:
            made = makers.get(number)
            if made is None or id(made[0]) in looped:
                continue
            result = _result(unrolled, number)
            if result is not None:
                weight, maker = made
                units = _by_unit(result, unrolled.kinds[maker] == _CONVOLVED)
                if len(units) and units.shape[1] > 1:
                    seen.setdefault(id(weight), (weight, unrolled.kinds[number], []))[2].append(units)
        if self._written[0] != step:
            self._written = step, set()
        for key, (weight, function, parts) in seen.items():
            if key not in self._written[1] and len({part.shape[1] for part in parts}) == 1:
                self._written[1].add(key)
                self._write(step, weight, function, torch.cat(parts))

    def _write(self, step: int, weight: torch.Tensor, function: str, values: torch.Tensor) -> None:
        self._naming.refresh([weight])
        name = self._naming.of_parameter(weight).name
        self._writer.write(
            "activation", step=step, name=name.rpartition(".")[0] or name, function=function,
            units=values.shape[1], rows=len(values),
            silent_share=1.0 - float((values != 0).any(0).float().mean()),
        )  # fmt: skip


def _applied_in_a_row(unrolled: Unrolled, makers: list[tuple[torch.Tensor, int]]) -> set[int]:
    """id() of the weights one of whose applications depends on another, as in a loop: what they make are states."""
    products: dict[int, list[int]] = {}
    for weight, product in makers:
        products.setdefault(id(weight), []).append(product)
    often = {key: found for key, found in products.items() if len(set(found)) > 1}
    return {key for key, found in often.items() if max(unrolled.levels(found)) > 1}


def _maker(unrolled: Unrolled, number: int) -> tuple[torch.Tensor, int] | None:
    """The weight of the one layer that makes what an activation is given, and its product; None where several do."""
    found: set[int] = set()
    seen, stack = {number}, [number]
    while stack and len(seen) < _NEAR:
        for made, _ in unrolled.inputs[stack.pop()]:
            if made < 0 or made in seen:
                continue
            seen.add(made)
            if unrolled.kinds[made] in _MADE:
                found.add(made)
            elif unrolled.kinds[made] in _PASSED | _NORMS:
                stack.append(made)
            elif getattr(unrolled.nodes[made], "variable", None) is None:
                return None  # a recurrence, another activation
    if len(found) != 1:
        return None
    maker = found.pop()
    leaves = (leaf_of(unrolled.nodes[made])[0] for made, _ in unrolled.inputs[maker] if made >= 0)
    weights = [leaf for leaf in leaves if leaf is not None and leaf.dim() > 1]
    return (weights[0], maker) if len(weights) == 1 else None


def _result(unrolled: Unrolled, number: int) -> torch.Tensor | None:
    """What an activation made, as it or the product that takes it keeps it."""
    own = saved(unrolled.nodes[number], "_saved_result")
    if own is not None:
        return own
    shape = unrolled.shape((number, 0))
    seen, stack = {number}, [number]
    while stack and len(seen) < _NEAR:
        for taker, position in unrolled.takers[stack.pop()]:
            name = KEPT.get(unrolled.kinds[taker], {}).get(position)
            given = saved(unrolled.nodes[taker], name) if name else None
            if given is not None and given.numel() == torch.Size(shape).numel():
                return given.reshape(shape) if given.shape[-1:] == shape[-1:] else None
            if unrolled.kinds[taker] in _PASSED and taker not in seen:
                seen.add(taker)
                stack.append(taker)
    return None


def _by_unit(values: torch.Tensor, convolved: bool) -> torch.Tensor:
    """Some rows, of one value a unit. Shapes: (..., H) -> (R, H); (B, C, ...) of a convolution -> (R, C)."""
    if values.dim() < 2:
        return values.new_zeros(0, 1)
    if convolved:
        values = values.movedim(1, -1)
    rows = values.reshape(-1, values.shape[-1])
    return rows[:: max(1, -(-len(rows) // _ROWS))]
