"""What tells a validation curve that rises from one that wanders: trends over different windows, with and without noise
that is correlated in time.

Curves by formula, so that what they do is known: `healthy` ones fall to a plateau or go on falling, `ill` ones rise
from a minimum by 6 to 60 % of it, go on or saturate. Each has noise of 0.5, 1, 2 or 4 %, white or autocorrelated (0.6,
0.9). Counted is how often each rule finds a rise (Z > 2.33 and above the best by more than 2 %), at the curve's end.
"""

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from rnn_doctor.derive.curve_trend import trend_z
from rnn_doctor.derive.looks import LASTING_RISE, smoothed_rise
from rnn_doctor.derive.trends import mann_kendall

CURVES = 40
"""Of each kind, length and noise."""
LENGTHS = (12, 20, 40, 100, 300)
SPREADS = (0.005, 0.01, 0.02, 0.04)
CORRELATIONS = (0.0, 0.6, 0.9)
Array = np.ndarray[tuple[int], np.dtype[np.float64]]


def noise(rng: np.random.Generator, n: int, spread: float, correlation: float) -> Array:
    """Relative noise of a first-order autoregression with this standard deviation."""
    values = np.empty(n)
    values[0] = rng.normal()
    for k in range(1, n):
        values[k] = correlation * values[k - 1] + np.sqrt(1 - correlation**2) * rng.normal()
    return spread * values


def healthy(rng: np.random.Generator, n: int) -> Array:
    """Falls by an exponential to a plateau that it reaches early, late or not at all."""
    return 1 + 2 * np.exp(-np.arange(n) / (n * rng.uniform(0.03, 0.6)))


def ill(rng: np.random.Generator, n: int) -> Array:
    """Falls to a minimum in the first 10 to 60 %, then rises by 6 to 60 %, straight on or to a new level."""
    at = max(1, int(n * rng.uniform(0.1, 0.6)))
    k = np.arange(n)
    fall = 1 + 2 * np.exp(-k / (at * 0.25)) - 2 * np.exp(-at / (at * 0.25))
    after = np.clip((k - at) / (n - 1 - at), 0, 1)
    shape = after if rng.random() < 0.5 else 1 - np.exp(-5 * after)
    return np.where(k < at, fall, 1 + rng.uniform(0.06, 0.6) * shape)


def last_ten(curve: Sequence[float]) -> float:
    """Mann-Kendall Z of the last ten values."""
    return mann_kendall(curve[-10:])


def since_best(curve: Sequence[float]) -> float:
    """Mann-Kendall Z of the values since the best, of ten at least."""
    return mann_kendall(curve[_window(curve) :])


def since_best_corrected(curve: Sequence[float]) -> float:
    """The same with the variance of autocorrelated noise."""
    return trend_z(curve[_window(curve) :])


def rd501(curve: Sequence[float]) -> float:
    """The same, where the last two lie 5 % above the best and its neighbours, as RD501 asks."""
    lasting = smoothed_rise(curve, int(np.argmin(curve))) > LASTING_RISE
    return since_best_corrected(curve) if lasting else 0.0


def _window(curve: Sequence[float]) -> int:
    return min(int(np.argmin(curve)) + 1, len(curve) - 10)


def strips(curve: Sequence[float]) -> float:
    """Prechelt's UP: the last value of each of three strips of five above that of the strip before."""
    ends = [curve[-1 - 5 * k] for k in range(4) if 5 * k < len(curve)]
    return 9.0 if len(ends) == 4 and all(a > b for a, b in itertools.pairwise(ends)) else 0.0


def last_two(curve: Sequence[float]) -> float:
    """RD502's rule of a few validations: both of the last two lie above the best before them by more than 2 %."""
    return 9.0 if min(curve[-2:]) / min(curve[:-2]) > 1.02 else 0.0


RULES: dict[str, Callable[[Sequence[float]], float]] = {
    "last 10": last_ten,
    "since best": since_best,
    "since best, autocorrelation": since_best_corrected,
    "the same, lasting (RD501)": rd501,
    "UP, 3 strips of 5": strips,
    "last two (RD502)": last_two,
}


def found(rule: Callable[[Sequence[float]], float], curve: Array) -> bool:
    """Whether a rule finds that a curve rises."""
    values = [float(value) for value in curve]
    return rule(values) > 2.33 and values[-1] / min(values) - 1 > 0.02


def main() -> None:
    """Prints a line for each noise and length, and the shares of all."""
    rng = np.random.default_rng(1)
    print(f"{'noise':<18}{'evaluations':>12}  " + "".join(f"{name:>30}" for name in RULES))
    total = {name: [0, 0, 0] for name in RULES}
    for correlation, spread, n in itertools.product(CORRELATIONS, SPREADS, LENGTHS):
        counts = {name: [0, 0] for name in RULES}
        for kind, make in enumerate((ill, healthy)):
            for _ in range(CURVES):
                curve = make(rng, n) * (1 + noise(rng, n, spread, correlation))
                for name, rule in RULES.items():
                    counts[name][kind] += found(rule, curve)
        for name, (right, wrong) in counts.items():
            total[name][0] += right
            total[name][1] += wrong
            total[name][2] += CURVES
        cells = "".join(f"{f'{r} found, {w} false':>30}" for r, w in counts.values())
        print(f"{f'{spread:.1%}, r = {correlation}':<18}{n:>12}  {cells}")
    print(
        f"{'all':<30}  "
        + "".join(f"{f'{r / k:.3f} found, {w / k:.3f} false':>30}" for r, w, k in total.values())
    )


if __name__ == "__main__":
    main()
