"""Functions of the number of updates, and what asking them tells."""

import dis
import functools
import math
import random
import types
from collections.abc import Callable
from typing import Any

import numpy as np
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


class Logger:
    """By the name of a function of mathematics, and by another."""

    def log(self, *values: Any) -> float:
        CALLS.extend(values)
        return 1.0

    note = log

    def __getitem__(self, step: int) -> float:
        return self.log(step)

    def __getattr__(self, name: str) -> float:
        return self.log(0)

    @property
    def warm_up(self) -> float:
        return self.log(0)


LOGGER = Logger()
ACTIONS = [LOGGER.note]
MODULE = types.ModuleType("settings_of_the_script")
vars(MODULE).update(WARM_UP=80, note=LOGGER.note)


class Slotted:
    __slots__ = ("warm_up",)

    def __init__(self) -> None:
        self.warm_up = 300


SLOTTED = Slotted()


def noted(step: int) -> float:
    CALLS.append(step)
    return min(1.0, step / 10)


def change(step: int) -> float:
    SETTINGS.warm_up = step
    return min(1.0, step / 100)


def by_while(step: int) -> float:
    value = 0
    while value < step:
        value += 1
    return min(1.0, value / 100)


def through_a_variable(step: int) -> float:
    note = LOGGER.note
    note(step)
    return min(1.0, step / 100)


def in_pieces(step: int) -> float:
    rising = step / SETTINGS.warm_up
    top = 1.0
    if rising < top:
        return rising
    rising, top = top, rising
    falling = rising / top
    smoothed: float = falling**0.5
    return smoothed


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
        (in_pieces, 99_900),
        (lambda step: min(1.0, step / Settings.warm_up), 99_900),
        (lambda step: min(1.0, step / MODULE.WARM_UP), 80),
        (lambda step: min(1.0, step / SLOTTED.warm_up), 300),
        (lambda step: np.minimum(1.0, step / 250), 250),
        (lambda step, *, table=(40, 50): min(1.0, step / table[1]), 50),
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
        by_while,
        through_a_variable,
        lambda step: LOGGER.log(step) * min(1.0, step / 100),
        lambda step: LOGGER.log(*(step,)) * min(1.0, step / 100),
        lambda step: LOGGER[step] * min(1.0, step / 100),
        lambda step: min(1.0, step / LOGGER.warm_up),
        lambda step: min(1.0, step / LOGGER.unheard_of),
        lambda step: ACTIONS[0](step) * min(1.0, step / 100),
        lambda step: MODULE.note(step) * min(1.0, step / 100),
        lambda step: np.random.gamma(1.0) * min(1.0, step / 100),
        lambda step: max([min(1.0, each / 100) for each in (step, 0)]),
        "not a function",
    ],
)
def test_one_that_may_do_more_than_compute_is_not_asked(rule: Any) -> None:
    before = random.getstate(), str(np.random.get_state()), list(CALLS), SETTINGS.warm_up
    assert rises_until(rule) is None
    assert (random.getstate(), str(np.random.get_state()), CALLS, SETTINGS.warm_up) == before


def test_an_instruction_that_is_not_known_means_that_the_rule_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def instructions(code: types.CodeType) -> list[dis.Instruction]:
        return [
            i._replace(opname="OF_A_LATER_PYTHON") if i.opname == "RETURN_VALUE" else i for i in known(code)
        ]

    known = dis.get_instructions
    rule = bound()
    assert rises_until(rule) == 2996
    monkeypatch.setattr(dis, "get_instructions", instructions)
    assert rises_until(rule) is None


def test_one_that_fails_beyond_what_it_was_written_for_does_not_tell() -> None:
    rates = [0.1, 0.5, 1.0]
    assert rises_until(lambda step: rates[step]) is None
