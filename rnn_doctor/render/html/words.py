"""Foreign text on the page: one line, bounded, without characters that steer; code keeps its lines."""

import math
import re

from rich.cells import cell_len, set_cell_size

from rnn_doctor.render.wording import clean, number, short

_MOST = 1_000
_MOST_LINES = 200
_NAME = 42
"""Columns of text; characters of many scripts take two."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


def name(text: str) -> str:
    """A name that fits on a line of a picture; whole in the table below it."""
    kept = clean(text[: 2 * _NAME])
    return kept if cell_len(kept) <= _NAME else f"{set_cell_size(kept, _NAME - 1).rstrip()}…"


def sentence(text: str) -> str:
    """The first sentence."""
    return _SENTENCE.split(text, maxsplit=1)[0]


def code(source: str) -> str:
    """Source as it stands, each line cleaned and bounded."""
    lines = source[: _MOST * _MOST_LINES].expandtabs(4).split("\n")
    kept = [short(line, _MOST).rstrip() for line in lines[:_MOST_LINES]]
    return "\n".join([*kept, "…"] if len(lines) > _MOST_LINES else kept)


def figure(value: float) -> str:
    """A number for prose and tables, with a real minus."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return number(value).replace("-", "−")


def layer(module: str, which: int | None, reverse: bool = False) -> str:
    """`encoder`, `encoder, layer 1`, `encoder, layer 0, backward`."""
    parts = [module, *([] if which is None else [f"layer {which}"]), *(["backward"] if reverse else [])]
    return ", ".join(parts)
