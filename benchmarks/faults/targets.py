"""What the bench is to show of a part, and whether it does."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .score import (
    Rate,
    Result,
    doctor_conditions,
    has_error,
    has_warning,
    leads,
    named,
    of,
    precision,
    rate,
    recall,
)


@dataclass(frozen=True)
class Target:
    """One share, and where it has to lie."""

    what: str
    counted: Callable[[Sequence[Result], str], Rate]
    """Of these results and this part."""
    said: str
    least: float = 0.0
    most: float = 1.0
    fewest: int = 1

    def met(self, counted: Rate) -> bool:
        """Whether the share lies there, and is one of enough runs."""
        k, n = counted
        return n >= self.fewest and self.least <= k / n <= self.most


def _judged(results: Sequence[Result], part: str) -> list[Result]:
    return [*of(results, part), *of(results, part, "clear", "gross")]


def _ill(dose: str, holds: Callable[[Result], bool]) -> Callable[[Sequence[Result], str], Rate]:
    return lambda results, part: rate(of(results, part, dose), holds)


TARGETS = (
    Target(
        "healthy runs with an error",
        lambda results, part: rate(of(results, part), has_error),
        "0 of at least 300",
        most=0.0,
        fewest=300,
    ),
    Target(
        "healthy runs with a warning",
        lambda results, part: rate(of(results, part), has_warning),
        "at most 0.03",
        most=0.03,
    ),
    Target("gross faults: right cause named", _ill("gross", named), "0.97", 0.97),
    Target("gross faults: right cause first", _ill("gross", leads), "0.93", 0.93),
    Target("clear faults: right cause named", _ill("clear", named), "0.90", 0.9),
    Target("clear faults: right cause first", _ill("clear", leads), "0.85", 0.85),
    Target(
        "verdicts on conditions: precision",
        lambda results, part: precision(_judged(results, part), doctor_conditions),
        "0.97",
        0.97,
    ),
    Target(
        "verdicts on conditions: recall",
        lambda results, part: recall(_judged(results, part), doctor_conditions),
        "0.95",
        0.95,
    ),
)


def counted(results: Iterable[Result], part: str) -> Mapping[str, Rate]:
    """The share of each target."""
    results = list(results)
    return {target.what: target.counted(results, part) for target in TARGETS}
