"""The reported part."""

from ..part import Part, Range
from .data import TASKS
from .forms import FORMS
from .habits import HABITS

PART = Part(
    TASKS,
    FORMS,
    Range(
        # Most people take Adam.
        ("Adam", "Adam", "AdamW", "RMSprop", "momentum", "SGD"),
        (21, 42, 66),
        (33, 54),
        61,
        HABITS,
        healthy=6,
        rounds=6,
        other_seed=62,
    ),
    "Its mistakes are those that people reported in public. Made and labelled without a look at any rule.",
)
