"""Metrics as scripts print them: the lines of a terminal or of a logger, drawn over with carriage returns or not.

What a line says is told in sentences.py. Lines that follow each other are one row as long as none says anew what was
said: the training loss on one line and the validation loss on the next are of the same epoch.
"""

import re
from collections.abc import Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

from rnn_doctor.foreign import sentences, texts
from rnn_doctor.foreign.printed_tables import PrintedTable
from rnn_doctor.foreign.rows import Row, Rows
from rnn_doctor.foreign.sentences import NUMBER, Line

_LONGEST = 1 << 16
"""Characters that are read at once: of a longer line this much is one."""
_SHAPES = 4_096
"""Lines whose numbers alone differ are understood once; so many kinds are kept in mind."""
_NAMES = 2_000
"""Names of a log; whoever prints more of them numbers them."""
_EARLY = 1_000
"""Lines before the first that counts or tells a loss which are kept, in case none does."""
_LOOKED_AT = 20_000
"""Lines at the beginning that tell whether a text is a log."""
_RECURRING = 2
"""Lines that tell the same, with a loss among it or counted: fewer are no series."""
_ALONE = 3
"""Lines that hold the same name and a number, and nothing else that is understood."""
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
"""Colours and movements of a terminal's cursor."""
_BARS = re.compile("[\u2500-\u259f]+")
_LAST_WORD = re.compile(r"[\w.,+-]+$")
_DRAWN_OVER = re.compile(r"[\r\x08]+")


class Said(NamedTuple):
    """A line, understood."""

    values: dict[str, float]
    epoch: float | None
    step: float | None
    batch: float | None
    """Of a line within an evaluation: how far it has come."""
    part: str
    tells: bool
    """Whether it counts, or measures what may be a loss."""
    indented: bool
    again: bool
    """Whether it was drawn over the line before, or is a bar: what stands in it unchanged is not said anew."""


