"""Rows that a text tells apart: one for each part of the data (`phase,loss`), or for each metric (`metric,value`)."""

from collections.abc import Mapping
from typing import Any

from rnn_doctor.foreign import columns

_PARTS = frozenset((
    "phase", "split", "mode", "stage", "subset", "partition", "part", "set", "dataset", "type", "event", "kind",
))  # fmt: skip
"""Columns that say of which part of the data a row is."""
_METRICS = frozenset(("metric", "metric_name", "name", "key", "tag", "variable"))
"""Columns that name what a row holds, beside a column `value`."""
_VALUE = "value"


def tells(name: str) -> bool:
    """Whether a column of that name may tell rows apart."""
    return name.lower() in _PARTS | _METRICS


def told_apart(entry: Mapping[str, Any], values: dict[str, float]) -> dict[str, float]:
    """The values of a row by the names that its texts give them: a `loss` in the phase `val` is `val/loss`.

    Columns that name a part of the data themselves, and those that count, keep their names.
    """
    for key, said in entry.items():
        text = said.strip() if isinstance(said, str) else ""
        if not text or not tells(key):
            continue
        if key.lower() in _PARTS and columns.is_part(text):
            return {f"{text}/{name}" if _of_no_part(name) else name: v for name, v in values.items()}
        if key.lower() in _METRICS and (value := next((n for n in values if n.lower() == _VALUE), None)):
            return {text if name == value else name: v for name, v in values.items()}
    return values


def _of_no_part(name: str) -> bool:
    guess = columns.guess(name)
    return (
        guess is not None
        and guess.role == "train_loss"
        and not any(map(columns.is_part, columns.words(name)))
    )
