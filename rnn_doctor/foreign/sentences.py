"""What in a printed line is a name with a number: `Epoch 3/10 | train loss 1.2`, `[val] loss=0.5`, `{'loss': 0.5}`.

A line is its texts and the numbers between them. What each number is hangs on the texts alone, so that lines which
differ in nothing but their numbers are understood once.
"""

import re
from typing import NamedTuple

from rnn_doctor.foreign import columns

_EXPONENT = r"(?:[eE][-+]?\d+)?"
NUMBER = re.compile(
    rf"""([-+.\dnNiI](?<![\w.@].)(?>
        (?<=\d)(?<![\[(,].)\d{{0,2}}(?:,\d{{3}})+(?![\d,])(?:\.\d+)?   # 10,000
      | (?<=\d)\d*(?:\.\d*)?{_EXPONENT}
      | (?<=[-+])(?<![\w)\]].)(?:(?:\d+(?:\.\d*)?|\.\d+){_EXPONENT}|(?i:nan|inf(?:inity)?)\b)
      | (?<=\.)\d+{_EXPONENT}
      | (?<=[nN])(?i:an)\b
      | (?<=[iI])(?i:nf(?:inity)?)\b
    ))(?!\.?\d|[A-Za-z_]+\d|_)""",
    re.VERBOSE,
)
"""A number that stands by itself: none within `lstm2`, `acc@1`, `2.13.0` or `1a2b`, but that before a unit.

Its first character is matched first, and what stands before it after: so most of a line is passed over fast.
"""

_N = "\0"
"""Stands for a number."""
_SKIPPED = "\1"
"""Stands for a number that is no value: of a date, a time, a list, a call."""
_TENSOR = re.compile(r"\b(?:\w+\.)?(?:tensor|array|float\d*)\(\s*\[?\0[^()]*(?:\([^()]*\)[^()]*)*\)")
_CALL = re.compile(r"[A-Za-z_]\w*\((?=[^()]*\w\s?=)(?:[^()]|\([^()]*\))*\)")
"""`Namespace(lr=0.1)`, `LSTM(10, 20, dropout=0.5)`: settings."""
_NO_VALUES = re.compile(
    r"\0[-/.]\0[-/.](?:\0|\d+T\d+)(?:[T ]?\0?(?::\0)+(?:[.,]\0)?)?"  # a date, and its time
    r"|\0(?::\0)+(?:[.,]\0)?"  # a time
    r"|\0(?:[smhd]|ms|us|min|[KMGT]i?B?|it/s|s/it|\wB/s|(?:m?s|us|min)/\w+)(?![A-Za-z/])"
    r"|\0\ (?:ms|secs?|seconds|min|mins|minutes|hours|[KMG]i?B|it/s)(?![A-Za-z])"
    r"|\[\0(?:,\s*\0)+,?\s*(?:\.\.\.)?\]"  # a list
)
_OF = re.compile(r"(\0\s*(?:/|\bof\b)\s*)\0|(\0\s*\()\0(?=\s*%?\s*\))")
"""`3/10`, and the running mean after a value: `0.5 (0.6)`."""
_PLACE = re.compile(r"^\s*\[\s*\0\s*,\s*\0\s*\]")
"""Of epoch and batch: `[2,  4000] loss: 1.2`."""
_RUNNING = re.compile(r"^\s*\0/\x01\s.*\x01(?:m?s|us)/(?:step|epoch)\b|^\s*\0/\x01\s.*\bETA:")
"""A bar of Keras: of batches, with the time that each takes."""
_SPEED = re.compile(r"it/s\b|s/it\b")
"""Within the bars of tqdm and rich."""
_MEAN = re.compile(r"\s*\(\s*")
_APART = re.compile(
    r"""[|,;\t\[\](){}*:'"\\]|\s[-–—]+\s|(?<!\b[Vv]al)(?<!\b[Aa]vg)(?<!\b[Aa]cc)(?<!\bvalid)(?<!\bValid)\.\s"""
)
"""What ends a name that is written before it."""
_OPENERS = " \t[('\"$~<"
_EDGES = " \t-_.#>*~!"
_LONGEST = 5
"""Words of a name; more are prose."""
_LONGEST_UNKNOWN = 3
_MOST_NOT_UNDERSTOOD = 2
"""Words of a name that is taken for a loss."""
_PATH = re.compile(r"\.py\b|://|(?:^|\s)[/~]|\\")
_NO_NAMES = frozenset(
    ("of", "to", "and", "with", "the", "in", "at", "is", "from", "after", "for", "by", "on", "was")
)
_AROUND_COUNTS = frozenset((
    "end", "of", "start", "starting", "started", "finished", "begin", "beginning", "train", "training", "validation",
    "val", "valid", "eval", "evaluation", "test", "testing", "global", "at", "after", "for", "in", "the", "current",
    "running", "loop", "summary", "results", "trn",
))  # fmt: skip
"""Words beside `epoch` or `step` with which that still counts; `best epoch` does not."""
_SETTINGS = (["epochs"], ["steps"], ["iterations"])
"""How a name ends that tells how many there are to be."""
_DOING = {"evaluating": "eval", "evaluate": "eval", "validating": "val", "validate": "val", "testing": "test"}


