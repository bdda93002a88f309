"""Words in which the everyday part says its forms: how often they are met, and where."""

from collections.abc import Mapping
from typing import Any

from ..form import Form, Needs, with_optimizer
from ..planting import COMMON, always
from ..task import EVERYDAY

MOSTLY, OFTEN, SOMETIMES, SELDOM = 7, 4, 3, 2
"""Rounds of the plan in which a form is planted: the usual one of a fault in most."""
ADAPTIVE = with_optimizer("Adam", "AdamW", "RMSprop")
FILED = ("complaints", "drivers", "markers", "tongues")
"""Tasks whose samples have a class each, which a file may be sorted by."""
LOOPED = ("battery", "markers", "sorting", "cipher")
"""Tasks with a loop over time by hand."""


def form(
    name: str,
    planted: Mapping[str, Mapping[str, Any]],
    needs: Needs = always,
    rounds: int = OFTEN,
    rules: tuple[str, ...] = (),
    **twin: Any,
) -> Form:
    """One of this part. All are in every list of such mistakes."""
    return Form(name, EVERYDAY, planted, needs, twin, rules, rounds, COMMON)
