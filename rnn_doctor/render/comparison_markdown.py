"""What changed between two reports, as Markdown for a comment on a pull request."""

from collections.abc import Iterator, Mapping, Sequence

from rnn_doctor.render.comparison import (
    MOVED,
    SHOWN,
    UNSURE,
    advice,
    changed,
    claim,
    heading,
    known,
    moved,
    of,
    side,
    summary,
    told,
    verdict,
)
from rnn_doctor.render.markup import text
from rnn_doctor.schema.comparison import Comparison, MovedNumber

_MOST_ROWS = 50
"""Findings that a comment has room for."""


def render(comparison: Comparison, bases: Mapping[str, str]) -> str:
    """GitHub-flavored Markdown; `bases` says of each basis what it takes for a move."""
    parts = [f"**{text(summary(comparison))}**"]
    sides = [f"old: {side(comparison.old, comparison.repeats)}", f"new: {side(comparison.new)}"]
    parts.append("\n".join(f"- {text(line)}" for line in [*sides, *comparison.remarks]))
    if comparison.verdicts:
        verdicts = [
            (v.condition.replace("_", " "), verdict(v.old), verdict(v.new), v.reason)
            for v in comparison.verdicts
        ]
        parts.append(_table("Verdicts", ("condition", "old", "new", "why"), verdicts))
    rows, same = changed(comparison), known(comparison)
    if rows or same:
        lines = [(word, heading(finding), finding.message) for word, finding in rows[:_MOST_ROWS]]
        lines += [("known", ", ".join(same), "")] if same else []
        parts.append(_table("Findings", ("", "finding", "message"), lines))
    if len(rows) > _MOST_ROWS:
        parts.append(f"And {len(rows) - _MOST_ROWS} more findings in the JSON form.")
    for title, numbers in ((MOVED, comparison.numbers), (UNSURE, comparison.unsure)):
        parts += _numbers(title, numbers, bases)
    if comparison.claims:
        claims = [(of(each), claim(each.old), claim(each.new)) for each in comparison.claims[:SHOWN]]
        parts.append(_table("What is another now", ("signal", "old", "new"), claims))
    if hint := advice(comparison):
        parts.append(hint)
    return "\n\n".join(parts) + "\n"


def _numbers(title: str, numbers: Sequence[MovedNumber], bases: Mapping[str, str]) -> Iterator[str]:
    """A table of the first numbers, and below it what was taken for a move."""
    if numbers:
        yield _table(title, ("signal", "old and new"), [(of(each), moved(each)) for each in numbers[:SHOWN]])
        more = len(numbers) - SHOWN
        rest = [f"And {more} more in the JSON form."] if more > 0 else []
        yield text(" ".join([*rest, told(numbers, bases)]))


def _table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(text(cell) for cell in row) for row in rows]
    return "\n".join([f"#### {title}", "", *(f"| {line} |" for line in lines)])