class _Reader:
    """Turns lines into what they say."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[str, ...], Line] = {}
        self._table = PrintedTable()

    def said(self, line: str, *, again: bool) -> Said | None:
        """None where a line tells nothing of its own, as within an epoch whose mean comes at its end."""
        pieces = NUMBER.split(line)
        shape, numbers = tuple(pieces[::2]), pieces[1::2]
        if (tabled := self._table.row(line, numbers)) is not None:
            return Said(tabled.values, tabled.epoch, tabled.step, None, "", bool(tabled.values), False, False)
        found = self._shapes.get(shape)
        if found is None:
            if len(self._shapes) >= _SHAPES:
                self._shapes.clear()
            found = self._shapes[shape] = sentences.understood(list(shape))
        if found.running and numbers[found.running[0]] != numbers[found.running[1]]:
            return None
        values = {name: _number(numbers[place]) for place, name in found.names}
        epoch = None if found.epoch is None else _number(numbers[found.epoch])
        step = None if found.step is None else _number(numbers[found.step])
        batch = None if found.batch is None else _number(numbers[found.batch])
        tells = found.losses or epoch is not None or (step is not None and bool(values))
        return Said(values, epoch, step, batch, found.part, tells, line[:1] in " \t", again or found.bar)


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _lines(file: TextIO) -> Generator[tuple[str, bool], None, bool]:
    """Lines, and whether each was drawn over the one before; at the end whether the last one has no end.

    Of that one the last word or number is left out: `0.1` may be what is left of `0.123`.
    """
    rest, drawn = "", False
    while block := file.readline(_LONGEST):
        text = _plain(rest + block)
        *parts, rest = _DRAWN_OVER.split(text) if "\r" in text or "\x08" in text else [text]
        ended = rest.endswith("\n")
        if ended or len(rest) > _LONGEST:
            parts, rest = [*parts, rest.rstrip("\n")], ""
        for part in filter(None, parts):
            yield part, drawn
            drawn = True
        drawn &= not ended
    if whole := _LAST_WORD.sub("", rest):
        yield whole, drawn
    return bool(rest)


def _plain(text: str) -> str:
    """A text without colours, bars and movements of the cursor."""
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    if not text.isascii():
        text = _BARS.sub(" ", text)
    return text.replace("\0", "").replace("\1", "").replace("\r\n", "\n")


def is_log(path: Path) -> bool:
    """Whether lines at the beginning of a text tell metrics again and again.

    Raises: OSError: it cannot be read.
    """
    reader, times = _Reader(), dict[tuple[str, ...], int]()
    with texts.opened(path, newline="\n") as file:
        for line, again in islice(_lines(file), _LOOKED_AT):
            said = reader.said(line, again=again)
            if said is None or not (said.tells or (len(said.values) == 1 and (":" in line or "=" in line))):
                continue
            names = tuple(said.values)
            times[names] = times.get(names, 0) + bool(names)
            if times[names] >= (_RECURRING if said.tells else _ALONE):
                return True
    return False


def rows(path: Path) -> Rows:
    """The rows of a printed log; what stands before the first line that counts or tells a loss is settings."""
    cut = False

    def told() -> Iterator[Said]:
        nonlocal cut
        try:
            cut = yield from _told(file)
        except texts.BROKEN_PACK:
            cut = True

    with texts.opened(path, newline="\n") as file:
        yield from _joined(told())
    return cut


def _told(file: TextIO) -> Generator[Said, None, bool]:
    """What the lines say, without the settings before the first that counts or tells a loss."""
    reader, begun, cut = _Reader(), False, False
    early: list[Said] = []

    def lines() -> Iterator[tuple[str, bool]]:
        nonlocal cut
        cut = yield from _lines(file)

    for line, again in lines():
        said = reader.said(line, again=again)
        if said is None:
            continue
        if not begun and said.tells:
            early.clear()
            begun = True
        if begun:
            yield said
        elif said.values:
            early.append(said)
            if len(early) >= _EARLY:
                yield from early
                early.clear()
                begun = True
    yield from early
    return cut


class _Joining:
    """The row that is being put together."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.counts: dict[str, float] = {}
        self.epoch: float | None = None
        self.batch: float | None = None
        """How far an evaluation has come whose line was taken last: of its lines the last one counts."""
        self._names: set[str] = set()

    def fits(self, values: dict[str, float], counts: dict[str, float]) -> bool:
        """Whether nothing that is said was said in this row, and what counts agrees with it."""
        if not self.values:
            return True
        return not values.keys() & self.values.keys() and all(
            self.counts.get(k) == v for k, v in counts.items()
        )

    def take(self, values: dict[str, float], counts: dict[str, float]) -> None:
        """One line in; names beyond the most are left out."""
        self.counts |= counts
        for name, value in values.items():
            if name in self._names or len(self._names) < _NAMES:
                self._names.add(name)
                self.values[name] = value

    def end(self) -> Iterator[Row]:
        """The row, if there is any, and the beginning of another."""
        if self.values:
            epoch = {} if self.epoch is None else {"epoch": self.epoch}
            yield Row(epoch | self.counts | self.values)
        self.values, self.counts = {}, {}


def _joined(told: Iterator[Said]) -> Iterator[Row]:
    row = _Joining()
    part, used = "", False
    drawn: dict[str, float] = {}
    for said in told:
        if not said.values and said.part:
            part, used = said.part, False
        elif part and ((used and not said.indented) or (said.epoch is not None and not said.values)):
            part = ""
        values = said.values
        if values and part:
            values, used = sentences.of_part(part, values), True
        if said.again:
            values = {name: value for name, value in values.items() if drawn.get(name) != value}
            drawn |= said.values
        counts = {
            name: value for name, value in (("epoch", said.epoch), ("step", said.step)) if value is not None
        }
        if not values and said.values:
            continue
        goes_on = said.batch is not None and row.batch is not None and said.batch > row.batch
        if not (goes_on or row.fits(values, counts)):
            yield from row.end()
        row.batch = said.batch
        row.epoch = row.epoch if said.epoch is None else said.epoch
        row.take(values, counts)
    yield from row.end()
