"""Words in which the courses' part says its forms: how often they are met, and where."""

from collections.abc import Mapping
from typing import Any

from ..form import Form, Needs, with_optimizer
from ..planting import COMMON, always
from ..task import COURSES

MOSTLY, OFTEN, SOMETIMES, SELDOM = 7, 4, 3, 2
"""Rounds of the plan in which a form is planted: the usual one of a fault in most."""
ADAPTIVE = with_optimizer("Adam", "AdamW", "RMSprop")
SCRATCH = ("majority", "echoes")
"""Tasks over a cell from scratch."""
UNROLLED = (*SCRATCH, "pendulum")
"""Tasks with a loop over time by hand."""
BOTH_WAYS = ("casino",)
"""Tasks over a recurrence in both directions."""
PLAIN_LAYERS = ("sunspots", "vowels", "charnames")
"""Tasks over torch's layers, with batches as they come."""
MEASURED = ("sunspots", "vowels", "pendulum")
"""Tasks that are given numbers of any size."""
TOKENS = ("reber", "casino", "charnames", "piglatin", "morse", "headlines")
FILED = ("majority", "echoes", "vowels", "morse", "headlines")
"""Tasks whose samples have a class each, which a file may be sorted by."""


def form(
    name: str,
    planted: Mapping[str, Mapping[str, Any]],
    needs: Needs = always,
    rounds: int = OFTEN,
    rules: tuple[str, ...] = (),
    **twin: Any,
) -> Form:
    """One of this part, from no list but a teacher's."""
    return Form(name, COURSES, planted, needs, twin, rules, rounds, COMMON)
