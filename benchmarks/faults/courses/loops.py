"""How the courses' part trains: the script of the task's kind does."""

from ..parts_common.scripts import trainer
from .running import Run

train = trainer(Run)
