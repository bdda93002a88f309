"""What a script of the courses' part is given."""

from dataclasses import dataclass

from ..parts_common.running import FileRun

SAMPLES = 1440
"""Of the training set, unless the setting has another number."""


@dataclass(frozen=True)
class Run(FileRun):
    """One training."""

    seeds = (6100, 19, 89)

    @property
    def samples(self) -> int:
        """All that was handed out with the assignment."""
        return SAMPLES
