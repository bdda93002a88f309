"""Where the validation loss goes since its best value, judged by the curve alone and the noise that it has."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from statistics import fmean

import numpy as np

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.trends import mann_kendall, thin
from rnn_doctor.derive.validation import WINDOW, too_few_validations, validations
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.validating import Evaluation

_SIGNIFICANT = 1.96
"""Standard errors of an autocorrelation of white noise, 1 / sqrt(n), beyond which it counts."""

_ROUNDING = 1e-9
"""Of the range of the values: less than that is left by rounding."""


def best(series: Sequence[Evaluation]) -> int:
    """Index of the evaluation with the smallest loss."""
    return min(range(len(series)), key=lambda k: series[k].loss or 0.0)


def window(series: Sequence[Evaluation]) -> int:
    """Index of the first evaluation that the trends look at: the one after the best, or that of the last ten.

    Since the best, so that a loss that rose and then stays up is still seen to have risen. The best itself is left out:
    it is the smallest because it was chosen for that.
    """
    return min(best(series) + 1, len(series) - WINDOW)


def trend_z(values: Sequence[float]) -> float:
    """Mann-Kendall Z with the variance that autocorrelated noise has.

    A loss that wanders up and down shows trends of its own: neighbours that differ from the trend in the same direction
    count as fewer values. Of the ranks of what is left of the trend, the autocorrelations that are significant enlarge
    the variance; none makes it smaller. The trend is the best monotone curve: with a straight line, as in the source, a
    loss that rises to a new level and stays there passes for noise.

    Source: Hamed & Rao 1998, A modified Mann-Kendall trend test for autocorrelated data.
    """
    z = mann_kendall(values)
    return z / math.sqrt(_inflation(thin(values), rising=z > 0))


Array = np.ndarray[tuple[int], np.dtype[np.float64]]


def _inflation(values: Array, *, rising: bool) -> float:
    """How many times larger the variance of Mann-Kendall's statistic is than that of independent values; at least 1."""
    n = len(values)
    rest = values - _monotone(values) if rising else values + _monotone(-values)
    if n < WINDOW or np.ptp(rest) <= _ROUNDING * np.ptp(values):
        return 1.0
    ranks = _centred_ranks(rest)
    power = float(ranks @ ranks)
    factor = 1.0
    for lag in range(1, n // 2):
        correlation = float(ranks[:-lag] @ ranks[lag:]) / power
        if correlation <= _SIGNIFICANT / n**0.5:
            break  # beyond the first that does not count, single ones are accidents of many looks
        factor += 2 * (n - lag) * (n - lag - 1) * (n - lag - 2) * correlation / (n * (n - 1) * (n - 2))
    return factor


def _monotone(values: Array) -> Array:
    """The curve that never falls and lies closest to the values: means of neighbours where they fall."""
    blocks: list[tuple[float, int]] = []
    for value in values.tolist():
        mean, size = value, 1
        while blocks and blocks[-1][0] > mean:
            before, width = blocks.pop()
            mean, size = (before * width + mean * size) / (width + size), width + size
        blocks.append((mean, size))
    return np.repeat([mean for mean, _ in blocks], [size for _, size in blocks])


def _centred_ranks(values: Array) -> Array:
    """Ranks less their mean; equal values share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[places] - (len(values) + 1) / 2


@signal(unit="Z", reads=("evaluations",))
def validation_trend_z(view: View) -> Measurement:
    """Mann-Kendall Z of the validation losses since the best, at least of the last 10: above 2.33 they rise.

    2.33 is one-sided 1 %. Autocorrelation enlarges the variance.

    Reads: `log.evaluations[i].loss`. Unit: Z. None if: fewer than 10 validations.
    Source: Mann 1945; Kendall 1975; Hamed & Rao 1998.
    """
    series, why = view.once(validations)
    if len(series) < WINDOW:
        return unknown(why or too_few_validations(view, len(series)))
    return known(trend_z([e.loss for e in series[window(series) :] if e.loss is not None]), n=len(series))


@signal(unit="Z", reads=("evaluations", "steps.loss"))
def training_trend(view: View) -> Measurement:
    """Mann-Kendall Z of the mean training loss before each of the validations that validation_trend_z looks at.

    Below -1.64 the training loss falls.

    Reads: `log.steps[k].loss`, `log.evaluations[i].step`. Unit: Z.
    None if: fewer than 10 validations, or no training loss.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    series, why = view.once(validations)
    if len(series) < WINDOW:
        return unknown(why or too_few_validations(view, len(series)))
    means = training_means(view, series)
    if len(means) < WINDOW:
        return unknown("no training loss was seen between the validations")
    since = series[window(series)].step
    late = [mean for step, mean in means if step >= since]
    return known(mann_kendall(late if len(late) >= WINDOW else [m for _, m in means[-WINDOW:]]), n=len(means))


def training_means(view: View, series: Sequence[Evaluation]) -> list[tuple[int, float]]:
    """The step of each evaluation, with the mean training loss since the one before, where there is any."""
    steps = [step for step in view.finite_steps if step.loss is not None]
    numbers = [step.step for step in steps]
    found, begin = [], 0
    for evaluation in series:
        end = bisect_right(numbers, evaluation.step)
        losses = [step.loss for step in steps[begin:end] if step.loss is not None]
        begin = max(begin, end)
        if losses:
            found.append((evaluation.step, fmean(losses)))
    return found
