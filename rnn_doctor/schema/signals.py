"""Signals: named quantities derived from a run log, each with its value or the reason of its absence."""

from typing import Literal

from rnn_doctor.schema.names import Names
from rnn_doctor.schema.values import Frozen, Location, Number

RUN = "run"
"""The subject of what is measured once a run."""


class Measurement(Frozen):
    """One signal on one subject."""

    value: bool | Number | str | None = None
    """None when it could not be measured; then `absent` says why."""
    interval: tuple[Number, Number] | None = None
    """95 %, where one exists."""
    n: int | None = None
    """Number of observations."""
    absent: str | None = None
    """Why there is no value, as a clause that reads after "not assessed: "."""
    option: str | None = None
    """The option that has it measured, where it was not asked for."""
    location: Location | None = None
    """Source line of the subject, where it has one of its own."""


class Signal(Frozen):
    """One named quantity, on every subject it was measured on."""

    name: str
    unit: str
    by: Literal["run", "module", "parameter", "loss", "optimizer"] = "run"
    """What its subjects are. A run-level signal has the one subject "run"."""
    measurements: dict[str, Measurement]
    """By subject; empty when there was none to measure (then rules on it are clear)."""


class Signals(Frozen):
    """All signals of one run, and the source lines that a finding may point to."""

    signals: dict[str, Signal]
    places: dict[str, Location] = {}
    """By role: optimizer, scheduler, loss, backward, step, clip, zero_grad, module."""
    names: Names = Names()
    """What the script calls what remedies speak of."""
