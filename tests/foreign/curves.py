"""Two trainings by formula, as their logs would tell them: one overfits, the other does not."""

import math
from dataclasses import dataclass

EPOCHS = 24
STEPS = 10
"""In an epoch; every one is logged."""
BEST = 8
"""The epoch after which the overfitting one should have stopped."""


@dataclass(frozen=True)
class Curves:
    """Training loss of each step, validation loss after each epoch."""

    train: tuple[float, ...]
    val: tuple[float, ...]

    def epoch_losses(self) -> list[float]:
        """Mean training loss of each epoch."""
        return [sum(self.train[k * STEPS : (k + 1) * STEPS]) / STEPS for k in range(EPOCHS)]


def _ripple(k: int) -> float:
    return 1 + 0.01 * math.sin(1.7 * k) * math.cos(0.9 * k)


_TRAIN = tuple(2.0 * math.exp(-k / 80) * _ripple(k) for k in range(EPOCHS * STEPS))
OVERFITTING = Curves(
    _TRAIN, tuple((1.0 + 0.015 * (k - BEST) ** 2) * _ripple(7 * k) for k in range(1, EPOCHS + 1))
)
HEALTHY = Curves(_TRAIN, tuple((0.3 + 1.5 * math.exp(-k / 9)) * _ripple(7 * k) for k in range(1, EPOCHS + 1)))
