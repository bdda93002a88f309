"""The targets of a loss, laid out as the recurrent module lays out its output, by what the graph tells of the way."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from .dependence import Abstained
from .layouts import FIRST, SECOND, Atom, Layout, Mixed, after, layout_of
from .losses import BINARY, CLASSIFYING, REGRESSING

_MOST_NODES = 300
_UNCLEAR = "how its output becomes the predictions is not told"


class Grid(NamedTuple):
    """One target of each place of a module's output."""

    values: torch.Tensor
    """Classes (first, second), or numbers (first, second, C); detached."""
    known: torch.Tensor
    """Places whose target the loss does not leave out. Shape: (first, second)."""


def grid_of(
    function: str, predicted: Any, target: Any, options: dict[str, Any], output: torch.Tensor
) -> Grid | None:
    """The targets of a loss call by the axes of a module's output; None where the loss is not of this output.

    Shapes: output (first, second, H).

    Raises: Abstained: they cannot be told apart by place.
    """
    if not (isinstance(target, torch.Tensor) and isinstance(predicted, torch.Tensor)):
        return None
    layout = _layout(predicted, output)
    if layout is None:
        return None
    target = target.detach()
    first, second = output.shape[:2]
    if function in CLASSIFYING and not target.is_floating_point():
        classes = 1 if predicted.dim() > 1 else 0
        axes = [axis for k, axis in enumerate(layout) if k != classes]
        values = _arranged(target, axes, first, second)
        if values.dim() > 2:
            raise Abstained("a step has several targets")
        return Grid(values, (values != options.get("ignore_index", -100)) & (values >= 0))
    if function not in (*CLASSIFYING, *REGRESSING, *BINARY) or target.numel() != predicted.numel():
        raise Abstained(f"{function} does not compare output and target element by element")
    if [n for n in target.shape if n > 1] != [n for n in predicted.shape if n > 1]:
        raise Abstained("its outputs and targets differ in shape")
    values = _arranged(target.reshape(predicted.shape), layout, first, second)
    return Grid(
        values.reshape(first, second, -1), torch.ones(first, second, dtype=torch.bool, device=values.device)
    )


def targets_by_place(
    function: str, target: Any, places: tuple[int, int], tokens: torch.Tensor | None
) -> torch.Tensor | None:
    """The targets of a loss, one at each of these places, whose axes differ in size; None where that is not told.

    Flat targets are told by the tensor that they are a view of, or by being the next tokens themselves.

    Shapes: tokens (first, second) -> (first, second) or (first, second, C).
    """
    if not isinstance(target, torch.Tensor) or function not in (*CLASSIFYING, *REGRESSING, *BINARY):
        return None
    values = target.detach()
    if values.dim() == 1 and values.numel() == places[0] * places[1]:
        return _unflattened(target, places, tokens)
    if values.shape[:2] == places:
        return values
    return values.transpose(0, 1) if values.shape[:2] == places[::-1] else None


def _unflattened(
    target: torch.Tensor, places: tuple[int, int], tokens: torch.Tensor | None
) -> torch.Tensor | None:
    """Shapes: target (first second) or (second first), tokens (first, second) -> (first, second)"""
    values, whole = target.detach(), target._base
    shape = whole.shape if whole is not None and whole.numel() == target.numel() else None
    plain, turned = values.reshape(places), values.reshape(places[::-1]).t()
    for each, own in ((plain, places), (turned, places[::-1])):
        if shape == own and whole is not None and whole.is_contiguous() and target.is_contiguous():
            return each
    if tokens is None or values.is_floating_point():
        return None
    for each in (plain, turned):
        if torch.equal(each[:-1], tokens[1:]) or torch.equal(each[:, :-1], tokens[:, 1:]):
            return each
    return None


def _arranged(target: torch.Tensor, axes: Layout, first: int, second: int) -> torch.Tensor:
    """Shapes: any -> (first, second) or (first, second, ...). Raises: Abstained: an axis is cut, or gone."""
    atoms = [atom for axis in axes for atom in axis]
    places = [[k for k, atom in enumerate(atoms) if atom.kind == kind] for kind in (FIRST, SECOND)]
    whole = all(
        len(found) == 1 and atoms[found[0]] == Atom(kind, size)
        for found, kind, size in zip(places, (FIRST, SECOND), (first, second))
    )
    if not whole or target.numel() != _count(atoms):
        raise Abstained(_UNCLEAR)
    return target.reshape([atom.size for atom in atoms]).movedim((places[0][0], places[1][0]), (0, 1))


def _count(atoms: list[Atom]) -> int:
    count = 1
    for atom in atoms:
        count *= atom.size
    return count


def _layout(predicted: torch.Tensor, output: torch.Tensor) -> Layout | None:
    """What the axes of the predictions are in the module's output; None where they were not made of it.

    Raises: Abstained: they were, in a way that is not followed.
    """
    end = output.grad_fn
    users: dict[Any, list[tuple[Any, int]]] = {}
    stack = [predicted.grad_fn] if predicted.grad_fn is not None else []
    met = set(stack)
    while stack and len(met) < _MOST_NODES:
        node = stack.pop()
        for place, (child, number) in enumerate(node.next_functions if node is not end else ()):
            if child is None or (child is end and number != output.output_nr):
                continue
            users.setdefault(child, []).append((node, place))
            if child not in met:
                met.add(child)
                stack.append(child)
    if end not in met:
        return None
    ways: list[tuple[Any, Layout]] = [(end, layout_of(tuple(output.shape)))]
    while ways:
        node, layout = ways.pop()
        if node is predicted.grad_fn:
            return layout
        for user, place in users.get(node, ()):
            found = after(layout, user, place)
            if found is not None and not isinstance(found, Mixed):
                ways.append((user, found))
    raise Abstained(_UNCLEAR)
