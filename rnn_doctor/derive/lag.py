"""How much of a gradient survives the way back through time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rnn_doctor.derive.data_lag import DOMINANT, informative, most_told, told_together
from rnn_doctor.derive.gradients import first_non_finite
from rnn_doctor.derive.needed_lag import NO_LAG, bound, needed, told_by_data
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import each_module
from rnn_doctor.derive.view import View
from rnn_doctor.schema.recurrence import DataLag, LagGain
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
    """The last profile of each direction of a module that was measured while all values were finite.

    What is NaN hands no gradient on, and says nothing of how far one reached.
    """
    broken = view.once(first_non_finite)
    sound = [r for r in _profiles(view, module) if broken is None or r.step < broken.step]
    return list({record.reverse: record for record in sound}.values())


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


class _Judged(NamedTuple):
    """The lag that decides, and what is left of the gradient over it."""

    lag: int
    gain: float
    rows: int


def _judged(view: View, module: int) -> _Judged | str:
    """The gain that speaks for every lag that may be needed; or why none does.

    Where the lag is not given but a set of lags that may be needed is known, the gain must be too small at all of
    them, or large enough at all of them.
    """
    records = _latest(view, module)
    if not records:
        return NO_LAG if needed(view, module) is None else _absent(view, module)
    gains = {
        lag: gain
        for lag in range(max(max(r.lags) for r in records) + 1)
        if (gain := _best(records, lag)) is not None
    }
    longest, rows = max(gains), max(r.rows for r in records)
    if view.lag is not None:
        if view.lag not in gains:
            return f"its sequences reach back {longest} steps, not {view.lag}"
        return _Judged(view.lag, gains[view.lag], rows)
    told = told_by_data(view, module)
    if told is not None:
        return _by_data(told, gains, rows)
    most = bound(view, module).value
    return _by_bound(int(most), gains, rows) if isinstance(most, int | float) else NO_LAG


def _by_module(view: View) -> dict[int, _Judged | str]:
    return {module: _judged(view, module) for module in view.module_names}


def _by_bound(most: int, gains: dict[int, float], rows: int) -> _Judged | str:
    """The longest lag that the loss can ask for, where the gradient reaches it; shorter ones may be all it needs."""
    if most in gains and gains[most] >= USABLE:
        return _Judged(most, gains[most], rows)
    far = min(most, max(gains))
    return (
        f"the loss reads the last step alone, and over {far} steps the gradient shrinks to 10^{gains[far]:.1f}: "
        "that matters if your targets depend on inputs so far back (say with --lag how far they do)"
    )


def _by_data(told: DataLag, gains: dict[int, float], rows: int) -> _Judged | str:
    """The nearest of the lags that tell of the target, where no gradient reaches any of them; the longest, where it
    reaches all."""
    lags = informative(told)
    near, far = lags[0], lags[-1]
    where = f"lag {near}" if near == far else f"lags {near} to {far}"
    known_lags = [lag for lag in lags if lag in gains]
    if not known_lags:
        return f"the data tell of the target at {where}, where its backward gain was not measured"
    # Of lags that keep as much the longest: where no gradient passes at all it is gone at each of them.
    best = max(known_lags, key=lambda lag: (gains[lag], lag))
    worst = min(known_lags, key=gains.__getitem__)
    if gains[worst] >= USABLE and known_lags == lags:
        if told_together(told, lags) >= DOMINANT:
            return _Judged(worst, gains[worst], rows)
        return (
            f"the data tell of the target at {where}, where a gradient reaches, but less than half of it "
            "(say with --lag how far back the rest depends)"
        )
    if gains[best] < USABLE and near in gains and most_told(told, lags) >= DOMINANT:
        return _Judged(best, gains[best], rows)
    return (
        f"the data tell of the target at {where}, and over {worst} steps the gradient shrinks to "
        f"10^{gains[worst]:.1f}: that matters if they tell there what they do not tell nearer (say with --lag)"
    )


def _best(records: list[LagGain], lag: int) -> float | None:
    """log10 gain of the direction that keeps more; None where none was measured so far."""
    return max((gain for record in records if (gain := _at(record, lag)) is not None), default=None)


@signal(unit="decades", by="module", reads=("lag_gains", "loops", "data_lags", "readouts", "state_flows"))
def lag_gain(view: View) -> dict[str, Measurement]:
    """log10 of the backward gain over the lag that the task needs, of the direction that keeps more.

    With --lag at that lag. Without it, by the data-lag test: the largest gain over the lags that tell of the target,
    where all are below the usable one and one lag tells at least half of it; the smallest, where none is and
    they tell at least half of it. Else by what the loss reads: at the longest lag that it can ask for, where that is
    still usable.

    Reads: `log.lag_gains`, the last of each direction before anything was NaN or Inf; what `needed_lag` reads.
    Unit: decades; -3 is a thousandth.
    None if: the lags that may be needed are not known or would be judged differently, no profile was measured, or the
    sequences are shorter.
    Source: Bengio et al. 1994; Pascanu et al. 2013.
    """

    def measure(module: int) -> Measurement:
        found = view.once(_by_module)[module]
        return unknown(found) if isinstance(found, str) else known(found.gain, n=found.rows)

    return each_module(view, measure)


@signal(unit="decades", by="module", reads=("lag_gains", "loops", "data_lags", "readouts", "state_flows"))
def lag_gain_elsewhere(view: View) -> dict[str, Measurement]:
    """The same of the other recurrent module of the network that keeps most over the lag that it is judged by.

    What the one loses the other may remember, in a stack with skips around its layers as well as side by side.

    Reads: as lag_gain. Unit: decades. None if: there is no other module, or lag_gain is not known of any.
    """

    def measure(module: int) -> Measurement:
        gains = [
            found.gain
            for other, found in view.once(_by_module).items()
            if other != module and not isinstance(found, str)
        ]
        return known(max(gains), n=len(gains)) if gains else unknown("no other module's gain is known")

    return each_module(view, measure)


@signal(unit="decades", by="module", reads=("lag_gains", "loops", "data_lags", "readouts", "state_flows"))
def lag_gain_start(view: View) -> dict[str, Measurement]:
    """log10 of the backward gain over the lag that the task needs before the first update.

    Reads: as lag_gain, `log.lag_gains` of step 1. Unit: decades. None if: as lag_gain, or no profile was measured then.
    """

    def measure(module: int) -> Measurement:
        found = view.once(_by_module)[module]
        if isinstance(found, str):
            return unknown(found)
        records = _first(view, module)
        gain = _best(records, found.lag)
        return unknown(_absent_at_first(view, module)) if gain is None else known(gain, n=len(records))

    return each_module(view, measure)


@signal(unit="claim", by="module", reads=("lag_gains", "loops", "data_lags", "readouts", "state_flows"))
def lag_gain_lost_in_training(view: View) -> dict[str, Measurement]:
    """Whether the updates took away most of the decades that the gradient loses over the lag that the task needs.

    Reads: as lag_gain and lag_gain_start. Unit: claim. None if: one of them is not known.
    """
    now, start = lag_gain(view), lag_gain_start(view)
    assert isinstance(now, dict)
    assert isinstance(start, dict)

    def measure(module: int) -> Measurement:
        name = view.module_names[module]
        if now[name].value is None or start[name].value is None:
            return unknown((now[name].absent or start[name].absent) or "")
        return known(_value(now[name]) < 2 * min(_value(start[name]), 0.0), n=now[name].n)

    return each_module(view, measure)


@signal(unit="steps", by="module", reads=("lag_gains", "data_lags", "readouts", "state_flows"))
def judged_lag(view: View) -> dict[str, Measurement]:
    """The lag at which `lag_gain` was taken.

    Reads: what `lag_gain` reads. Unit: steps. None if: there is no lag gain.
    """

    def measure(module: int) -> Measurement:
        found = view.once(_by_module)[module]
        return unknown(found) if isinstance(found, str) else known(found.lag)

    return each_module(view, measure)


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
    rows and cotangents. Of several layers it is at most that of the fastest layer alone: the many ways through a
    stack make its profile rise at first, though nothing grows.

    Reads: `log.lag_gains`, the first of each direction, and of each layer. Unit: decades a step; 0.01 doubles the
    gain in 30 steps. None if: no profile of four lags or more was measured at the first update.
    Source: Sen 1968; the largest Lyapunov exponent, backward (Engelken, Wolf, Abbott 2023).
    """

    def measure(module: int) -> Measurement:
        records = [record for record in _first(view, module) if len(record.lags) >= FEWEST_LAGS]
        slopes = [_slopes(record) for record in records]
        if not slopes:
            return unknown(_absent_at_first(view, module))
        whole = _spread(max(slopes, key=_median))
        alone = _layer_slopes(view, module)
        return known(max(alone), n=len(alone)) if alone and max(alone) < _value(whole) else whole

    return each_module(view, measure)


