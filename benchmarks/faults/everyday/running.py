"""What a script of the everyday part is given."""

from dataclasses import dataclass

from ..parts_common.running import FileRun

SAMPLES = 1600
"""Of the training set, unless the setting has another number."""


@dataclass(frozen=True)
class Run(FileRun):
    """One training."""

    seeds = (8300, 17, 97)

    @property
    def samples(self) -> int:
        """All that the file has."""
        return SAMPLES
