"""JSON reports on the sample logs, made once for all tests that only read them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from rnn_doctor import pipeline
from rnn_doctor.render import FORMATS
from rnn_doctor.schema import reading
from rnn_doctor.settings import Settings
from tests.generated import ROOT


def log(name: str) -> Path:
    return ROOT / "sample_logs" / f"{name}.jsonl"


@cache
def text(name: str) -> str:
    """What `diagnose -f json` says of a sample log with the settings as they come."""
    return FORMATS["json"](pipeline.examine(reading.read(log(name)), Settings()))


def data(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(text(name))
    return parsed
