"""Foreign text on the page: one line, bounded, without characters that steer; code keeps its lines."""

import math
import re
import textwrap

from markupsafe import Markup, escape
from rich.cells import cell_len, set_cell_size

from rnn_doctor.render.html.charts.scales import raised
from rnn_doctor.render.wording import clean, number, short

_MOST = 1_000
_MOST_LINES = 200
_NAME = 42
"""Columns of text; characters of many scripts take two."""
_QUOTED = re.compile(r"`([^`\n]+)`")
_OPTION = re.compile(r"(?<![^\s(])--[a-z][a-z-]{1,40}\b")
"""Of the command line."""
_POWER = re.compile(r"\b10\^(-?\d+(?:\.\d+)?)")
_EXPONENT = re.compile(r"(?<![\w/.])(\d+(?:\.\d+)?)e([+-]\d{2,3})(?![\w/]|\.\w)")
_ADDRESS = re.compile(r"https://[a-z0-9.-]+(?:/[\w./#%?=&+~:-]*)?", re.ASCII)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


def name(text: str) -> str:
    """A name that fits on a line of a picture; whole in the table below it."""
    kept = clean(text[: 2 * _NAME])
    return kept if cell_len(kept) <= _NAME else f"{set_cell_size(kept, _NAME - 1).rstrip()}…"


def wrapped(text: str) -> str:
    """A title for a picture, of two lines where one does not hold it."""
    kept = clean(text[: 3 * _NAME])
    first, *rest = textwrap.wrap(kept, _NAME - 2, break_long_words=False) or [""]
    return name(first) if not rest else f"{name(first)}\n{name(' '.join(rest))}"


def sentence(text: str) -> str:
    """The first sentence."""
    return _SENTENCE.split(text, maxsplit=1)[0]


def marked(text: str, most: int = _MOST) -> Markup:
    """Running text in which backquotes and two dashes mark code, and `10^-12` and `4e-05` are powers of ten, as Python
    prints them; all else in it is text."""
    parts = _QUOTED.split(str(escape(short(text, most))))
    return Markup(
        "".join(f"<code>{part}</code>" if number % 2 else _plain(part) for number, part in enumerate(parts))
    )


def _plain(escaped: str) -> str:
    """Of escaped text what stands between quotations."""
    made = _POWER.sub(lambda found: f"10<sup>{found[1]}</sup>".replace("-", "−"), escaped)
    made = _EXPONENT.sub(lambda found: f"{found[1]}·10<sup>{int(found[2])}</sup>".replace("-", "−"), made)
    return _OPTION.sub(r'<code class="option">\g<0></code>', made)


def linked(source: str) -> Markup:
    """A source: where it is nothing but a web address, a link to it, which tells that site nothing of the page."""
    text = short(source, _MOST)
    if not _ADDRESS.fullmatch(text):
        return marked(text)
    return Markup('<a href="{0}" rel="noreferrer noopener">{0}</a>').format(text)


def code(source: str) -> str:
    """Source as it stands, each line cleaned and bounded."""
    lines = source[: _MOST * _MOST_LINES].expandtabs(4).split("\n")
    kept = [short(line, _MOST).rstrip() for line in lines[:_MOST_LINES]]
    return "\n".join([*kept, "…"] if len(lines) > _MOST_LINES else kept)


def figure(value: float) -> str:
    """A number for prose and tables, with a real minus: `2.15·10⁻⁵`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = number(value).replace("-", "−")
    mantissa, mark, power = text.partition("e")
    return f"{mantissa}·10{raised(int(power.replace('−', '-')))}" if mark else text


def layer(module: str, which: int | None, reverse: bool = False) -> str:
    """`encoder`, `encoder, layer 1`, `encoder, layer 0, backward`."""
    parts = [module, *([] if which is None else [f"layer {which}"]), *(["backward"] if reverse else [])]
    return ", ".join(parts)
