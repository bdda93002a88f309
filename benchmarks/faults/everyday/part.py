"""The everyday part."""

from ..part import Part, Range
from .data import TASKS
from .forms import FORMS
from .habits import HABITS

PART = Part(
    TASKS,
    FORMS,
    Range(
        # Most people take Adam.
        ("Adam", "Adam", "AdamW", "SGD", "momentum", "RMSprop"),
        (35, 51, 75),
        (35, 51),
        95,
        HABITS,
        healthy=2,
        rounds=12,
        other_seed=96,
    ),
    "The forms in which a fault is met most often. Made and labelled without a look at any rule.",
)
