"""`# rnn-doctor: ignore[RD303] reason` on the source line that a finding points to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from rnn_doctor.diagnose.select import specificity
from rnn_doctor.errors import did_you_mean
from rnn_doctor.schema.comments import bare, comments, split
from rnn_doctor.schema.report import (
    Conditions,
    ConditionVerdict,
    Diagnosis,
    Finding,
    Remark,
    Suppressed,
)
from rnn_doctor.schema.rulebook import Rulebook
from rnn_doctor.schema.runlog import RunLog
from rnn_doctor.schema.signals import Signals
from rnn_doctor.schema.values import Location

_COMMENT = re.compile(
    r"#\s*rnn-doctor\s*:\s*(?P<word>[\w-]*)\s*(?:\[(?P<codes>[^\]#]*)\])?(?P<reason>(?:(?!\s#).)*)"
)
_WORD = "ignore"
_FORM = f"write `# rnn-doctor: {_WORD}[RD303] reason`"
_MOST_CODES = 50
_MOST_REMARKS = 100
"""No file that was written by hand has as many; what is made up to be slow must not be."""
_RECORDED = 160
"""Characters of a source line that a run log keeps."""


@dataclass(frozen=True)
class Suppression:
    """One comment: the rules that it names, as ids, beginnings of ids or names, and why they are ignored."""

    file: str
    line: int
    word: str
    codes: tuple[str, ...]
    reason: str | None

    def __str__(self) -> str:
        named = f"[{', '.join(self.codes)}]" if self.codes else ""
        return f"`{self.word}{named}`"


def suppress(
    diagnosis: Diagnosis, sources: Mapping[str, str], book: Rulebook, enabled: frozenset[str]
) -> tuple[Diagnosis, tuple[Suppressed, ...], tuple[Remark, ...]]:
    """The diagnosis without what the source says to ignore, that, and what is wrong with such comments.

    `sources` are the texts of the files that could be read. Of the others, and of a line that has changed since the
    run, its text as it stood when it ran decides. A suppression accepts a finding and heals nothing: the verdict on
    its condition stays, and says so.
    """
    files = {  # telling comments from strings takes a while, and few files speak of us at all
        file: _suppressions(file, comments(text)) if "rnn-doctor" in text else []
        for file, text in sources.items()
    }
    kept: list[Finding] = []
    suppressed: list[Suppressed] = []
    used: set[Suppression] = set()
    for finding in diagnosis.findings:
        by = _by(finding, files, sources, book)
        if by is None:
            kept.append(finding)
        else:
            suppressed.append(Suppressed(finding=finding, reason=by.reason))
            used.add(by)
    judged = enabled - {entry.what.partition(" ")[0] for entry in diagnosis.not_assessed}
    remarks = (
        Remark(location=Location(file=each.file, line=each.line), text=text)
        for file in files.values()
        for each in file
        for text in _complaints(each, book, judged if each not in used else frozenset(), enabled)
    )
    if suppressed:
        conditions = _conditions(diagnosis.conditions, suppressed, {finding.rule for finding in kept})
        diagnosis = diagnosis.model_copy(update={"findings": _linked(kept), "conditions": conditions})
    return diagnosis, tuple(suppressed), tuple(islice(remarks, _MOST_REMARKS))


def files(log: RunLog, signals: Signals, findings: Iterable[Finding]) -> Iterator[str]:
    """The files in which such comments may stand: where findings, networks and training steps are, and the script."""
    yield log.header.script
    places = [m.location for m in log.modules.values()] + [finding.location for finding in findings]
    yield from (place.file for place in (*places, *signals.places.values()) if place)


def _suppressions(file: str, texts: Mapping[int, str]) -> list[Suppression]:
    found = []
    for line, text in texts.items():
        for match in _COMMENT.finditer(text):
            named = (match["codes"] or "").split(",", _MOST_CODES)[:_MOST_CODES]
            codes = tuple(code.strip() for code in named if code.strip())
            reason = match["reason"].strip(" \t:-,") or None
            found.append(Suppression(file, line, match["word"], codes, reason))
    return found


def _by(
    finding: Finding,
    files: Mapping[str, list[Suppression]],
    sources: Mapping[str, str],
    book: Rulebook,
) -> Suppression | None:
    """The comment that suppresses the finding; None where there is none, as for a finding without a source line."""
    if finding.location is None:
        return None
    rule = book.rules[finding.rule]
    for each in _on(finding.location, files, sources):
        if each.word == _WORD and any(specificity(rule, code) is not None for code in each.codes):
            return each
    return None


def _on(
    place: Location, files: Mapping[str, list[Suppression]], sources: Mapping[str, str]
) -> list[Suppression]:
    """The comments on a line: as it stands now, if it is still the one that ran."""
    recorded = place.code
    lines = sources.get(place.file, "").split("\n")
    if 0 < place.line <= len(lines):
        current = lines[place.line - 1].strip()
        if recorded is None or bare(current) == bare(recorded) or _is_start(recorded, current):
            return [each for each in files.get(place.file, ()) if each.line == place.line]
    return _suppressions(place.file, {place.line: split(recorded or "")[1]})


def _is_start(recorded: str, line: str) -> bool:
    return len(recorded) >= _RECORDED and line.startswith(recorded)


def _complaints(
    each: Suppression, book: Rulebook, judged: frozenset[str], enabled: frozenset[str]
) -> Iterator[str]:
    """What is wrong with a comment; `judged` are the rules that could have found what it suppresses, and did not."""
    if each.word != _WORD:
        yield f"{each} is not understood{did_you_mean(each.word, [_WORD])}; {_FORM}"
        return
    if not each.codes:
        yield f"{each} names no rule; {_FORM}"
        return
    named: set[str] = set()
    for code in each.codes:
        covered = {rule.id for rule in book.rules.values() if specificity(rule, code) is not None}
        if not covered:
            names = [text for rule in book.rules.values() for text in (rule.id, rule.name)]
            yield f"{each}: no rule matches '{code}'{did_you_mean(code, names)}"
        named |= covered
    if not each.reason:
        yield f"{each} gives no reason; {_FORM}"
    if named & enabled and named & enabled <= judged:
        yield f"{each} is unused: what it names was looked for, and not found on this line"


def _conditions(conditions: Conditions, suppressed: list[Suppressed], left: set[str]) -> Conditions:
    """The verdicts as they were, with what of their findings is suppressed told in their reasons."""
    verdicts: dict[str, ConditionVerdict] = {}
    for name in Conditions.model_fields:
        verdict: ConditionVerdict = getattr(conditions, name)
        told = [
            _told(each)
            for each in suppressed
            if each.finding.condition == name and each.finding.rule in verdict.findings
        ]
        verdicts[name] = verdict.model_copy(
            update={
                "reason": "; ".join([verdict.reason, *told]),
                "findings": tuple(rule for rule in verdict.findings if rule in left),
            }
        )
    return Conditions(**verdicts)


def _told(each: Suppressed) -> str:
    place = each.finding.location
    where = f" at {place.file}:{place.line}" if place else ""
    return f"{each.finding.rule} is suppressed{where}" + (f" ({each.reason})" if each.reason else "")


def _linked(kept: list[Finding]) -> tuple[Finding, ...]:
    """The findings without links to rules of which none is left."""
    left = {finding.rule for finding in kept}
    return tuple(
        finding.model_copy(
            update={
                "explains": tuple(rule for rule in finding.explains if rule in left),
                "explained_by": tuple(rule for rule in finding.explained_by if rule in left),
            }
        )
        for finding in kept
    )
