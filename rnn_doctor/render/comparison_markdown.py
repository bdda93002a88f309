"""What changed between two reports, as Markdown for a comment on a pull request."""

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
from rnn_doctor.render.markup import text
from rnn_doctor.schema.comparison import Comparison

_MOST_ROWS = 50
"""Findings that a comment has room for."""


def render(comparison: Comparison, bases: Mapping[str, str]) -> str:
    """GitHub-flavored Markdown; `bases` says of each basis what it takes for a move."""
    parts = [f"**{text(summary(comparison))}**"]
    told_first = [f"old: {side(comparison.old)}", f"new: {side(comparison.new)}", *comparison.remarks]
    parts.append("\n".join(f"- {text(line)}" for line in told_first))
    if comparison.verdicts:
        verdicts = [
            (v.condition.replace("_", " "), verdict(v.old), verdict(v.new), v.reason)
            for v in comparison.verdicts
        ]
        parts.append(_table("Verdicts", ("condition", "old", "new", "why"), verdicts))
    rows, same = changed(comparison), known(comparison)
    if rows or same:
        told = [(word, heading(finding), finding.message) for word, finding in rows[:_MOST_ROWS]]
        told += [("known", ", ".join(same), "")] if same else []
        parts.append(_table("Findings", ("", "finding", "message"), told))
    if len(rows) > _MOST_ROWS:
        parts.append(f"And {len(rows) - _MOST_ROWS} more findings in the JSON form.")
    if comparison.numbers:
        numbers = [(of(each), moved(each)) for each in comparison.numbers[:SHOWN]]
        parts.append(_table("Numbers that moved", ("signal", "old and new"), numbers))
        more = len(comparison.numbers) - SHOWN
        rest = [f"And {more} more in the JSON form."] if more > 0 else []
        parts.append(text(" ".join([*rest, *noise(comparison.numbers, bases)])))
    if comparison.claims:
        claims = [(of(each), claim(each.old), claim(each.new)) for each in comparison.claims[:SHOWN]]
        parts.append(_table("What is another now", ("signal", "old", "new"), claims))
    return "\n\n".join(parts) + "\n"


def _table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(text(cell) for cell in row) for row in rows]
    return "\n".join([f"#### {title}", "", *(f"| {line} |" for line in lines)])
