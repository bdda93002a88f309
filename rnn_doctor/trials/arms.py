"""What a remedy changes of a run, as far as that can be done without an edit of the script."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rnn_doctor.schema.remedy import Remedy
from rnn_doctor.schema.report import Report
from rnn_doctor.schema.runlog import RunLog

_HEALTHY = 5
"""Updates at the start whose norms tell the usual one: an explosion has not come yet."""
_SNIPPET = 1.0
"""The limit of the remedy's snippet."""
_ADAM = 1e-3
_STANDARD = ("lower-learning-rate", "raise-learning-rate", "adam-optimizer")
"""What is tried on every run: no statistic of fifty updates tells a rate from one ten times as large."""
_ADAPTIVE = ("Adam", "RMSprop", "Adagrad", "Adadelta", "Rprop", "LBFGS")


@dataclass(frozen=True, eq=False)
class Arm:
    """One way to apply a remedy."""

    remedy: str
    intervention: str
    """One of `capture/probe/interventions/applying.py`."""
    values: Mapping[str, Any]
    words: str
    """What is done, as a noun phrase."""


@dataclass(frozen=True)
class Clues:
    """What the observed run tells of the sizes that remedies need."""

    norms: tuple[float, ...]
    """Finite gradient norms before clipping, by update."""
    limit: float | None
    """The script's own, of a clip call."""
    lag: int | None
    """How far back the task must remember."""
    steps: int


def clues(log: RunLog, report: Report, lag: int | None) -> Clues:
    """Those of a run log and its report; `lag` as the user gave it."""
    norms = [float(s.grad_norm) for s in log.steps if s.grad_norm is not None and math.isfinite(s.grad_norm)]
    limits = [float(s.clip_limit) for s in log.steps if s.clip_limit is not None]
    told = [
        float(m.value)
        for signal in report.signals
        if signal.name == "needed_lag"
        for m in signal.measurements.values()
        if isinstance(m.value, (int, float))
    ]
    needed = lag or int(max(told, default=0.0)) or None
    return Clues(tuple(norms), limits[-1] if limits else None, needed, len(log.steps))


def _rates(*factors: float) -> Callable[[Clues], list[tuple[str, dict[str, Any], str]]]:
    return lambda _: [("rate", {"factor": f}, f"the learning rate times {f:g}") for f in factors]


def _simply(name: str, words: str, **values: Any) -> Callable[[Clues], list[tuple[str, dict[str, Any], str]]]:
    return lambda _: [(name, values, words)]


def _clips(clues: Clues) -> list[tuple[str, dict[str, Any], str]]:
    limits = [_SNIPPET, *([statistics.median(clues.norms[:_HEALTHY])] if clues.norms else [])]
    return [
        ("clip", {"limit": limit}, f"the gradient norm clipped to {limit:.3g}") for limit in limits if limit
    ]


def _clips_in_time(clues: Clues) -> list[tuple[str, dict[str, Any], str]]:
    if clues.limit is None:
        return []
    return [("clip", {"limit": clues.limit}, f"clipping to {clues.limit:g} before the update")]


def _wider_limits(clues: Clues) -> list[tuple[str, dict[str, Any], str]]:
    if len(clues.norms) < 2:
        return []
    limit = statistics.quantiles(clues.norms, n=10)[-1]
    return [("limit", {"limit": limit}, f"the limit of clipping raised to {limit:.3g}")]


def _spreads(clues: Clues) -> list[tuple[str, dict[str, Any], str]]:
    if clues.lag is None:
        return []
    return [("memory", {"lag": clues.lag}, f"biases spread over lags up to {clues.lag}")]


def _warms_up(clues: Clues) -> list[tuple[str, dict[str, Any], str]]:
    updates = max(2, clues.steps // 2)
    return [("warm_up", {"updates": updates}, f"a warm-up of {updates} updates")]


WAYS: Mapping[str, Callable[[Clues], list[tuple[str, dict[str, Any], str]]]] = {
    "lower-learning-rate": _rates(0.1, 0.01),
    "raise-learning-rate": _rates(10.0, 100.0),
    "learning-rate-warmup": _warms_up,
    "slow-the-decay": _simply("hold_rate", "the learning rate held at its highest"),
    "remove-weight-decay": _simply("no_decay", "no weight decay"),
    "clip-gradient-norm": _clips,
    "clip-before-step": _clips_in_time,
    "raise-clip-threshold": _wider_limits,
    "adam-optimizer": _simply("adam", f"Adam at {_ADAM:g}", rate=_ADAM),
    "clear-gradients": _simply("clear", "gradients cleared after each update"),
    "orthogonal-initialization": _simply("orthogonal", "orthogonal recurrent weights"),
    "xavier-initialization": _simply("xavier", "weights drawn after Xavier, gate by gate"),
    "he-initialization": _simply("identity", "recurrent weights that start as the identity"),
    "forget-gate-bias": _simply("memory", "a forget bias of 1", bias=1.0),
    "chrono-initialization": _spreads,
    "reinitialize-weights": _simply("fresh", "weights drawn anew, as torch does"),
    "layer-normalization": _simply("normalize", "normalized outputs of the recurrent layers"),
    "standardize-inputs": _simply("standardize", "standardized inputs of the recurrent layers"),
}
"""By the id of a remedy: its interventions, none where this run does not tell a size that it needs."""


def arms(report: Report, known: Clues, *, only: Iterable[str] = ()) -> list[Arm]:
    """What to try: the remedies of the report in their order, then what is tried on every run; or `only` these.

    What the findings warn of is not tried, but where it is asked for.
    """
    warned = {each.id for each in report.contraindications}
    adaptive = any(name in kind for kind in report.subject.optimizers for name in _ADAPTIVE)
    standard = [each for each in _STANDARD if not (each == "adam-optimizer" and adaptive)]
    wanted = tuple(only) or (
        *(each.id for each in report.remedies),
        *(each for each in standard if each not in warned),
    )
    recommended = {each.id for each in report.remedies}
    found = []
    for remedy in dict.fromkeys(wanted):
        ways = WAYS[remedy](known) if remedy in WAYS else []
        if remedy not in recommended and not tuple(only):
            ways = ways[:1]
        found += [Arm(remedy, *way) for way in ways]
    return found


def standing_in_the_way(report: Report, remedies: Mapping[str, Remedy]) -> str | None:
    """The title of a certain repair that no trial can apply: what is tried beside such a fault tells nothing."""
    for each in report.remedies:
        if each.basis == "certain" and each.id not in WAYS and remedies[each.id].kind == "repair":
            return each.title
    return None
