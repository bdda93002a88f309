"""The unseen part."""

from ..part import Part, Range
from .data import TASKS
from .forms import FORMS
from .habits import HABITS

PART = Part(
    TASKS,
    FORMS,
    Range(
        ("Adam", "AdamW", "Adamax", "RMSprop", "momentum", "SGD"),
        (14, 34, 70),
        (26, 50),
        31,
        HABITS,
        healthy=7,
        rounds=5,
    ),
    "Made and labelled without a look at any rule, after the sealed part's misses had become known.",
)
