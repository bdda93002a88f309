"""The studies' part."""

from ..part import Part, Range
from .data import TASKS
from .forms import FORMS
from .habits import HABITS

PART = Part(
    TASKS,
    FORMS,
    Range(
        # Most published scripts take Adam.
        ("Adam", "Adam", "AdamW", "RMSprop", "momentum", "SGD", "Adamax"),
        (19, 31, 45),
        (23, 37),
        83,
        HABITS,
        healthy=6,
        rounds=6,
        other_seed=84,
    ),
    "After what published studies of faults in deep learning describe, in the manner of research code. Made and "
    "labelled without a look at any rule.",
)
