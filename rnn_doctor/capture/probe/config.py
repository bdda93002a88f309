"""What the parent asks of the probe, handed over in one environment variable."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

VARIABLE = "RNN_DOCTOR_PROBE"


class Config(NamedTuple):
    """The probe's settings, as the parent gave them."""

    log: str
    """Path of the run log; other processes of the run write beside it."""
    steps: int | None
    """Updates to observe; None for all."""
    time_limit: float
    """Seconds from the first step."""
    tool_version: str
    script: str
    arguments: list[str]
    parent: int
    """Process id of the parent, which the probe must not outlive."""
    validate: bool = False
    """Whether the last epoch is ended early, so that the script's own validation comes within the observation."""
    deep: float = 0.0
    """Seconds that trials in copies of the process may take, for which the script waits; 0 for no trials."""
    trial: dict[str, Any] | None = None
    """Of a run that tries a remedy: the `intervention`, its `values`, and the number of the `repeat`."""


def from_environment() -> Config | None:
    """The settings, or None where this process is not to be observed."""
    text = os.environ.get(VARIABLE)
    return Config(**json.loads(text)) if text else None
