"""The exit codes, one meaning each."""

from collections.abc import Iterable

OK = 0
FINDINGS = 1
USAGE = 2
SCRIPT = 3
INTERRUPTED = 130

_RISING = (OK, FINDINGS, SCRIPT, USAGE)
_SEVERITIES = ("error", "warning", "note")


def of_findings(severities: Iterable[str], fail_on: str) -> int:
    """1 when one of the severities is `fail_on` or worse, else 0; always 0 for `never`."""
    if fail_on == "never":
        return OK
    limit = _SEVERITIES.index(fail_on)
    return FINDINGS if any(_SEVERITIES.index(severity) <= limit for severity in severities) else OK


def worst(codes: Iterable[int]) -> int:
    """The code of several reports: what could not be read or judged comes before findings."""
    return max(codes, key=_RISING.index)
