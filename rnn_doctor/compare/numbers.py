"""Signals that moved from one report to another: beyond their noise where repeats tell it, else by a stated change."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

from rnn_doctor.compare.repeats import LEVEL, expected
from rnn_doctor.schema.comparison import Basis, ChangedClaim, MovedNumber
from rnn_doctor.schema.identity import settled
from rnn_doctor.schema.report import Report
from rnn_doctor.schema.signals import Measurement, Signal

FACTOR = 2.0
"""A number without a known noise is shown when it is this many times larger or smaller, or has changed its sign."""
SHARE = 0.1
"""A share is shown when it differs by this much of the whole: twice a thousandth is a thousandth more."""
DECADES = 1.0
"""Logarithms are of products over many steps, which differ by a factor of 2 in half of all pairs of seeds."""
Z = NormalDist().inv_cdf(0.995) * math.sqrt(2)
"""Far from 0 Z statistics scatter by more than this: 99 % of the difference of two that are near 0."""
_ADDING = frozenset({"Z", "share", "decades", "decades a step", "slope", "share per update"})
"""Units whose numbers scatter by differences; others do so by factors."""

BASES: Mapping[str, str] = {
    "repeats": f"numbers outside of what {100 * LEVEL:g} % of further old runs would give, as the repeats tell",
    "intervals": "numbers whose intervals do not overlap (which tell of one run, not of another seed)",
    "z": f"Z statistics that differ by more than {Z:.1f}",
    "decades": "logarithms that differ by a decade, a factor of 10",
    "share": f"shares that differ by {100 * SHARE:g} points",
    "factor": f"numbers of which one is {FACTOR:g} times the other or more, or whose sign changed",
}
"""What each basis takes for a move. Only the first knows a noise; the others say what is shown, not what is sure.

