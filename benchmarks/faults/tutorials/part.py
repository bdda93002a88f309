"""The tutorials' part."""

from ..part import Part, Range
from .data import TASKS
from .forms import FORMS
from .habits import HABITS

PART = Part(
    TASKS,
    FORMS,
    Range(
        # Most tutorials take Adam.
        ("Adam", "Adam", "AdamW", "RMSprop", "momentum", "SGD", "NAdam"),
        (17, 29, 47),
        (25, 39),
        71,
        HABITS,
        healthy=6,
        rounds=6,
        other_seed=72,
    ),
    "In the manner of public tutorials and courses. Made and labelled without a look at any rule.",
)
