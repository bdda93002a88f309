"""What every reader of a foreign log yields: its rows of numbers, in the order of the file."""

from collections.abc import Generator, Mapping
from typing import Any, NamedTuple


class Row(NamedTuple):
    """Numbers that were logged together."""

    values: Mapping[str, float]
    """By column, tag or key; what is missing is left out, NaN and infinity are kept."""
    step: int | None = None
    """Where the format itself counts steps; otherwise one of the values may."""
    time: float | None = None
    """Seconds of a clock, where the format has them."""


Rows = Generator[Row, None, bool]
"""Rows, and at the end whether the file breaks off in the middle of one: its writer was killed, or still writes."""

_NAMED = {"nan": "nan", "infinity": "inf", "-infinity": "-inf", "inf": "inf", "-inf": "-inf"}


def number(value: Any) -> float | None:
    """The value as a number; None where it is none. A text may spell one, and NaN or infinity."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    try:
        return float(_NAMED.get(text.lower(), text))
    except ValueError:
        return _of_tensor(text)


def _of_tensor(text: str) -> float | None:
    """`tensor(0.5)`, as a tensor looks that was written without `.item()`."""
    if not text.startswith("tensor("):
        return None
    try:
        return float(text[7:].split(",", maxsplit=1)[0].rstrip(")"))
    except ValueError:
        return None


def flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The numbers of nested objects, by their keys joined with `/`."""
    found: dict[str, float] = {}
    for key, value in document.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found |= flat(value, f"{name}/")
        elif (read := number(value)) is not None:
            found[name] = read
    return found
