"""What of a finding stays the same when its source line moves."""

import re

from rnn_doctor.schema.comments import bare
from rnn_doctor.schema.report import Finding

_PLACE = re.compile(r"( at .+):\d+(?: #\d+)?$")
"""Losses are named by their source line: `cross_entropy at train.py:106`."""


def settled(subject: str) -> str:
    """The name of a subject without the number of the line that it may hold."""
    return _PLACE.sub(r"\1", subject)


def is_placed(subject: str) -> bool:
    """Whether a subject is told from others of its kind by its source line alone."""
    return _PLACE.search(subject) is not None


def unplaced(subject: str) -> str:
    """The name of a subject without the source line that it may hold."""
    return _PLACE.sub("", subject)


def place(finding: Finding) -> tuple[str, str]:
    """The file of its source line, and the code of that line without layout and comment; empty where not known."""
    at = finding.location
    return (at.file, bare(at.code or "")) if at else ("", "")
