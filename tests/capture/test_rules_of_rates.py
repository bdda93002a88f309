"""Functions of the number of updates, and what asking them tells."""

import functools
import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from rnn_doctor.capture.probe.sensors.rules_of_rates import rises_until


class Settings:
    warm_up = 100_000


SETTINGS = Settings()
CALLS: list[int] = []


def noam(step: int, width: int, factor: float, warm_up: int) -> float:
    """Of the annotated Transformer."""
    if step == 0:
        step = 1
    rising: float = step * warm_up**-1.5
    return factor * float(width**-0.5 * min(step**-0.5, rising))


def cosine(step: int, *, warm_up: int, updates: int) -> float:
    if step < warm_up:
        return float(step) / float(max(1, warm_up))
    progress = float(step - warm_up) / float(max(1, updates - warm_up))
    return max(0.0, 0.5 * (1.0 + math.cos(math.pi * progress)))


class Rule:
    def __init__(self, warm_up: int) -> None:
        self.warm_up = warm_up

    def __call__(self, step: int) -> float:
        return min(1.0, step / self.warm_up)

    def rate(self, step: int) -> float:
        return min(1.0, step / self.warm_up)


def noted(step: int) -> float:
    CALLS.append(step)
    return min(1.0, step / 10)


def change(step: int) -> float:
    SETTINGS.warm_up = step
    return min(1.0, step / 100)


def by_steps(step: int) -> float:
    value = 0.0
    for _ in range(step):
        value += 0.01
    return min(1.0, value)


def recursive(step: int) -> float:
    return 0.0 if step == 0 else min(1.0, recursive(step - 1) + 0.1)


def bound() -> Callable[[int], float]:
    warm_up, top = 3000, 1.0
    return lambda step: min(top, (step + 1) / warm_up)


@pytest.mark.parametrize(
    ("rule", "until"),
    [
        (lambda step: min(1.0, (step + 1) / SETTINGS.warm_up), 99_899),
        (lambda step: (step + 1) / 500 if step < 500 else 1.0, 499),
        (lambda step: noam(step, 512, 1.0, 4000), 3996),
        (lambda step: 0.5 * (1 - math.cos(math.pi * min(step, 800) / 800)), 784),
        (functools.partial(cosine, warm_up=1000, updates=100_000), 999),
        (functools.partial(cosine, warm_up=40, updates=90), 40),
        (Rule(700), 700),
        (Rule(700).rate, 700),
        (bound(), 2996),
    ],
)
def test_a_rule_that_only_computes_tells_how_long_it_rises(rule: Callable[[int], Any], until: int) -> None:
    assert rises_until(rule) == until


@pytest.mark.parametrize(
    "rule",
    [
        lambda step: 1.0,
        lambda step: 0.95**step,
        lambda step: 0.5 * (1 + math.cos(math.pi * step / 900)),
        lambda step: 1 / (1 + 0.01 * step),
        lambda step: max(0.0, 1 - step / 1000),
    ],
)
def test_one_that_begins_at_its_largest_has_no_warm_up(rule: Callable[[int], Any]) -> None:
    assert rises_until(rule) is None


@pytest.mark.parametrize("rule", [lambda step: 1.03**step, lambda step: 1.0 + step])
def test_one_that_never_stops_rising_tells_no_end(rule: Callable[[int], Any]) -> None:
    assert rises_until(rule) is None


@pytest.mark.parametrize(
    "rule",
    [
        noted,
        lambda step: noted(step + 1),
        functools.partial(lambda step, then: then(step), then=noted),
        lambda step, then=noted: then(step),
        lambda step: min(1.0, step / 100) * random.random(),
        by_steps,
        recursive,
        lambda step: sum(1.0 for _ in range(step)),
        change,
        lambda step: print(step) or 1.0,
        "not a function",
    ],
)
def test_one_that_may_do_more_than_compute_is_not_asked(rule: Any) -> None:
    before = random.getstate(), list(CALLS), SETTINGS.warm_up
    assert rises_until(rule) is None
    assert (random.getstate(), CALLS, SETTINGS.warm_up) == before


def test_one_that_fails_beyond_what_it_was_written_for_does_not_tell() -> None:
    rates = [0.1, 0.5, 1.0]
    assert rises_until(lambda step: rates[step]) is None
