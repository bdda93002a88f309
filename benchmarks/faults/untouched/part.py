"""The untouched part."""

from ..part import Part, Range
from .data import TASKS
from .forms import FORMS
from .habits import HABITS

PART = Part(
    TASKS,
    FORMS,
    Range(
        # Most people take Adam.
        ("Adam", "Adam", "AdamW", "RMSprop", "momentum", "SGD", "Adadelta"),
        (22, 38, 90),
        (36, 52),
        47,
        HABITS,
        healthy=4,
        rounds=5,
        other_seed=48,
    ),
    "Made and labelled without a look at any rule, by one who had mended none.",
)
