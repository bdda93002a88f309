"""The value types that every schema shares."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""How numbers that JSON cannot hold are written: as these strings, in every file of ours."""


def _parse(value: Any) -> Any:
    return NON_FINITE.get(value, value) if isinstance(value, str) else value


def _write(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


Number = Annotated[
    float,
    BeforeValidator(_parse),
    PlainSerializer(_write, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"enum": list(NON_FINITE)}]}),
]
"""A float that may be NaN or infinite; in JSON these are the strings of `NON_FINITE`."""

GateName = Literal["i", "f", "g", "o", "r", "z", "n", "h"]
"""Sigmoid gates i, f, o, r, z; tanh candidates g, n; the state h of a plain RNN."""


class Frozen(BaseModel):
    """A model that never changes and knows all its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Location(Frozen):
    """A place in the user's source."""

    file: str
    """Relative to the working directory where it lies below it; a home directory is written `~`."""
    line: int
    function: str | None = None
    code: str | None = None
    """The source line, stripped, as it stood when it ran."""
