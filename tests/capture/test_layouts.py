"""Axes followed through views, against the numbers themselves."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_doctor.capture.probe.sensors.layouts import FIRST, OTHER, SECOND, Mixed, after, layout_of

_SIZES = st.integers(1, 12)


@st.composite
def views(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A shape of three axes, and one of up to four with as many numbers."""
    shape = draw(_SIZES), draw(_SIZES), draw(st.integers(1, 4))
    left, viewed = math.prod(shape), []
    for _ in range(draw(st.integers(0, 3))):
        viewed.append(draw(st.sampled_from([d for d in range(1, left + 1) if left % d == 0])))
        left //= viewed[-1]
    return shape, (*viewed, left)


def indices(shape: tuple[int, ...]) -> list[torch.Tensor]:
    """Of each number: where it stands along each axis."""
    return list(torch.meshgrid([torch.arange(n) for n in shape], indexing="ij"))


def varies(index: torch.Tensor, axis: int) -> bool:
    """Whether the index changes along the axis."""
    return bool((index.amax(axis) != index.amin(axis)).any())


@settings(max_examples=300, deadline=None)
@given(views())
def test_views(pair: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    shape, viewed = pair
    x = torch.zeros(shape, requires_grad=True) * 1
    node: Any = x.view(viewed).grad_fn
    found = after(layout_of(shape), node, 0)
    where = [index.reshape(viewed) for index in indices(shape)]
    if isinstance(found, Mixed) and found.within:
        # What is named as the last axis was, a single row of it holds several of.
        assert (found.shape, found.viewed, viewed) == (shape, viewed, (shape[0], shape[2], shape[1]))
        assert varies(where[OTHER], 0) or varies(where[OTHER], 2)
    elif isinstance(found, Mixed):
        assert (found.shape, found.viewed) == (shape, viewed)
        assert min(shape[:2]) > 1
        # There is an axis as long as the second one whose single rows hold several of its samples.
        rows = [axis for axis, size in enumerate(viewed) if size == shape[1]]
        others = [[k for k in range(len(viewed)) if k != axis] for axis in rows]
        assert any(bool((where[1].amax(o) != where[1].amin(o)).any()) for o in others)
    elif found is not None:
        assert max(shape[:2]) > 1
        for axis, atoms in enumerate(found):
            for kind in (FIRST, SECOND, OTHER):
                assert varies(where[kind], axis) == any(atom.kind == kind for atom in atoms)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 9), st.integers(2, 9), st.integers(1, 4))
def test_the_fault_is_found_for_all_sizes_that_differ(count: int, rows: int, width: int) -> None:
    h = torch.zeros(count, rows, width, requires_grad=True) * 1
    layout = layout_of((count, rows, width))
    for viewed in ((rows, count * width), (1, rows, count * width), (rows, count, width)):
        node: Any = h.view(viewed).grad_fn
        assert isinstance(after(layout, node, 0), Mixed) == (count != rows)
    moved: Any = h.transpose(0, 1).grad_fn
    behind = after(layout, moved, 0)
    assert isinstance(behind, list)
    node = h.transpose(0, 1).reshape(rows, -1).grad_fn
    assert not isinstance(after(behind, node, 0), Mixed)


@pytest.mark.parametrize(
    ("rows", "steps", "classes", "found"),
    [(4, 12, 5, True), (4, 5, 12, True), (4, 5, 5, False), (4, 10, 5, False)],
)
def test_steps_and_classes_that_are_exchanged(rows: int, steps: int, classes: int, found: bool) -> None:
    """Not where they are as many, and not where each row may as well hold some steps whole: 2 of 10."""
    x = torch.zeros(rows, steps, classes, requires_grad=True) * 1
    node: Any = x.view(rows, classes, steps).grad_fn
    mixed = Mixed((rows, steps, classes), (rows, classes, steps), within=True)
    assert (after(layout_of((rows, steps, classes)), node, 0) == mixed) is found
    moved = x.transpose(1, 2)
    node = moved.contiguous().view(rows, classes, steps).grad_fn
    moved_layout: Any = after(layout_of((rows, steps, classes)), moved.grad_fn, 0)
    assert not isinstance(after(moved_layout, node, 0), Mixed)
