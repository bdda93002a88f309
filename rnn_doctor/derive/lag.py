"""How much of a gradient survives the way back through time."""

from collections.abc import Sequence

import numpy as np

from rnn_doctor.derive.needed_lag import NO_LAG
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import each_module
from rnn_doctor.derive.view import View
from rnn_doctor.schema.recurrence import LagGain
from rnn_doctor.schema.signals import Measurement

USABLE = -3.0
"""Decades that an optimizer bridges: 82 of 84 networks with a gain above 1e-3 at the needed lag learned a
delayed-recall task within 800 updates."""

FEWEST_LAGS = 4
"""Lags that a slope needs."""

_NOT_MEASURED = "its backward gain was not measured"


def _profiles(view: View, module: int) -> list[LagGain]:
    """Those of the whole module, in both directions, at every step where it was measured."""
    return [r for r in view.log.lag_gains if r.module == module and r.layer is None and r.lags]


def _latest(view: View, module: int) -> list[LagGain]:
    """The last profile of each direction of a module."""
    return list({record.reverse: record for record in _profiles(view, module)}.values())


def _first(view: View, module: int) -> list[LagGain]:
    """The profile of each direction before the first update."""
    return [record for record in _profiles(view, module) if record.step == 1]


def _absent(view: View, module: int, at: str = "") -> str:
    """Why there is no profile, as far as the probe knows."""
    reasons = [loop.absent for loop in view.log.loops if loop.module == module and loop.absent]
    return f"{_NOT_MEASURED}{at}" + (f": {reasons[0]}" if reasons else "")


def _absent_at_first(view: View, module: int) -> str:
    return _absent(view, module, " at the first update")


def _at(record: LagGain, lag: int) -> float | None:
    """log10 gain at a lag, interpolated between the lags that were measured; None beyond the longest."""
    if lag > max(record.lags):
        return None
    order = np.argsort(record.lags)
    lags, decades = np.array(record.lags)[order], np.array(record.decades)[order]
    if not np.isfinite(decades).all():
        decades = np.where(np.isfinite(decades), decades, -45.0)  # exactly 0, below the range of float32
    return float(np.interp(lag, lags, decades))


def _horizon(record: LagGain) -> float:
    """The first lag at which the gain is below the usable one; the longest measured where it never is."""
    for lag in range(1, max(record.lags) + 1):
        gain = _at(record, lag)
        if gain is not None and gain < USABLE:
            return float(lag - 1)
    return float(max(record.lags))


@signal(unit="decades", by="module", reads=("lag_gains", "loops"))
def lag_gain(view: View) -> dict[str, Measurement]:
    """log10 of the backward gain over the lag that the task needs, of the direction that keeps more.

    Reads: `log.lag_gains`, the last of each direction. Unit: decades; -3 is a thousandth.
    None if: the lag is not known (--lag), no profile was measured, or the sequences are shorter.
    Source: Bengio et al. 1994; Pascanu et al. 2013.
    """
    found = {}
    for number, name in view.module_names.items():
        location = view.log.modules[number].location
        records = _latest(view, number)
        if view.lag is None:
            found[name] = unknown(NO_LAG, location=location)
        elif not records:
            found[name] = unknown(_absent(view, number), location=location)
        else:
            gains = [g for r in records if (g := _at(r, view.lag)) is not None]
            longest = max(max(r.lags) for r in records)
            found[name] = (
                known(max(gains), n=max(r.rows for r in records), location=location)
                if gains
                else unknown(f"its sequences reach back {longest} steps, not {view.lag}", location=location)
            )
    return found


@signal(unit="steps", by="module", reads=("lag_gains", "loops"))
def usable_horizon(view: View) -> dict[str, Measurement]:
    """How many steps back the gradient keeps a thousandth of its size, of the direction that keeps more.

    The longest lag that was measured where it never falls below.

    Reads: `log.lag_gains`, the last of each direction. Unit: steps. None if: no profile was measured.
    """
    found = {}
    for number, name in view.module_names.items():
        location = view.log.modules[number].location
        records = _latest(view, number)
        found[name] = (
            known(max(map(_horizon, records)), n=max(r.rows for r in records), location=location)
            if records
            else unknown(_absent(view, number), location=location)
        )
    return found


@signal(unit="decades a step", by="module", reads=("lag_gains", "loops"))
def lag_slope_start(view: View) -> dict[str, Measurement]:
    """By how many decades the backward gain changes a step of time before the first update, of the faster direction.

    Theil-Sen slope over the lags from 1 on, so that no single lag decides it; the interval is the range over
    rows and cotangents.

    Reads: `log.lag_gains`, the first of each direction. Unit: decades a step; 0.01 doubles the gain in 30 steps.
    None if: no profile of four lags or more was measured at the first update.
    Source: Sen 1968; the largest Lyapunov exponent, backward (Engelken, Wolf, Abbott 2023).
    """

    def measure(module: int) -> Measurement:
        records = [record for record in _first(view, module) if len(record.lags) >= FEWEST_LAGS]
        slopes = [_slopes(record) for record in records]
        return _spread(max(slopes, key=_median)) if slopes else unknown(_absent_at_first(view, module))

    return each_module(view, measure)


def _slopes(record: LagGain) -> list[float]:
    """The slope of each row and cotangent; of the median profile alone where they were not kept."""
    return [_slope(record.lags, row) for row in record.samples or (record.decades,)]


def _slope(lags: Sequence[int], decades: Sequence[float]) -> float:
    """Theil-Sen over lags from 1 on that still have a gradient."""
    pairs = [(x, y) for x, y in zip(lags, decades, strict=True) if x >= 1 and np.isfinite(y)]
    slopes = [(y - v) / (x - u) for k, (x, y) in enumerate(pairs) for u, v in pairs[:k]]
    return float(np.median(slopes)) if slopes else -np.inf


@signal(unit="decades", by="module", reads=("lag_gains", "loops"))
def lag_gain_longest(view: View) -> dict[str, Measurement]:
    """log10 of the backward gain over the longest lag that was measured before the first update.

    Reads: `log.lag_gains`, the first of each direction. Unit: decades; the larger of two directions.
    None if: no profile was measured at the first update.
    """

    def measure(module: int) -> Measurement:
        records = _first(view, module)
        if not records:
            return unknown(_absent_at_first(view, module))
        return known(max(r.decades[-1] for r in records), n=max(r.rows for r in records))

    return each_module(view, measure)


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))


def _spread(values: Sequence[float]) -> Measurement:
    """Their median, with the range of several as interval: too few for percentiles."""
    measured = known(_median(values), n=len(values))
    if len(values) < 2:
        return measured
    return measured.model_copy(update={"interval": (min(values), max(values))})
