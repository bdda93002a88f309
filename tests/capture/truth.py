"""A call written out step by step in double precision, with its gradients by autograd."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tests.capture.configurations import Call, each
from tests.capture.unrolled import Steps, Unrolled, unrolled

_LONG = 0.75
"""Rows of which the gain by lag is told: those of this share of the longest, as the lag gain documents."""
_COTANGENTS = 2
"""Of single precision, as the module is, where it is."""

Pick = Callable[[Steps], list[torch.Tensor]]


class Loss:
    """A smooth random loss that reads every output and the final states."""

    def __init__(self) -> None:
        self._generator = torch.Generator().manual_seed(1)
        self._pulls: list[torch.Tensor] = []

    def __call__(self, *read: torch.Tensor | None) -> torch.Tensor:
        tensors = [tensor for tensor in read if tensor is not None]
        if not self._pulls:
            self._pulls = [
                torch.randn(t.shape, generator=self._generator, dtype=torch.float64) for t in tensors
            ]
        total = torch.zeros((), dtype=tensors[0].dtype)
        for tensor, pull in zip(tensors, self._pulls, strict=True):
            total = total + (pull.to(tensor.dtype) * (tensor + tensor.sin())).sum()
        return total


class Truth:
    """Values and gradients of all rows; 0 beyond a row's length.

    Rows of unequal lengths are run apart from each other, each over its own steps, so that no mask is needed.
    """

    def __init__(self, call: Call, loss: Loss) -> None:
        self._module = call.module
        self._dtype = call.x.dtype
        self._x = call.x.double().requires_grad_(True)
        self._state = each(call.state, torch.Tensor.double)
        self._parts = [(rows, self._of(rows, length)) for length, rows in _by_length(call.lengths).items()]
        self._places = torch.tensor([row for rows, _ in self._parts for row in rows]).argsort()
        self.output = self._whole(lambda part: part.output)
        """(T, B, D*P)"""
        self.h = torch.cat([part.h for _, part in self._parts], 1)[:, self._places]
        """(L*D, B, P)"""
        cs = [part.c for _, part in self._parts if part.c is not None]
        self.c = torch.cat(cs, 1)[:, self._places] if cs else None
        """(L*D, B, H)"""
        total = loss(self.output, self.h, self.c)
        nodes = [node for _, part in self._parts for side in part.steps for node in (*side.h, *side.c)]
        *found, self.d_x = torch.autograd.grad(total, [*nodes, self._x])
        self.output, self.h = self.output.detach(), self.h.detach()
        self.c = None if self.c is None else self.c.detach()
        self._gradients = {id(node): gradient for node, gradient in zip(nodes, found, strict=True)}

    def gates(self, side: int) -> list[str]:
        """The names of the gates and candidates of one direction."""
        return list(self._parts[0][1].steps[side].gates)

    def values(self, side: int, pick: Pick) -> torch.Tensor:
        """Values of one direction, in the order of time. Shape: (T, B, N)."""
        return self._whole(lambda part: torch.stack(pick(part.steps[side]))).detach()

    def gradients(self, side: int, pick: Pick) -> torch.Tensor:
        """dL by these values, all paths counted. Shape: (T, B, N)."""
        return self._whole(lambda part: torch.stack([self._gradients[id(n)] for n in pick(part.steps[side])]))

    def gains(self, chosen: list[int], lengths: list[int], layer: int | None) -> dict[bool, list[float]]:
        """The gain by lag of each direction, of the module or of one layer alone, given these rows.

        ||d (v, o_T) / d x_(T - lag)|| relative to lag 0, median over rows and random cotangents v.
        """
        kept = [k for k, length in enumerate(lengths) if length >= _LONG * max(lengths)]
        groups = _by_length([lengths[k] for k in kept])
        parts = [
            (own, *self._again([chosen[kept[k]] for k in own], length, layer))
            for length, own in groups.items()
        ]
        sides = len({side.reverse for side in parts[0][2].steps})
        generator = torch.Generator().manual_seed(0)
        found = {}
        for reverse in [False, True][:sides]:
            gains: list[torch.Tensor] = []
            ends = [part.output.chunk(sides, 2)[reverse][0 if reverse else -1] for _, _, part in parts]
            shape = (_COTANGENTS, len(kept), ends[0].shape[1])
            drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
            for cotangents in drawn.to(self._dtype).double():
                for (own, x, _), end in zip(parts, ends, strict=True):
                    (gradient,) = torch.autograd.grad(end, x, cotangents[own], retain_graph=True)
                    gains += (gradient if reverse else gradient.flip(0)).norm(dim=2)[: min(groups)].unbind(1)
            # A row without a gradient at lag 0 has no gain, unless no row has any gradient.
            known = [norms / norms[0] for norms in gains if norms[0] > 0]
            if known or max(float(norms.max()) for norms in gains) == 0:
                found[reverse] = torch.stack(known or gains).median(0).values.tolist()
        return found

    def _of(self, rows: list[int], length: int) -> Unrolled:
        return unrolled(self._module, self._x[:length, rows], each(self._state, lambda s: s[:, rows]))

    def _again(self, rows: list[int], length: int, layer: int | None) -> tuple[torch.Tensor, Unrolled]:
        """Rows of one length with an input of their own, through the whole module or through one layer of it."""
        state: Any = each(self._state, lambda s: s[:, rows])
        if layer is None:
            x = self._x[:length, rows].detach().requires_grad_(True)
            return x, unrolled(self._module, x, state)
        group, part = next((group, part) for group, part in self._parts if rows[0] in group)
        sides = [k for k, side in enumerate(part.steps) if side.layer == layer]
        below = part.steps[sides[0]].x[:, [group.index(row) for row in rows]]
        x = below.detach().requires_grad_(True)
        return x, unrolled(self._module, x, each(state, lambda s: s[sides]), [layer])

    def _whole(self, pick: Callable[[Unrolled], torch.Tensor]) -> torch.Tensor:
        """What the parts hold, side by side in the order of the batch."""
        values = [pick(part) for _, part in self._parts]
        padded = [nn.functional.pad(value, (0, 0, 0, 0, 0, len(self._x) - len(value))) for value in values]
        return torch.cat(padded, 1)[:, self._places]


def _by_length(lengths: list[int]) -> dict[int, list[int]]:
    """Places in the list, by length."""
    found: dict[int, list[int]] = {}
    for place, length in enumerate(lengths):
        found.setdefault(length, []).append(place)
    return found