class Line(NamedTuple):
    """What the numbers of a line are, each by its place among them."""

    names: tuple[tuple[int, str], ...] = ()
    """What is measured, by the names that the line gives it."""
    epoch: int | None = None
    step: int | None = None
    running: tuple[int, int] | None = None
    """Batch and number of batches where values are means over an epoch up to now, as Keras draws them."""
    batch: int | None = None
    """Of a line within an evaluation: the batch that it has come to; its values are means up to it, where it tells
    any."""
    bar: bool = False
    """Whether it is a state of a bar, which tells how fast it goes."""
    part: str = ""
    """The part of the data that the line is of, where it measures nothing: `Validation:`."""
    losses: bool = False
    """Whether one of its names may be a loss, or an accuracy."""


_EMPTY = Line()


def understood(texts: list[str]) -> Line:
    """What the numbers between these texts are.

    texts: one more than there are numbers.
    """
    if len(texts) == 1:
        return Line(part=_heading(texts[0]))
    whole = _N.join(texts)
    place = _PLACE.match(whole)
    whole = _OF.sub(lambda m: f"{m[1] or m[2]}{_SKIPPED}", _values_alone(whole, place.end() if place else 0))
    reading = _Reading(whole)
    if place:
        reading.epoch = 0
    line = reading.line(running=_RUNNING.match(whole) is not None)
    return line._replace(bar=_SPEED.search(whole) is not None)


def _values_alone(whole: str, begin: int) -> str:
    """The line, with the numbers marked that are no values."""
    head, rest = whole[:begin].replace(_N, _SKIPPED), whole[begin:]
    rest = _TENSOR.sub(lambda m: _N + _SKIPPED * (m[0].count(_N) - 1), rest)
    for pattern in (_CALL, _NO_VALUES):
        rest = pattern.sub(lambda m: m[0].replace(_N, _SKIPPED), rest)
    return head + rest


def _heading(text: str) -> str:
    """The part of the data that a line without numbers announces."""
    return _part(text) if len(text.split()) <= _LONGEST else ""


def _part(text: str) -> str:
    """The last word of a text that names a part of the data, as it is written; none within a path."""
    found = ""
    for token in text.split():
        if "/" in token or "\\" in token or "." in token.strip("."):
            continue
        for word in re.findall(r"[A-Za-z]+", token):
            if columns.is_part(word) or word.lower() in _DOING:
                found = _DOING.get(word.lower(), word)
    return found


def of_part(part: str, values: dict[str, float]) -> dict[str, float]:
    """The values by names that tell of which part of the data they are, where the line above them did."""
    return {
        f"{part}/{name}" if columns.tells_learning(name) and not _has_part(name) else name: value
        for name, value in values.items()
    }


def _is_prose(name: str) -> bool:
    """Whether most words of a name are of a sentence, such as `lost two for the loss of`."""
    guessed = columns.guess(name)
    return guessed is not None and guessed.doubt[2] > _MOST_NOT_UNDERSTOOD


def _has_part(name: str) -> bool:
    return any(map(columns.is_part, columns.words(name)))


