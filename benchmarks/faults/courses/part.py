"""The courses' part."""

from ..part import Part, Range
from .data import TASKS
from .forms import FORMS
from .habits import HABITS

PART = Part(
    TASKS,
    FORMS,
    Range(
        # Most assignments say Adam, the others SGD.
        ("Adam", "Adam", "SGD", "momentum", "AdamW", "RMSprop"),
        (27, 43, 62),
        (27, 43),
        105,
        HABITS,
        healthy=2,
        rounds=12,
        other_seed=106,
    ),
    "What is handed in for courses, and small projects after them. Made and labelled without a look at any rule.",
)
