"""Words in which the workshop's part says its forms: how often, and in which tasks."""

from collections.abc import Mapping
from typing import Any

from ..form import Form, Needs, with_optimizer
from ..planting import always
from ..task import WORKSHOP

TEXTS = ("clicks", "tickets")
WINDOWS = ("meters", "demand", "bearings")
LOOPED = ("alarms", "queues", "churn")
"""Tasks with a loop over time by hand."""
MEASURED = (*WINDOWS, *LOOPED)
"""Tasks that are given readings."""
LAYERED = (*TEXTS, *WINDOWS, "invoices", "loglines", "dispatch")
"""Tasks over torch's layers alone."""
YES = ("clicks", "alarms", "churn")
"""Yes or no."""
MANY = ("tickets", "bearings", "invoices", "loglines", "translit", "dispatch")
"""One of several classes."""
FILED = ("clicks", "tickets", "bearings", "churn", "dispatch")
"""Tasks whose samples have a class each."""
CODES = ("clicks", "tickets", "invoices", "loglines", "translit", "dispatch")
"""Tasks that are given tokens."""
ADAPTIVE = with_optimizer("Adam", "AdamW", "RMSprop")
OFTEN, SOMETIMES, SELDOM = 6, 4, 3
"""Rounds of the plan in which a mistake is planted."""


def form(
    name: str,
    planted: Mapping[str, Mapping[str, Any]],
    needs: Needs = always,
    rounds: int = SOMETIMES,
    rules: tuple[str, ...] = (),
    **twin: Any,
) -> Form:
    """One of this part."""
    return Form(name, WORKSHOP, planted, needs, twin, rules, rounds)
