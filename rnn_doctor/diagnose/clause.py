"""One clause against one measurement: it holds, it fails, or nobody knows."""

from dataclasses import dataclass
from typing import Literal

from rnn_doctor.schema.report import Evidence
from rnn_doctor.schema.rule import Clause
from rnn_doctor.schema.signals import RUN, Measurement, Signal, Signals

State = Literal["holds", "fails", "unknown"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one clause says about one subject: the evidence where it holds, the reason where it is unknown."""

    state: State
    evidence: Evidence | None = None
    reason: str | None = None
    option: str | None = None
    """The option that would tell, where it is unknown for want of that."""


def judge(clause: Clause, signals: Signals, subject: str) -> Outcome:
    """The outcome of a clause on a subject; a run-level signal speaks for every subject.

    A NaN fails every numeric comparison: a rule about numbers says nothing where there are none.
    """
    signal = signals.signals.get(clause.signal)
    measurement = None if signal is None else measured(signal, subject)
    if signal is None or measurement is None:
        return Outcome("unknown", reason=f"{clause.signal} was not measured")
    value = measurement.value
    if value is None:
        reason = measurement.absent or f"{clause.signal} was not measured"
        return Outcome("unknown", reason=reason, option=measurement.option)
    if clause.is_ is None and not _is_number(value):
        return Outcome("unknown", reason=f"{clause.signal} is {value!r}, which is not a number")
    if not _holds(clause, value):
        return Outcome("fails")
    return Outcome("holds", evidence=quote(signal, measurement, clause))


def measured(signal: Signal, subject: str) -> Measurement | None:
    """What a signal says about a subject; None where it did not look at it."""
    return signal.measurements.get(RUN if signal.by == "run" else subject)


def quote(signal: Signal, measurement: Measurement, clause: Clause | None = None) -> Evidence:
    """A measurement as evidence, with the threshold of the clause it satisfied, if any."""
    return Evidence(
        signal=signal.name,
        value=measurement.value,
        interval=measurement.interval,
        unit=signal.unit,
        threshold=None if clause is None else threshold(clause),
        because=None if clause is None else clause.because,
    )


def threshold(clause: Clause) -> str:
    """The comparison in words: `> 3`, `< 0.5`, `2 to 5`, `is true`."""
    if clause.above is not None:
        return f"> {clause.above:g}"
    if clause.below is not None:
        return f"< {clause.below:g}"
    if clause.between is not None:
        return "{:g} to {:g}".format(*clause.between)
    return f"is {str(clause.is_).lower() if isinstance(clause.is_, bool) else clause.is_}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _holds(clause: Clause, value: bool | float | str) -> bool:
    if clause.is_ is not None:
        return type(value) is type(clause.is_) and value == clause.is_
    assert isinstance(value, int | float)
    if clause.above is not None:
        return value > clause.above
    if clause.below is not None:
        return value < clause.below
    assert clause.between is not None
    low, high = clause.between
    return low <= value <= high
