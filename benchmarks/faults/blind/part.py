"""The blind part."""

from ..part import Part, Range
from .data import TASKS
from .forms import FORMS
from .habits import HABITS

PART = Part(
    TASKS,
    FORMS,
    Range(("Adam", "SGD", "AdamW", "nesterov", "NAdam", "RMSprop"), (12, 28, 56), (20, 40), 7, HABITS, 3),
    "Tasks, networks, loops, forms that no rule was written with; five were mended after a first look.",
)
