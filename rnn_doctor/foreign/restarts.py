"""Where in a log another training begins: a file that was appended to, or one with a fold after another."""

from collections.abc import Iterable

from rnn_doctor.foreign.axes import Counting
from rnn_doctor.foreign.rows import Row


class Restarts:
    """Tells the rows with which a training begins anew, by the column that counts epochs, or else steps.

    That a number comes again is none: one library logs the validation after the training of all epochs, another goes
    on from a checkpoint. A column must have been counted on before, and be counted from its beginning again.
    """

    def __init__(self, how: Counting) -> None:
        self._by = None if how.by_format else how.epoch or how.step
        self._first: dict[str, float] = {}
        self._went_on: set[str] = set()
        self.rows: list[int] = []
        """The numbers, from 1 on, of the rows that begin one."""

    def __call__(self, count: int, row: Row, columns: Iterable[str]) -> bool:
        """Whether the row with this number is one. columns: those of it that are losses."""
        at = row.values.get(self._by) if self._by else None
        names = list(columns)
        if at is None or not names:
            return False
        anew = any(name in self._went_on and at <= self._first[name] for name in names)
        if anew:
            self._first.clear()
            self._went_on.clear()
            self.rows.append(count)
        for name in names:
            if at > self._first.setdefault(name, at):
                self._went_on.add(name)
        return anew

    def doubt(self) -> str:
        """What was made of it; nothing where there was none."""
        if not self.rows:
            return ""
        return (
            f"its {self._by!r} begins anew in row {self.rows[-1]}: {len(self.rows) + 1} trainings one after another, "
            "of which the last is judged"
        )
