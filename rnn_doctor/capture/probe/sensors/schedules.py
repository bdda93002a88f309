"""What a learning-rate scheduler tells of its own plan."""

from __future__ import annotations

import functools
from typing import Any

from .rules_of_rates import rise, rises_until


def warm_up(scheduler: Any) -> int | None:
    """Calls of its step() until it has raised the rate as far as it will; None where it does not tell, or never rises.

    Torch's own keep the number; the warm-ups that are made for LambdaLR of a function and its settings name it, and
    other functions are asked where that has no effect.
    """
    try:
        return _planned(scheduler)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):  # another's, by the same name
        return None


def leads_to(scheduler: Any) -> float | None:
    """The rate that such a warm-up ends at, the largest of the parameter groups'; None where it does not tell."""
    try:
        return None if _planned(scheduler) is None else _end(scheduler)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return None


def decay(scheduler: Any) -> float | None:
    """The factor by which it lowers the rate at even intervals, without end; None of other schedules."""
    if type(scheduler).__name__ not in ("StepLR", "ExponentialLR"):
        return None
    try:
        factor = float(scheduler.gamma)
    except (AttributeError, TypeError, ValueError):
        return None
    return factor if 0 < factor < 1 else None


def _end(scheduler: Any) -> float | None:
    kind = type(scheduler).__name__
    if kind == "LinearLR":
        return float(max(scheduler.base_lrs) * scheduler.end_factor)
    if kind == "ConstantLR":
        return float(max(scheduler.base_lrs))
    if kind == "CyclicLR":
        return float(max(scheduler.max_lrs))
    if kind == "OneCycleLR":
        return float(max(group["max_lr"] for group in scheduler.optimizer.param_groups))
    if kind == "LambdaLR":
        rises = [rise(rule) for rule in scheduler.lr_lambdas]
        ends = [base * to[1] for base, to in zip(scheduler.base_lrs, rises) if to is not None]
        return float(max(ends)) if len(ends) == len(rises) else None
    return None


def _planned(scheduler: Any) -> int | None:
    kind = type(scheduler).__name__
    if kind == "LinearLR":
        return _count(scheduler.total_iters) if scheduler.start_factor < scheduler.end_factor else None
    if kind == "ConstantLR":
        return _count(scheduler.total_iters) if scheduler.factor < 1 else None
    if kind == "CyclicLR":
        return _count(scheduler.total_size * scheduler.step_ratio)
    if kind == "OneCycleLR":
        return _count(scheduler._schedule_phases[0]["end_step"])
    if kind == "LambdaLR":
        settings = [rule.keywords for rule in scheduler.lr_lambdas if isinstance(rule, functools.partial)]
        counts = [each["num_warmup_steps"] for each in settings if each.get("num_warmup_steps")]
        if not counts:
            counts = [until for rule in scheduler.lr_lambdas if (until := rises_until(rule)) is not None]
        return _count(max(counts)) if counts else None
    return None


def _count(number: Any) -> int | None:
    count = round(float(number))
    return count if count > 0 else None
