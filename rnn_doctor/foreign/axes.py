"""What the rows of a log are counted by: updates, epochs, or nothing but their order."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, pairwise
from typing import NamedTuple

from rnn_doctor.foreign import columns
from rnn_doctor.foreign.rows import Row
from rnn_doctor.schema.imported import Axis

LOOKED_AT = 1_000
"""Rows at the beginning that decide."""


class Counting(NamedTuple):
    """How rows are numbered."""

    axis: Axis
    step: str | None = None
    """The column that counts; None where the format itself does, or nothing does."""
    epoch: str | None = None
    by_format: bool = False


def counting(head: list[Row], said: Mapping[str, str]) -> Counting:
    """How the rows of a log are numbered, judged by its beginning and by what the user said.

    Steps that begin anew with every epoch count batches: then the order of the rows is the better number.
    """
    names = dict.fromkeys(name for row in head for name in row.values)
    step = said.get("step") or _most_usual("step", names)
    epoch = said.get("epoch") or _most_usual("epoch", names)
    if "step" not in said and _format_counts(head):
        return Counting("update", None, epoch, by_format=True)
    if step == "_step" and "step" not in said and epoch and _counts(head, epoch):
        return Counting("epoch", epoch, epoch)
    if step and ("step" in said or not _begins_anew(head, step, epoch)):
        # W&B counts the calls of its log() under this name, whatever they are called for.
        return Counting("row" if step == "_step" else "update", step, epoch)
    if not step and epoch and _counts(head, epoch):
        return Counting("epoch", epoch, epoch)
    return Counting("row", None, epoch)


def _format_counts(head: list[Row]) -> bool:
    """Whether the format counts steps; TensorBoard's are all 0 where the script names none."""
    steps = {row.step for row in head} - {None}
    return len(steps) > 1 or (bool(steps) and len(head) <= len({name for row in head for name in row.values}))


def _most_usual(kind: str, names: Iterable[str]) -> str | None:
    """The column of the most usual name for it; where there is none, one that stands beside a loss in its object."""
    found = [(usual[1], name) for name in names if (usual := columns.axis(name)) and usual[0] == kind]
    if not found:
        within = {name.rpartition("/")[0] for name in names if columns.is_measured(name)} - {""}
        beside = [name for name in names if name.rpartition("/")[0] in within]
        own = [(columns.axis(name.rpartition("/")[2]), name) for name in beside]
        found = [(usual[1], name) for usual, name in own if usual and usual[0] == kind]
    return min(found)[1] if found else None


def _begins_anew(head: list[Row], step: str, epoch: str | None) -> bool:
    """Whether a new epoch brings a smaller step, or every epoch the same one; without epochs: more than once."""
    if not epoch:
        steps_alone = [row.values[step] for row in head if step in row.values]
        return sum(b < a and b == steps_alone[0] for a, b in pairwise(steps_alone)) > 1
    pairs = [
        (row.values[step], row.values[epoch]) for row in head if step in row.values and epoch in row.values
    ]
    steps, epochs = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    falls = any(a[0] > b[0] and a[1] < b[1] for a, b in pairwise(pairs))
    return falls or len(steps) == 1 < len(epochs)


def _counts(head: list[Row], epoch: str) -> bool:
    """Whether epochs number the rows: whole numbers in most of them, no two rows of training in one."""
    found = [row.values[epoch] for row in head if epoch in row.values]
    if len(found) * 2 < len(head):
        return False
    highest = accumulate(
        found, max
    )  # a training that begins anew, or goes on from a checkpoint, counts them again
    values = [value for value, most in zip(found, highest, strict=True) if value == most]
    return all(value.is_integer() for value in values) and len(set(values)) * 2 >= len(values)


def numbered(rows: Iterable[Row], how: Counting) -> Iterator[tuple[int, Row]]:
    """Each row with its number as it is logged; a row without one belongs to the row before."""
    last = -1
    for count, row in enumerate(rows):
        if how.by_format:
            last = last if row.step is None else row.step
        elif how.step is None:
            last = count
        else:
            value = row.values.get(how.step)
            last = last if value is None or not value.is_integer() else int(value)
        yield max(last, 0), row
