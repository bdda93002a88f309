"""Whether a copy of the process could learn as the script does."""

from __future__ import annotations

import os
from typing import Any, Sequence

import torch

from ..sensing import Sensors
from ..session import Session
from .batch_fit import Clip


def unable(session: Session, sensors: Sensors, stepped: Sequence[Any], backwards: int) -> str | None:
    """Why there can be no copy that learns by these optimizers; None where there can."""
    parameters = [p for o in stepped for group in o.param_groups for p in group["params"]]
    reasons = (
        (not hasattr(os, "fork"), "this system cannot fork a process"),
        (session.world > 1, "several ranks train together"),
        (not stepped, "the script updates its parameters by hand, without an optimizer"),
        (sensors.norms.scaling, "it trains with a GradScaler"),
        (backwards > 1, "an update takes several backward passes"),
        (torch.cuda.is_initialized(), "a process that uses CUDA cannot be forked"),
        (any(p.device.type != "cpu" for p in parameters), "its parameters are not on the CPU"),
        (any(p.is_shared() for p in parameters), "its parameters lie in memory that processes share"),
        (sensors.calls.origins.compiles, "it uses torch.compile"),
    )
    return next((reason for holds, reason in reasons if holds), None)


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
