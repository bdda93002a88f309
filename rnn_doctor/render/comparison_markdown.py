"""What changed between two reports, as Markdown for a comment on a pull request."""

import re
from collections.abc import Mapping, Sequence

from rnn_doctor.render.comparison import (
    SHOWN,
    changed,
    claim,
    heading,
    known,
    moved,
    noise,
    of,
    side,
    summary,
    verdict,
)
from rnn_doctor.render.wording import clean
from rnn_doctor.schema.comparison import Comparison

_SPECIAL = re.compile(r"[\\`*_\[\]<>|~$&]|:(?=//)|(?<=www)\.", re.IGNORECASE)
"""Emphasis, code, links, HTML, table cells, strike-through, formulas, and what makes a bare address a link."""
_MENTION = re.compile(r"[@#](?=\w)")
"""People and issues, whom GitHub and GitLab would tell."""


def render(comparison: Comparison, bases: Mapping[str, str]) -> str:
    """GitHub-flavored Markdown; `bases` says of each basis what it takes for a move."""
    parts = [f"**{_text(summary(comparison))}**"]
    parts.append(f"old: {_text(side(comparison.old))}<br>\nnew: {_text(side(comparison.new))}")
    if comparison.remarks:
        parts.append("\n".join(f"- {_text(remark)}" for remark in comparison.remarks))
    if comparison.verdicts:
        rows = [
            (v.condition.replace("_", " "), verdict(v.old), verdict(v.new), v.reason)
            for v in comparison.verdicts
        ]
        parts.append(_table("Verdicts", ("condition", "old", "new", "why"), rows))
    same = known(comparison)
    if changed(comparison) or same:
        told = [(word, heading(finding), finding.message) for word, finding in changed(comparison)]
        told += [("known", ", ".join(same), "")] if same else []
        parts.append(_table("Findings", ("", "finding", "message"), told))
    if comparison.numbers:
        numbers = [(of(each), moved(each)) for each in comparison.numbers[:SHOWN]]
        parts.append(_table("Numbers that moved", ("signal", "old and new"), numbers))
        more = len(comparison.numbers) - SHOWN
        rest = [f"And {more} more in the JSON form."] if more > 0 else []
        parts.append(_text(" ".join([*rest, *noise(comparison.numbers, bases)])))
    if comparison.claims:
        claims = [(of(each), claim(each.old), claim(each.new)) for each in comparison.claims[:SHOWN]]
        parts.append(_table("What is another now", ("signal", "old", "new"), claims))
    return "\n\n".join(parts) + "\n"


def _table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(_text(cell) for cell in row) for row in rows]
    return "\n".join([f"#### {title}", "", *(f"| {line} |" for line in lines)])


def _text(foreign: str) -> str:
    """Running text in which nothing is markup, a mention or a link."""
    return _MENTION.sub(r"\g<0><!-- -->", _SPECIAL.sub(r"\\\g<0>", clean(foreign).strip()))
