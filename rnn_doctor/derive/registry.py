"""Every signal there is. A function becomes one by `@signal(...)`; its name is the function's name."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Literal

from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.values import Location

By = Literal["run", "module", "parameter", "loss", "optimizer"]
Measure = Callable[[View], Measurement | dict[str, Measurement]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A signal: what it is called, what it counts in, what its subjects are, and how it is measured."""

    name: str
    unit: str
    by: By
    reads: tuple[str, ...]
    """The parts of the run log that it is made of."""
    measure: Measure


_ENTRIES: dict[str, Entry] = {}


def signal(*, unit: str, by: By = "run", reads: tuple[str, ...]) -> Callable[[Measure], Measure]:
    """Registers a function as the signal of its name.

    A run-level signal returns one measurement, any other a measurement for each of its subjects.
    """

    def register(measure: Measure) -> Measure:
        name = measure.__name__
        if name in _ENTRIES:
            raise ValueError(f"two signals are named {name}")
        _ENTRIES[name] = Entry(name, unit, by, reads, measure)
        return measure

    return register


def entries() -> dict[str, Entry]:
    """All signals by name; every module of this package has been imported then."""
    package = __name__.rpartition(".")[0]
    for module in iter_modules(import_module(package).__path__):
        import_module(f"{package}.{module.name}")
    return dict(sorted(_ENTRIES.items()))


def kinds() -> dict[str, str]:
    """What the subjects of each signal are: the names that rules may use."""
    return {name: entry.by for name, entry in entries().items()}


def known(
    value: bool | float | str, *, n: int | None = None, location: Location | None = None
) -> Measurement:
    """A measurement with a value. Numbers of numpy become plain ones."""
    if not isinstance(value, bool | str):
        value = float(value)
    return Measurement(value=value, n=n, location=location)


def too_few(count: int, what: str, done: str, needed: int) -> str:
    """Why something could not be measured: "1 update was sampled, 5 are needed"."""
    return f"{count} {what}{'' if count == 1 else 's'} {'was' if count == 1 else 'were'} {done}, {needed} are needed"


def unknown(reason: str, *, location: Location | None = None, option: str | None = None) -> Measurement:
    """A measurement that could not be made; the reason reads after "not assessed: ".

    `option` is the one that has it made, where it was not asked for.
    """
    return Measurement(absent=reason, location=location, option=option)
