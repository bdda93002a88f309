"""Every trainable tensor: its name, its initial value, and at sampled steps its norms and how far it moved."""

from __future__ import annotations

import math
import weakref
from types import MappingProxyType
from typing import Any, Iterable, Mapping, NamedTuple, Sequence, Tuple

import torch
from torch import nn

from ..graph import Leaves
from ..naming import Naming
from ..pieces import piece
from ..writer import Writer
from .norms import BY_HAND, norms, sizes
from .optimizers import Held

_CANCELLED = 1e-3
"""Share of the mean square below which a variance by subtraction has lost its digits: those of a constant."""
_RECURRENT = (nn.RNNBase, nn.modules.rnn.RNNCellBase)


_PART = 4096
"""Numbers of each tensor that tell whether the script shrinks it between two updates."""


class _Tracked(NamedTuple):
    id: int
    tensor: weakref.ref[torch.Tensor]
    initial: torch.Tensor


_Row = Tuple[_Tracked, torch.Tensor, torch.Tensor]
"""A parameter, its tensor, and what it held before the update."""


class Parameters:
    """Knows the parameters by number, and compares them with what they were."""

    def __init__(self, writer: Writer, naming: Naming) -> None:
        self._writer = writer
        self._naming = naming
        self._tracked: dict[int, _Tracked] = {}
        self._count = 0
        self._new: set[int] = set()
        """Those taken in during the update that is under way: what they held before it is their initial value."""
        self._written: dict[int, dict[str, Any]] = {}
        self._before: dict[int, torch.Tensor] = {}
        self._gradients: dict[int, float | None] = {}
        self.stale: dict[int, float] = {}
        """By optimizer: 2-norm of what its gradients held when the step's first backward pass began."""
        self.pulls: dict[int, float] = {}
        """By id(tensor): what terms of this step's losses pull at it that read the weights alone (penalties.py)."""
        self._left: dict[int, torch.Tensor] = {}

    def track(
        self,
        tensors: Iterable[torch.Tensor],
        holders: dict[int, Held],
        leaves: Leaves | None,
        module_ids: dict[int, int],
    ) -> None:
        """Takes in tensors not known yet, with their values as initial, and writes what is new about them.

        holders: optimizer by id(tensor); leaves: those of the loss, where its graph was walked; module_ids: by
        id(module).
        """
        live = list(tensors)
        new = [t for t in live if self._of(t) is None]
        if new:
            self._naming.refresh(live)
            self._tracked = {key: k for key, k in self._tracked.items() if k.tensor() is not None}
        for tensor in new:
            tracked = _Tracked(self._count, weakref.ref(tensor), tensor.detach().clone())
            self._tracked[id(tensor)] = tracked
            self._new.add(self._count)
            self._count += 1
        used = None if leaves is None else {id(t) for t in leaves.used}
        weightless = set() if leaves is None else {id(t) for t in leaves.weightless}
        for tensor in live:
            self._describe(tensor, holders, used, weightless, module_ids)

    def idle(self, tensor: torch.Tensor) -> bool:
        """Whether no loss whose graph was walked depends on it, and it is as it was."""
        tracked = self._of(tensor)
        if tracked is None or self._written[tracked.id]["used"] is not False:
            return False
        return torch.equal(piece(tensor.detach()), piece(tracked.initial))

    def _of(self, tensor: torch.Tensor) -> _Tracked | None:
        tracked = self._tracked.get(id(tensor))
        return tracked if tracked is not None and tracked.tensor() is tensor else None

    def _describe(
        self,
        tensor: torch.Tensor,
        holders: dict[int, Held],
        used: set[int] | None,
        weightless: set[int],
        module_ids: dict[int, int],
    ) -> None:
        tracked = self._of(tensor)
        assert tracked is not None
        known = self._written.get(tracked.id)
        name, owner, _ = self._naming.of_parameter(tensor)
        initial, held = tracked.initial, holders.get(id(tensor))
        fields: dict[str, Any] = {
            "id": tracked.id,
            "name": known["name"] if known else name,
            "shape": list(tensor.shape),
            "owner": type(owner).__name__ if owner is not None else None,
            "module": module_ids.get(id(owner)) if isinstance(owner, _RECURRENT) else None,
            "trainable": tensor.requires_grad,
            "optimizer": held.optimizer if held is not None else None,
            "group": held.group if held is not None else None,
        }
        seen_used = used is not None and id(tensor) in used
        fields["used"] = True if seen_used or (known and known["used"]) else (None if used is None else False)
        shut = id(tensor) in weightless or bool(known and known["weightless"])
        fields["weightless"] = shut and not fields["used"]
        if known is None:
            fields["mean"], fields["std"] = _moments(initial)
        else:
            fields["mean"], fields["std"] = known["mean"], known["std"]
        if fields != known:
            self._written[tracked.id] = fields
            self._writer.write("parameter", **fields)

    def _live(self) -> list[tuple[_Tracked, torch.Tensor]]:
        found = []
        for tracked in self._tracked.values():
            tensor = tracked.tensor()
            if tensor is not None and tensor.shape == tracked.initial.shape and tensor.is_floating_point():
                found.append((tracked, tensor))
        return found

    def tensors(self) -> list[torch.Tensor]:
        """The trainable ones that still exist."""
        return [tensor for _, tensor in self._live() if tensor.requires_grad]

    def before_update(
        self,
        only: set[int] | None = None,
        scale: float = 1.0,
        measured: Mapping[int, tuple[torch.Tensor, float]] = MappingProxyType({}),
    ) -> None:
        """Remembers values and gradient norms over `scale`; `only` (id(tensor)) renews the gradients of some.

        measured: gradients whose norms are known already, with these, by id(gradient).
        """
        live = [(k, t) for k, t in self._live() if only is None or id(t) in only]
        for tracked, tensor in live:
            if tracked.id not in self._before:
                is_new = tracked.id in self._new
                self._before[tracked.id] = tracked.initial if is_new else tensor.detach().clone()
        gradients = {k.id: t.grad for k, t in live if t.grad is not None}
        rest = [gradient for gradient in gradients.values() if id(gradient) not in measured]
        found = {
            **{key: size for key, (_, size) in measured.items()},
            **dict(zip(map(id, rest), sizes(rest))),
        }
        self._gradients.update((number, found[id(g)] / scale) for number, g in gradients.items())

    def leave(self) -> None:
        """An update is over, the next is sampled: remembers sizes, to see what changes the weights in between."""
        held = [(k.id, piece(t, _PART)) for k, t in self._live() if t.requires_grad]
        self._left = dict(zip([number for number, _ in held], norms([part for _, part in held])))

    def _left_norms(self, rows: Sequence[_Row], weights: Sequence[float]) -> list[float | None] | None:
        """The norms of `weights` as the update before left them, by how a part of each has changed since."""
        if not self._left:
            return None
        now = sizes([piece(old, _PART) for _, _, old in rows])
        before = [self._left.get(k.id) for k, _, _ in rows]
        return [
            None if then is None or not size else weight * (float(then) / size)
            for weight, then, size in zip(weights, before, now)
        ]

    def after_update(self, step: int, optimizers: list[int]) -> None:
        """Writes the sample of this step, if `before_update` was called for it."""
        rows = [(k, t, self._before[k.id]) for k, t in self._live() if k.id in self._before]
        left = [self.stale[number] for number in optimizers or [BY_HAND] if number in self.stale]
        if rows:
            weights = sizes([old for _, _, old in rows])
            left_norms = self._left_norms(rows, weights)
            updates, moved = zip(*map(_moved, rows))
            self._writer.write(
                "sample",
                step=step,
                parameters=[k.id for k, _, _ in rows],
                grad_norm=[self._gradients.get(k.id) for k, _, _ in rows],
                weight_norm=weights,
                update_norm=updates,
                displacement=moved,
                stale_norm=math.sqrt(sum(stale * stale for stale in left)) if left else None,
                left_norm=left_norms,
                penalty_pull=[self.pulls.get(id(t), 0.0) for _, t, _ in rows] if self.pulls else None,
            )
        self.pulls.clear()
        self._new.clear()
        self._left = {}
        self._before.clear()
        self._gradients.clear()
        self.stale = {}


def _moments(values: torch.Tensor) -> tuple[float | None, float | None]:
    """Mean and standard deviation; from the norm, since torch's std takes ten times as long."""
    count = values.numel()
    if not count:
        return None, None
    mean = float(values.float().mean())
    square = float(norms([values])[0]) ** 2 / count
    if square - mean * mean < _CANCELLED * square:
        return mean, float(values.double().std(unbiased=False))
    return mean, math.sqrt(square - mean * mean)


def _moved(row: _Row) -> tuple[float, float]:
    """How far a parameter lies from what it was before the update, and from its initial value."""
    tracked, tensor, old = row
    now = tensor.detach()
    if old is tracked.initial:
        size = _size(now - old)
        return size, size
    # The snapshot serves as scratch: allocating anew costs as much as the arithmetic.
    return _size(old.sub_(now)), _size(torch.sub(now, tracked.initial, out=old))


def _size(difference: torch.Tensor) -> float:
    """2-norm; exactly 0 only where all is 0."""
    size = float(norms([difference])[0])
    if size == 0.0 and bool(difference.any()):
        return torch.finfo(torch.float32).tiny  # values whose squares underflow
    return size
