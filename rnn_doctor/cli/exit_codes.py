"""The exit codes, one meaning each."""

from collections.abc import Iterable

OK = 0
FINDINGS = 1
USAGE = 2
SCRIPT = 3
INTERRUPTED = 130

_RISING = (OK, FINDINGS, SCRIPT, USAGE)


def worst(codes: Iterable[int]) -> int:
    """The code of several reports: what could not be read or judged comes before findings."""
    return max(codes, key=_RISING.index)
