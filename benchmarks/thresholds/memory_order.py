"""What the numbers tell of samples that were reshaped where their axes should have been moved: RD413.

Command: python -m benchmarks.thresholds.memory_order (seconds). Of each kind of data and each size, in three draws of
32 samples: the largest score of samples (T, F) as they should be, and the smallest and the median of the same samples
kept as (F, T) and reshaped. Nothing is trained.
"""

import math
from collections.abc import Callable
from statistics import median

import torch

from rnn_doctor.capture.probe.sensors.memory_order import leaps

ROWS, SEEDS = 32, 3
SIZES = (
    (20, 4),
    (24, 6),
    (40, 6),
    (48, 12),
    (60, 4),
    (100, 9),
    (12, 30),
    (16, 64),
    (128, 8),
    (50, 5),
    (28, 14),
)
Kind = Callable[[int, int, int], torch.Tensor]


def noise(n: int, t: int, f: int) -> torch.Tensor:
    """No step tells of the next."""
    return torch.randn(n, t, f)


def walks(n: int, t: int, f: int) -> torch.Tensor:
    """Of each feature one."""
    return torch.randn(n, t, f).cumsum(1)


def levels(n: int, t: int, f: int) -> torch.Tensor:
    """Noise around a level of each feature, a different one in each sample."""
    return torch.randn(n, t, f) + 3 * torch.randn(n, 1, f)


def units(n: int, t: int, f: int) -> torch.Tensor:
    """Walks in units of their own, as columns that nobody scaled."""
    scale = torch.pow(10.0, torch.linspace(-2, 2, f))
    return torch.randn(n, t, f).cumsum(1) * scale + torch.linspace(-5, 5, f)


def waves(n: int, t: int, f: int) -> torch.Tensor:
    """Of many frequencies."""
    place = torch.arange(t).view(1, t, 1)
    return torch.sin(place * (0.1 + 0.3 * torch.rand(n, 1, f)) + 6.28 * torch.rand(n, 1, f))


def frames(n: int, t: int, f: int) -> torch.Tensor:
    """One series, cut into steps of f numbers."""
    return (torch.randn(n, t * f).cumsum(1) / math.sqrt(f)).reshape(n, t, f)


def wave_frames(n: int, t: int, f: int) -> torch.Tensor:
    """One wave, cut into steps of f numbers."""
    place = torch.arange(t * f)
    return torch.sin(place * (0.05 + 0.2 * torch.rand(n, 1)) + 6.28 * torch.rand(n, 1)).reshape(n, t, f)


def spectra(n: int, t: int, f: int) -> torch.Tensor:
    """Steps that are smooth in themselves and change at random."""
    return torch.randn(n, t, f).cumsum(2)


def lagged(n: int, t: int, f: int) -> torch.Tensor:
    """Each step holds the last f values of a series."""
    series = torch.randn(n, t + f).cumsum(1)
    return torch.stack([series[:, k : k + f] for k in range(t)], 1)


def images(n: int, t: int, f: int) -> torch.Tensor:
    """Lines of pictures that are smooth both ways."""
    picture = torch.randn(n, t, f).cumsum(1).cumsum(2)
    return picture / math.sqrt(t * f)


def hot(n: int, t: int, f: int) -> torch.Tensor:
    """Vectors of one 1."""
    return torch.nn.functional.one_hot(torch.randint(f, (n, t)), f).float()


def padded(n: int, t: int, f: int) -> torch.Tensor:
    """Walks of different lengths, zeros behind them."""
    lengths = torch.randint(t // 3, t + 1, (n, 1, 1))
    return walks(n, t, f) * (torch.arange(t).view(1, t, 1) < lengths)


def pulses(n: int, t: int, f: int) -> torch.Tensor:
    """All features rise for one step, at the same steps of all samples: each f-th part of the time."""
    x = 0.1 * torch.randn(n, t, f)
    x[:, [k * t // f for k in range(1, f)]] += 3
    return x


def one_pulses(n: int, t: int, f: int) -> torch.Tensor:
    """The same of the first feature alone."""
    x = 0.1 * torch.randn(n, t, f)
    x[:, [k * t // f for k in range(1, f)], 0] += 3
    return x


def stages(n: int, t: int, f: int) -> torch.Tensor:
    """Each f-th part of the time is of another level, in all features."""
    stage = torch.randn(n, f, 1)[:, torch.arange(t) * f // t]
    return 0.1 * torch.randn(n, t, f) + stage


def calendar(n: int, t: int, f: int) -> torch.Tensor:
    """Features that all samples share, as the hour of the day."""
    place = torch.arange(t * f).view(t, f)
    return torch.sin(place * 0.3).expand(n, t, f) + 0.1 * torch.randn(n, t, f)


KINDS = (
    noise, walks, levels, units, waves, frames, wave_frames, spectra, lagged, images, hot, padded, pulses,
    one_pulses, stages, calendar,
)  # fmt: skip


def scores(kind: Kind, reshaped: bool) -> list[float]:
    """Of all sizes and draws."""
    found = []
    for t, f in SIZES:
        for seed in range(SEEDS):
            torch.manual_seed(seed)
            x = kind(ROWS, t, f)
            x = x.transpose(1, 2).reshape(ROWS, t, f) if reshaped else x
            score = leaps(x)
            assert score is not None
            found.append(score)
    return found


def main() -> None:
    """The table."""
    torch.set_num_threads(1)
    print(f"{'':12}{'as it is':>10}{'reshaped':>20}")
    print(f"{'':12}{'largest':>10}{'smallest':>10}{'median':>10}")
    for kind in KINDS:
        right, wrong = scores(kind, reshaped=False), scores(kind, reshaped=True)
        print(f"{kind.__name__:12}{max(right):10.2f}{min(wrong):10.2f}{median(wrong):10.2f}")


if __name__ == "__main__":
    main()
