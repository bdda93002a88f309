"""The optimizers and schedulers: what they are, where they were built, and what they hold."""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple

import torch

from ..places import here
from ..writer import Writer
from .schedules import decay, leads_to, warm_up


class Held(NamedTuple):
    """Who updates a parameter."""

    optimizer: int
    group: int | None
    """Its group of parameters; None where there is one alone."""


class Optimizers:
    """Numbers the optimizers and knows their parameters and rates."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._known: dict[int, tuple[int, weakref.ref[Any]]] = {}
        self._locations: dict[int, tuple[weakref.ref[Any], dict[str, Any] | None]] = {}
        self._held: dict[int, int] = {}
        self._seen: dict[int, weakref.ref[Any]] = {}
        self._count = 0
        self.changed = True
        """An optimizer appeared or its parameters changed since `holders` was last asked."""
        self.stepped: set[int] = set()
        """Those whose settings at their first step are known."""
        self._decays: dict[int, list[float]] = {}

    def built(self, optimizer: Any, location: dict[str, Any] | None) -> None:
        """An optimizer was constructed."""
        self._locations[id(optimizer)] = (weakref.ref(optimizer), location)
        self._seen[id(optimizer)] = weakref.ref(optimizer)
        self.changed = True

    def number(self, optimizer: Any, closure: bool = False) -> int:
        """Its number; its description is written the first time, and again when it holds more."""
        known = self._known.get(id(optimizer))
        groups = optimizer.param_groups
        if known is not None and known[1]() is optimizer and self._held[known[0]] == len(groups):
            return known[0]
        if known is not None and known[1]() is optimizer:
            number = known[0]
        else:
            number = self._count
            self._count += 1
        self._known[id(optimizer)] = (number, weakref.ref(optimizer))
        self._seen[id(optimizer)] = weakref.ref(optimizer)
        self._held[number] = len(groups)
        self.changed = True
        self._describe(number, optimizer, closure)
        return number

    def steps_first(self, number: int, optimizer: Any, closure: bool) -> None:
        """It is about to step for the first time: what the script, or a trial, has set since it was built counts."""
        self.stepped.add(number)
        if self._decays[number] != _decays(optimizer):
            self._describe(number, optimizer, closure)

    def _describe(self, number: int, optimizer: Any, closure: bool) -> None:
        groups = optimizer.param_groups
        self._decays[number] = _decays(optimizer)
        reference, location = self._locations.get(id(optimizer), (None, None))
        size = sum(len(group["params"]) for group in groups)
        self._writer.write(
            "optimizer", id=number, kind=type(optimizer).__name__, lr=rates(optimizer),
            momentum=float(groups[0].get("momentum") or 0.0) if groups else 0.0,
            beta2=_second(groups[0].get("betas")) if groups else None,
            weight_decay=self._decays[number], parameters=size, closure=closure,
            decoupled_decay=groups[0].get("decoupled_weight_decay") if groups else None,
            maximize=True if groups and all(group.get("maximize") for group in groups) else None,
            location=location if reference is not None and reference() is optimizer else None,
        )  # fmt: skip

    def live(self) -> list[Any]:
        """The optimizers that exist, built under our eyes or seen at work."""
        return [optimizer for seen in self._seen.values() if (optimizer := seen()) is not None]

    def holders(self) -> dict[int, Held]:
        """The optimizer of each parameter and its group there, by id(tensor)."""
        self.changed = False
        return {
            id(p): Held(self.number(o), k if len(o.param_groups) > 1 else None)
            for o in self.live()
            for k, group in enumerate(o.param_groups)
            for p in group["params"]
        }

    def of_scheduler(self, optimizer: Any) -> int | None:
        """The number of what a scheduler was given; None where that is no optimizer of torch's."""
        inner = getattr(optimizer, "optimizer", None)
        if isinstance(inner, torch.optim.Optimizer):
            optimizer = inner  # a wrapper, such as Accelerate's, that steps the one it holds
        return self.number(optimizer) if isinstance(optimizer, torch.optim.Optimizer) else None

    def scheduler(self, scheduler: Any, optimizer: Any) -> None:
        """A scheduler was constructed."""
        self._writer.write(
            "scheduler",
            kind=type(scheduler).__name__,
            optimizer=self.of_scheduler(optimizer),
            warm_up=warm_up(scheduler),
            warm_up_rate=leads_to(scheduler),
            decay=decay(scheduler),
            location=here(),
        )


def _second(betas: Any) -> float | None:
    return float(betas[1]) if isinstance(betas, (tuple, list)) and len(betas) > 1 else None


def _decays(optimizer: Any) -> list[float]:
    return [float(group.get("weight_decay") or 0.0) for group in optimizer.param_groups]


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
