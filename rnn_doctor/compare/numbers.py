"""Signals that moved from one report to another: beyond their noise where that is known, else by a stated change."""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rnn_doctor.schema.comparison import Basis, ChangedClaim, MovedNumber
from rnn_doctor.schema.identity import settled
from rnn_doctor.schema.report import Report
from rnn_doctor.schema.signals import Measurement, Signal

FACTOR = 2.0
"""A number without a known noise has moved when it is this many times larger or smaller, or has changed its sign."""
SHARE = 0.1
"""A share has moved by this much of the whole: twice a thousandth is a thousandth more."""
DECADES = math.log10(FACTOR)
"""The same factor, in numbers that are logarithms already."""
Z = 1.96 * math.sqrt(2)
"""Z statistics have a standard deviation of 1, their difference one of the square root of 2; at 95 %."""

BASES: Mapping[str, str] = {
    "intervals": "numbers whose 95 % intervals do not overlap",
    "z": f"Z statistics that differ by more than {Z:.1f}, 95 % of their difference",
    "decades": f"logarithms that differ by {DECADES:.1f} decades, a factor of {FACTOR:g}",
    "share": f"shares that differ by {100 * SHARE:g} points",
    "factor": f"numbers of which one is {FACTOR:g} times the other or more, or whose sign changed",
}
"""What each basis takes for a move. Only the first two know a noise; the others say what is shown, not what is sure.

Two intervals of equal width that just touch are 2.8 standard deviations of their difference apart: of 180 numbers that
have not changed one is shown."""


class Changes(NamedTuple):
    """What moved, what claims something else, and how many numbers were held against each other."""

    numbers: tuple[MovedNumber, ...]
    claims: tuple[ChangedClaim, ...]
    compared: int


def changes(old: Report, new: Report) -> Changes:
    """What changed among the signals that both reports measured on the same subject."""
    numbers: list[MovedNumber] = []
    claims: list[ChangedClaim] = []
    compared = 0
    for signal, subject, before, after in _pairs(old, new):
        a, b = before.value, after.value
        if isinstance(a, bool | str) or isinstance(b, bool | str):
            if type(a) is type(b) and a != b:
                claims.append(ChangedClaim(signal=signal.name, subject=subject, old=a, new=b))
        elif a is not None and b is not None:
            compared += 1
            basis = _basis(signal, before, after)
            if _moved(a, b, before.interval, after.interval, basis):
                numbers.append(
                    MovedNumber(
                        signal=signal.name,
                        subject=subject,
                        unit=signal.unit,
                        old=a,
                        new=b,
                        old_interval=before.interval,
                        new_interval=after.interval,
                        basis=basis,
                    )
                )
    quoted = {piece.signal for report in (old, new) for f in report.findings for piece in f.evidence}
    numbers.sort(key=lambda n: (n.signal not in quoted, -_distance(n), n.signal, n.subject))
    return Changes(tuple(numbers), tuple(claims), compared)


def _pairs(old: Report, new: Report) -> Iterator[tuple[Signal, str, Measurement, Measurement]]:
    """Measurements of one signal on one subject, which the new report names; a moved line makes no other subject."""
    before = {signal.name: signal for signal in old.signals}
    for signal in new.signals:
        other = before.get(signal.name)
        if other is None or other.unit != signal.unit:
            continue
        names = {settled(subject): subject for subject in other.measurements}
        for subject, measurement in signal.measurements.items():
            same = subject if subject in other.measurements else names.get(settled(subject))
            if same is not None:
                yield signal, subject, other.measurements[same], measurement


def _basis(signal: Signal, old: Measurement, new: Measurement) -> Basis:
    if old.interval is not None and new.interval is not None:
        return "intervals"
    if signal.unit in ("Z", "decades", "share"):
        known: dict[str, Basis] = {"Z": "z", "decades": "decades", "share": "share"}
        return known[signal.unit]
    return "factor"


def _moved(
    old: float,
    new: float,
    old_interval: tuple[float, float] | None,
    new_interval: tuple[float, float] | None,
    basis: Basis,
) -> bool:
    if not (math.isfinite(old) and math.isfinite(new)):
        return str(old) != str(new)
    if basis == "intervals":
        assert old_interval is not None
        assert new_interval is not None
        return old_interval[1] < new_interval[0] or new_interval[1] < old_interval[0]
    if basis == "factor":
        return _ratio(old, new) >= FACTOR
    return abs(new - old) >= {"z": Z, "decades": DECADES, "share": SHARE}[basis]


def _ratio(old: float, new: float) -> float:
    """How many times the larger is the smaller; infinite where the sign changed."""
    small, large = sorted((abs(old), abs(new)))
    if old == new:
        return 1.0
    return math.inf if old * new <= 0 else large / small


def _distance(moved: MovedNumber) -> float:
    """For the order alone: factors as logarithms, differences in what makes a move."""
    if not (math.isfinite(moved.old) and math.isfinite(moved.new)):
        return math.inf
    difference = abs(moved.new - moved.old)
    if moved.basis == "z":
        return difference / Z
    if moved.basis == "decades":
        return difference / DECADES
    if moved.basis == "share":
        return difference / SHARE
    return math.log(_ratio(moved.old, moved.new)) / math.log(FACTOR)
