"""The workshop's part."""

from ..part import Part, Range
from .data import TASKS
from .forms import FORMS
from .habits import HABITS

PART = Part(
    TASKS,
    FORMS,
    Range(
        ("AdamW", "Adam", "momentum", "SGD", "RMSprop"),
        (15, 46, 53),
        (41,),
        117,
        HABITS,
        healthy=2,
        rounds=12,
        other_seed=118,
    ),
    "As it is met in companies. Made and labelled without a look at any rule.",
)