An interval holds what one run leaves open. Between seeds, where nothing else had changed, 26 % of them lay apart, and Z
statistics of one script went from -23 to -46; of the numbers held against repeats 2 % were told (benchmarks/noise.py).
"""
_STEP: Mapping[Basis, float] = {"z": Z, "decades": DECADES, "share": SHARE}
"""Differences that make a move."""
KNOWN: frozenset[Basis] = frozenset({"repeats"})
"""The bases that know a noise."""


class Changes(NamedTuple):
    """What moved, what differs by no one knows how much more than noise, and what claims something else."""

    moved: tuple[MovedNumber, ...]
    unsure: tuple[MovedNumber, ...]
    claims: tuple[ChangedClaim, ...]
    held: Mapping[Basis, int]
    """Numbers that both sides have, by what they were held against."""

    @property
    def compared(self) -> int:
        """How many numbers both sides have."""
        return sum(self.held.values())

    @property
    def known(self) -> int:
        """How many of them have a noise that is known."""
        return sum(count for basis, count in self.held.items() if basis in KNOWN)


def changes(olds: Sequence[Report], new: Report) -> Changes:
    """What changed among the signals that both sides measured on the same subject; the old reports are repeats."""
    held: list[tuple[MovedNumber, bool]] = []
    claims: list[ChangedClaim] = []
    for signal, subject, before, after in _pairs(olds, new):
        told = [each.value for each in before if each.value is not None]
        if after.value is None or not told:
            continue
        if isinstance(after.value, bool | str) or isinstance(told[0], bool | str):
            if isinstance(told[0], bool | str) and _claims_else(told, after.value):
                claims.append(ChangedClaim(signal=signal.name, subject=subject, old=told[0], new=after.value))
        else:
            held.append(_held(signal, subject, before, after))
    quoted = {piece.signal for report in (olds[0], new) for f in report.findings for piece in f.evidence}
    moved = sorted(
        (number for number, is_moved in held if is_moved),
        key=lambda n: (n.signal not in quoted, -_distance(n), n.signal, n.subject),
    )
    return Changes(
        moved=tuple(number for number in moved if number.basis in KNOWN),
        unsure=tuple(number for number in moved if number.basis not in KNOWN),
        claims=tuple(claims),
        held=Counter(number.basis for number, _ in held),
    )


def _pairs(
    olds: Sequence[Report], new: Report
) -> Iterator[tuple[Signal, str, Sequence[Measurement], Measurement]]:
    """A signal on one subject, which the new report names, in every report; a moved line makes no other subject."""
    before = [_by_subject(old) for old in olds]
    for signal in new.signals:
        for subject, measurement in signal.measurements.items():
            key = signal.name, signal.unit, settled(subject)
            exact = signal.name, signal.unit, subject
            same = [found for each in before if (found := each.get(exact) or each.get(key))]
            if same:
                yield signal, subject, same, measurement


def _by_subject(report: Report) -> dict[tuple[str, str, str], Measurement]:
    """Every measurement by signal, unit and subject, and by its subject without the line that it may be named by."""
    exact = {
        (signal.name, signal.unit, subject): measurement
        for signal in report.signals
        for subject, measurement in signal.measurements.items()
    }
    return {(name, unit, settled(subject)): each for (name, unit, subject), each in exact.items()} | exact


def _claims_else(told: Sequence[object], now: bool | str | float) -> bool:
    """Whether the old runs claimed something of the same kind, and none of them the same."""
    return type(now) is type(told[0]) and now not in told


def _held(
    signal: Signal, subject: str, olds: Sequence[Measurement], new: Measurement
) -> tuple[MovedNumber, bool]:
    """A number of both sides, with what it is held against, and whether it moved by that."""
    values = [float(each.value) for each in olds if isinstance(each.value, int | float)]
    now = float(new.value) if isinstance(new.value, int | float) else math.nan
    usual = expected(values, multiplies=signal.unit not in _ADDING) if math.isfinite(now) else None
    number = MovedNumber(
        signal=signal.name,
        subject=subject,
        unit=signal.unit,
        old=values[0] if usual is None else usual.centre,
        new=now,
        old_interval=None if usual else olds[0].interval,
        new_interval=new.interval,
        usual=None if usual is None else (usual.low, usual.high),
        basis="factor",
    )
    number = number.model_copy(update={"basis": _basis(number)})
    return number, _has_moved(number)


def _basis(number: MovedNumber) -> Basis:
    if number.usual is not None:
        return "repeats"
    if not (math.isfinite(number.old) and math.isfinite(number.new)):
        return "factor"
    if number.old_interval is not None and number.new_interval is not None:
        return "intervals"
    by_unit: Mapping[str, Basis] = {"Z": "z", "decades": "decades", "share": "share"}
    return by_unit.get(number.unit, "factor")


def _has_moved(number: MovedNumber) -> bool:
    old, new = number.old, number.new
    if number.usual is not None:
        return not number.usual[0] <= new <= number.usual[1]
    if not (math.isfinite(old) and math.isfinite(new)):
        return str(old) != str(new)
    if number.basis == "intervals":
        assert number.old_interval is not None
        assert number.new_interval is not None
        return (
            number.old_interval[1] < number.new_interval[0] or number.new_interval[1] < number.old_interval[0]
        )
    if number.basis == "factor":
        return _ratio(old, new) >= FACTOR
    return abs(new - old) >= _STEP[number.basis]


def _ratio(old: float, new: float) -> float:
    """How many times the larger is the smaller; infinite where the sign changed."""
    small, large = sorted((abs(old), abs(new)))
    if old == new:
        return 1.0
    return math.inf if old * new <= 0 else large / small


def _distance(moved: MovedNumber) -> float:
    """For the order alone: differences in what makes a move, factors as logarithms."""
    if not (math.isfinite(moved.old) and math.isfinite(moved.new)):
        return math.inf
    difference = abs(moved.new - moved.old)
    if moved.usual is not None:
        return _beyond(moved.usual, moved.old, moved.new)
    if moved.basis in _STEP:
        return difference / _STEP[moved.basis]
    return math.log(_ratio(moved.old, moved.new)) / math.log(FACTOR)


def _beyond(usual: tuple[float, float], centre: float, new: float) -> float:
    """How many times as far from the centre as the end of the range on its side."""
    reach = usual[1] - centre if new > centre else centre - usual[0]
    return abs(new - centre) / reach if reach > 0 else math.inf
