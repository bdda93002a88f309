"""What a finding is recognized by in another report on the same script, after its line has moved."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence

from rnn_doctor.schema.identity import place, settled
from rnn_doctor.schema.report import Finding

_DIGITS = 16


def fingerprinted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings, each with a fingerprint that no other of them has.

    It is made of the rule, the subject, the file and the text of the source line as it stood when it ran, but not of
    the line's number, its layout or its comment. Of equals the first in the source is the first here.
    """
    marks = [_marks(finding) for finding in findings]
    order = sorted(range(len(findings)), key=lambda number: _line(findings[number]))
    seen: Counter[tuple[str, ...]] = Counter()
    prints: dict[int, str] = {}
    for number in order:
        prints[number] = _digest((*marks[number], str(seen[marks[number]])))
        seen[marks[number]] += 1
    return tuple(f.model_copy(update={"fingerprint": prints[n]}) for n, f in enumerate(findings))


def _marks(finding: Finding) -> tuple[str, ...]:
    return finding.rule, settled(finding.subject), *place(finding)


def _line(finding: Finding) -> int:
    return finding.location.line if finding.location else 0


def _digest(parts: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_DIGITS]
