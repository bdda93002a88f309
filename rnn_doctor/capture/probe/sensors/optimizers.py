"""The optimizers and schedulers: what they are, where they were built, and what they hold."""

from __future__ import annotations

import weakref
from typing import Any

import torch

from ..places import here
from ..writer import Writer

_Origin = tuple[type, str, int, tuple[int, ...]]
"""Kind of an optimizer, the line that built it, and the tensors that it holds."""


class Optimizers:
    """Numbers the optimizers and knows their parameters and rates."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._known: dict[int, tuple[int, weakref.ref[Any]]] = {}
        self._locations: dict[int, tuple[weakref.ref[Any], dict[str, Any] | None]] = {}
        self._held: dict[int, int] = {}
        self._lines: dict[_Origin, tuple[int, weakref.ref[torch.Tensor]]] = {}
        """By origin: the number, and the first of the tensors, whose address may be given away."""
        self._seen: dict[int, weakref.ref[Any]] = {}
        self._count = 0
        self.changed = True
        """An optimizer appeared or its parameters changed since `holders` was last asked."""

    def built(self, optimizer: Any, location: dict[str, Any] | None) -> None:
        """An optimizer was constructed."""
        self._locations[id(optimizer)] = (weakref.ref(optimizer), location)
        self._seen[id(optimizer)] = weakref.ref(optimizer)
        self.changed = True

    def number(self, optimizer: Any, closure: bool = False) -> int:
        """Its number; its description is written the first time, and again when it holds more.

        One that the same line builds anew for the same tensors, as in each epoch, goes on with the number of the last.
        """
        known = self._known.get(id(optimizer))
        groups = optimizer.param_groups
        if known is not None and known[1]() is optimizer and self._held[known[0]] == len(groups):
            return known[0]
        reference, location = self._locations.get(id(optimizer), (None, None))
        if reference is None or reference() is not optimizer:
            location = None
        renewed = self._renewed(optimizer, location)
        if known is not None and known[1]() is optimizer:
            number = known[0]
        elif renewed is not None:
            number = renewed
        else:
            number = self._count
            self._count += 1
        again = renewed == number and self._held.get(number) == len(groups)
        self._known[id(optimizer)] = (number, weakref.ref(optimizer))
        self._seen[id(optimizer)] = weakref.ref(optimizer)
        self._held[number] = len(groups)
        self.changed = True
        if again:
            return number
        if location is not None and parameters(optimizer):
            self._lines[_origin(optimizer, location)] = number, weakref.ref(parameters(optimizer)[0])
        size = sum(len(group["params"]) for group in groups)
        self._writer.write(
            "optimizer", id=number, kind=type(optimizer).__name__, lr=rates(optimizer),
            momentum=float(groups[0].get("momentum") or 0.0) if groups else 0.0,
            weight_decay=[float(g.get("weight_decay") or 0.0) for g in groups], parameters=size, closure=closure,
            decoupled_decay=groups[0].get("decoupled_weight_decay") if groups else None,
            location=location,
        )  # fmt: skip
        return number

    def _renewed(self, optimizer: Any, location: dict[str, Any] | None) -> int | None:
        """The number of the one that this line built before for the same tensors; None where it did not."""
        if location is None:
            return None
        number, first = self._lines.get(_origin(optimizer, location), (None, None))
        return number if first is not None and first() is parameters(optimizer)[0] else None

    def live(self) -> list[Any]:
        """The optimizers that exist, built under our eyes or seen at work."""
        return [optimizer for optimizer in [seen() for seen in self._seen.values()] if optimizer is not None]

    def holders(self) -> dict[int, int]:
        """The number of the optimizer of each parameter, by id(tensor)."""
        self.changed = False
        return {id(p): self.number(o) for o in self.live() for g in o.param_groups for p in g["params"]}

    def scheduler(self, scheduler: Any, optimizer: Any) -> None:
        """A scheduler was constructed."""
        inner = getattr(optimizer, "optimizer", None)
        if isinstance(inner, torch.optim.Optimizer):
            optimizer = inner  # a wrapper, such as Accelerate's, that steps the one it holds
        number = self.number(optimizer) if isinstance(optimizer, torch.optim.Optimizer) else None
        self._writer.write("scheduler", kind=type(scheduler).__name__, optimizer=number, location=here())


def _origin(optimizer: Any, location: dict[str, Any]) -> _Origin:
    return type(optimizer), location["file"], location["line"], tuple(map(id, parameters(optimizer)))


def rates(optimizer: Any) -> list[float]:
    """The learning rate of each parameter group."""
    return [float(group.get("lr", 0.0)) for group in optimizer.param_groups]


def parameters(optimizer: Any) -> list[torch.Tensor]:
    """All tensors that an optimizer holds."""
    return [p for group in optimizer.param_groups for p in group["params"]]


def loss_scale(optimizer: Any) -> float:
    """What its gradients are still multiplied by: GradScaler leaves the division to fused optimizers."""
    scale = getattr(optimizer, "grad_scale", None)
    return float(scale) if scale is not None else 1.0
