"""What simpler means say of the same runs: fixed thresholds, as blogs and courses give them."""

import math
from statistics import fmean, median

from rnn_doctor.schema.runlog import RunLog

NAMES: dict[str, tuple[str, ...]] = {
    "norm above 100": ("exploding", "step-too-large", "not-finite"),
    "norm below 1e-7": ("vanishing", "saturated-start", "deep-stack"),
    "update ratio below 1e-3": ("step-too-small", "over-clipping", "decay-too-fast"),
    "plateau": (),
}
"""The naive rules, and the faults that each names the cause of."""
CONDITIONS = {
    "norm above 100": "exploding_gradients",
    "norm below 1e-7": "vanishing_gradients",
    "update ratio below 1e-3": "slow_convergence",
    "plateau": "slow_convergence",
}


def naive(log: RunLog) -> list[str]:
    """The naive rules that fire: gradient norm above 100 or below 1e-7, update ratio, loss within 1 % of its start."""
    norms = [s.grad_norm for s in log.steps if s.grad_norm is not None]
    losses = [s.loss for s in log.steps if s.loss is not None]
    ratios = [
        u / w
        for sample in log.samples
        for u, w in zip(sample.update_norm, sample.weight_norm, strict=True)
        if u is not None and w
    ]
    alarms = []
    if any(not norm <= 100 for norm in norms):  # NaN too
        alarms.append("norm above 100")
    if any(norm < 1e-7 for norm in norms):
        alarms.append("norm below 1e-7")
    if ratios and median(ratios) < 1e-3:
        alarms.append("update ratio below 1e-3")
    if len(losses) >= 20:
        first, last = fmean(losses[:10]), fmean(losses[-10:])
        if not math.isfinite(last) or last > first - 0.01 * abs(first):
            alarms.append("plateau")
    return alarms
