"""What rules and baselines say of the recorded trainings, up to each of their evaluations."""

from pathlib import Path
from typing import Any

from .trainings import Training


def page(recorded: list[tuple[Training, list[float], Path]]) -> str:
    return ""