class _Reading:
    """Goes through a line from number to number."""

    def __init__(self, whole: str) -> None:
        self.epoch: int | None = None
        self.step: int | None = None
        self._rank = 99
        self._names: dict[str, int] = {}
        self._part = ""
        self._measured_part = ""
        self._losses = False
        self._counted: set[int] = set()
        self._batch: int | None = None
        pieces = re.split(f"([{_N}{_SKIPPED}])", whole)
        kinds = pieces[1::2]
        self._means = {
            place
            for place, (kind, after, follows) in enumerate(zip(kinds, pieces[2::2], kinds[1:], strict=False))
            if kind == _N and follows == _SKIPPED and _MEAN.fullmatch(after)
        }
        """Places of values behind which their mean stands."""
        for place, (text, kind) in enumerate(zip(pieces[::2], pieces[1::2], strict=False)):
            before = re.sub(r"^[A-Za-z%/]+", "", text) if place else text
            if kind == _N:
                self._take(place, before)
                if (
                    self._batch is None
                    and pieces[2 * place + 2].strip() == "/"
                    and place not in self._counted
                ):
                    self._batch = place
            else:
                self._pass(before)

    def line(self, *, running: bool) -> Line:
        """What was found."""
        batch = self._batch if columns.is_held_out(self._part) else None
        of_mean = 0 if batch is None else 1
        names = tuple((place + of_mean * (place in self._means), name) for name, place in self._names.items())
        return Line(
            names=names,
            batch=batch,
            epoch=self.epoch,
            step=self.step,
            running=(0, 1) if running else None,
            part="" if names else self._part,
            losses=self._losses,
        )

    def _pass(self, text: str) -> None:
        self._part = _part(text) or self._part

    def _take(self, place: int, text: str) -> None:
        """The number at a place, by the text between the number before and it."""
        *before, last = _APART.split(text.rstrip(_OPENERS).removesuffix(":").rstrip(_OPENERS)) or [""]
        if "=" in last:
            head, name = _keyed(last)
            before.append(head)
        else:
            name = last
        for each in before:
            self._pass(each)
        words = [word for word in name.strip(_EDGES).split() if word not in ("#", "=", "->", "→")]
        while words and words[0].lower() in _NO_NAMES:
            words = words[1:]
        if (
            words
            and len(words) <= _LONGEST
            and not _PATH.search(name)
            and any(map(str.isalpha, "".join(words)))
        ):
            self._named(place, " ".join(words).strip(_EDGES))

    def _named(self, place: int, name: str) -> None:
        if counted := _counts(name):
            kind, rank = counted
            self._counted.add(place)
            self._pass(name)
            if kind == "epoch":
                self.epoch = place if self.epoch is None else self.epoch
            elif rank < self._rank:
                self.step, self._rank = place, rank
            return
        if columns.axis(name):
            return  # how many there are to be, such as `epochs`
        own = _has_part(name)
        measured = columns.is_measured(name) and not _is_prose(name)
        if not measured:
            if _part(name) and len(name.split()) <= 2:
                self._pass(name)
            elif len(name.split()) <= _LONGEST_UNKNOWN:
                self._names.setdefault(name, place)
            return
        self._losses |= columns.tells_learning(name)
        if not own and columns.tells_learning(name):
            part = self._part or (self._measured_part if name in self._names else "")
            name = f"{part}/{name}" if part else name
        elif own:
            self._measured_part = next(filter(columns.is_part, columns.words(name)))
        self._names.setdefault(name, place)


def _keyed(text: str) -> tuple[str, str]:
    """What stands before a name, and the name itself, of `valid loss=` or `train loss = `."""
    left = text.rstrip(" =")
    if text.endswith("=") and not text[:-1].endswith(" "):
        head, _, name = left.replace("=", " ").rstrip().rpartition(" ")
        return head, name
    head, _, name = left.rpartition("=")
    return head, name


def _counts(name: str) -> tuple[str, int] | None:
    """Whether a name counts epochs or steps, and how usual it is for that; settings such as `epochs` do not."""
    words = [_DOING.get(word, word) for word in columns.words(name)]
    if words and words[-1] in ("epoch", "step") and set(words[:-1]) <= _AROUND_COUNTS - {"global"}:
        return columns.axis(words[-1])
    return None if words[-1:] in _SETTINGS or words == ["updates"] else columns.axis(name)