def _layer_slopes(view: View, module: int) -> list[float]:
    """The slope of each layer alone before the first update; none where the module has but one."""
    return [
        _slope(r.lags, r.decades)
        for r in view.log.lag_gains
        if r.module == module and r.step == 1 and r.layer is not None and len(r.lags) >= FEWEST_LAGS
    ]


def _value(measured: Measurement) -> float:
    return float(measured.value) if measured.value is not None else -np.inf


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

    What the first step gains beyond the second is no growth: where a read-out passes a saturated tanh next to nothing
    reaches the state of its own step, and far more those before it, through their gates.

    Reads: `log.lag_gains`, the first of each direction. Unit: decades; the larger of two directions.
    None if: no profile was measured at the first update.
    """

    def measure(module: int) -> Measurement:
        records = _first(view, module)
        if not records:
            return unknown(_absent_at_first(view, module))
        return known(max(_growth(r) for r in records), n=max(r.rows for r in records))

    return each_module(view, measure)


def _growth(record: LagGain) -> float:
    """Its decades at the longest lag, less what its first step gained beyond the second."""
    if len(record.decades) < 3:
        return record.decades[-1]
    _, first, second = record.decades[:3]
    return record.decades[-1] - max(first - (second - first), 0.0)


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))


def _spread(values: Sequence[float]) -> Measurement:
    """Their median, with the range of several as interval: too few for percentiles."""
    measured = known(_median(values), n=len(values))
    if len(values) < 2:
        return measured
    return measured.model_copy(update={"interval": (min(values), max(values))})
