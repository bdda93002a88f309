"""Copies of the process that learn: whether there can be one, and what it tells."""

from __future__ import annotations

import os
from typing import Any, Callable, Sequence

import torch

from ..sensing import Sensors
from ..sensors.optimizers import parameters
from ..session import Session
from .batch_fit import Clip
from .forking import in_copy


def unable(session: Session, sensors: Sensors, stepped: Sequence[Any], backwards: int) -> str | None:
    """Why there can be no copy that learns by these optimizers; None where there can."""
    held = [p for optimizer in stepped for p in parameters(optimizer)]
    reasons = (
        (not hasattr(os, "fork"), "this system cannot fork a process"),
        (session.world > 1, "several ranks train together"),
        (not stepped, "the script updates its parameters by hand, without an optimizer"),
        (sensors.norms.scaling, "it trains with a GradScaler"),
        (backwards > 1, "an update takes several backward passes"),
        (torch.cuda.is_initialized(), "a process that uses CUDA cannot be forked"),
        (any(p.device.type != "cpu" for p in held), "its parameters are not on the CPU"),
        (any(p.is_shared() for p in held), "its parameters lie in memory that processes share"),
        (sensors.calls.origins.compiles, "it uses torch.compile"),
    )
    return next((reason for holds, reason in reasons if holds), None)


def told_by_copy(session: Session, function: Callable[[], dict[str, Any]], seconds: float) -> dict[str, Any]:
    """What the function returns in a copy of the process, which nothing observes.

    Raises: NoAnswer: it took longer than `seconds`, raised, or died.
    """

    def answer() -> dict[str, Any]:
        session.active = False  # of the copy
        return function()

    session.copying = True
    try:
        return in_copy(answer, seconds)
    finally:
        session.copying = False


def clip_of(fields: dict[str, Any]) -> Clip | None:
    """How the gradient of an update was clipped, by a call or by hand; None where it was not.

    fields: the norms of its record.
    """
    limit, before, after = (fields.get(key) for key in ("clip_limit", "grad_norm", "clipped_norm"))
    if limit is None:  # by hand: what is known is where it ended
        return None if after is None or before is None or after >= before else Clip(float(after), False)
    if after is None or before is None:
        return Clip(float(limit), False)
    return Clip(float(limit), abs(after / limit - 1) > 0.01)
