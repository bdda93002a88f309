"""Which finding of one report is which of another."""

from collections.abc import Callable, Hashable, Sequence

from rnn_doctor.schema.identity import is_placed, place, unplaced
from rnn_doctor.schema.report import Finding

_Mark = Callable[[Finding], Hashable]


def matched(old: Sequence[Finding], new: Sequence[Finding]) -> dict[int, int]:
    """For each new finding that was there before, which one: places in the two sequences, each used once.

    First by fingerprint. What is left is the same if its rule found it on the same subject (the line was edited, or
    the file renamed), and last if its rule found it on the same source line (the layer was renamed). A loss, which is
    named by its line, needs the text of that line in either case: another loss that falls ill is another. So a
    baseline outlives a refactoring, and a rule that finds one subject more has found something new.
    """
    found: dict[int, int] = {}
    for mark in _MARKS:
        free = [number for number in range(len(old)) if number not in found.values()]
        for number, finding in enumerate(new):
            wanted = mark(finding)
            if number in found or wanted is None:
                continue
            same = next((each for each in free if mark(old[each]) == wanted), None)
            if same is not None:
                found[number] = same
                free.remove(same)
    return found


def _fingerprint(finding: Finding) -> Hashable:
    return (finding.rule, finding.fingerprint) if finding.fingerprint else None


def _subject(finding: Finding) -> Hashable:
    if not is_placed(finding.subject):
        return finding.rule, finding.subject
    _, code = place(finding)
    return (finding.rule, unplaced(finding.subject), code) if code else None


def _line(finding: Finding) -> Hashable:
    _, code = where = place(finding)
    return (finding.rule, *where) if code else None


_MARKS: tuple[_Mark, ...] = (_fingerprint, _subject, _line)
