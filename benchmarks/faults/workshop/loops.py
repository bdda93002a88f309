"""How the workshop's part trains: the script of the task does."""

from ..parts_common.scripts import trainer
from .running import Run

train = trainer(Run)
