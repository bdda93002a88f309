"""Which trainings the bench has, in which order: the same at every call.

Healthy settings cross cells, sizes, optimizers and habits (habits.py), drawn without return; faults are planted in
plain settings, their twins. The order mixes all kinds, so that the bench can be stopped at any point.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice, product
from random import Random

from .faults import FAULTS, Fault, tasks
from .form import Form
from .habits import HABITS
from .part import Range, folders
from .setting import Setting
from .task import DEVELOPMENT, FOLDERS, HELD_BACK, PARTS, Task

_OLD = Range(("Adam", "SGD", "AdamW", "momentum", "RMSprop"), (16, 32, 64), (24, 48), 1, HABITS, 5)
RANGES = {
    DEVELOPMENT: replace(_OLD, healthy=2),
    HELD_BACK: _OLD,
    **{name: part.drawn for name, part in folders().items()},
}


@dataclass(frozen=True)
class Scenario:
    """One training of the bench, and what it is held against."""

    setting: Setting
    part: str
    fault: str | None = None
    form: str | None = None
    dose: str | None = None
    twin: Setting | None = None
    """The same training without the fault."""
    other: Setting | None = None
    """The twin with another seed, where the part has one (part.Range)."""

    @property
    def twins(self) -> tuple[Setting, ...]:
        """What a training with a fault has to do worse than."""
        return tuple(twin for twin in (self.twin, self.other) if twin is not None)

    @property
    def key(self) -> str:
        """Names it; the same training may be planned once as a fault alone."""
        return self.setting.key()


def plan(rounds: int = 12) -> list[Scenario]:
    """So many rounds; each plants every form, clear and gross, every other one mild too, and has healthy trainings."""
    healthy = {task.name: _healthy(task) for part in PARTS for task in tasks(part)}
    seen: set[str] = set()
    done: list[Scenario] = []
    for number in range(rounds):
        for parts in ((DEVELOPMENT, HELD_BACK), *((name,) for name in FOLDERS)):
            if number >= (RANGES[parts[0]].rounds or rounds):
                continue
            turn: list[Scenario] = []
            for part in parts:
                for task in tasks(part):
                    settings = islice(healthy[task.name], RANGES[part].healthy)
                    turn += [Scenario(setting, part) for setting in settings]
            for fault in FAULTS:
                for form in fault.forms:
                    if form.part in parts:
                        turn += _planted(fault, form, number)
            Random(f"round {number}").shuffle(turn)
            for scenario in turn:
                for each in (*(Scenario(twin, scenario.part) for twin in scenario.twins), scenario):
                    if each.key not in seen:
                        seen.add(each.key)
                        done.append(each)
    return done


def _healthy(task: Task) -> Iterator[Setting]:
    """Every combination of the task, in a random order, with seeds that differ."""
    its = RANGES[task.part]
    habits = [habit for habit in its.habits if habit.needs(task)]
    combinations = list(product(task.cells, its.sizes, its.optimizers, habits))
    random = Random(task.name)
    random.shuffle(combinations)
    for cell, hidden, optimizer, habit in combinations:
        base = Setting(task.name, cell=cell, hidden=hidden, optimizer=optimizer, seed=random.randrange(1000))
        changed = base.changed(**habit.changes)
        fits = not habit.cells or cell in habit.cells
        if fits and not (changed.weight_decay and optimizer == "AdamW"):
            yield changed


def _planted(fault: Fault, form: Form, number: int) -> list[Scenario]:
    """The form in every dose, in one twin of a task that it fits."""
    twin = next(islice(_twins(fault, form), number, None), None)
    if twin is None or number >= (form.rounds or number + 1):
        return []
    base, seed = twin.changed(**form.twin), RANGES[form.part].other_seed
    other = None if seed is None else base.changed(seed=seed)
    return [
        Scenario(base.changed(**changes), form.part, fault.name, form.name, dose, base, other)
        for dose, changes in form.doses.items()
        if dose != "mild" or number % 2
    ]


def _twins(fault: Fault, form: Form) -> Iterator[Setting]:
    """Plain settings that the form fits, its tasks in turn; those that serve several forms are trained once."""
    mine = tasks(form.part)
    random = Random(f"{fault.name} {form.name}")
    random.shuffle(mine)
    each = [[s for s in _plain(task) if form.needs(task, s)] for task in mine]
    for index in range(max(map(len, each))):
        for settings in each:
            if index < len(settings):
                yield settings[(index + hash_of(form.name)) % len(settings)]


def hash_of(text: str) -> int:
    """A number of the text that is the same in every process."""
    return sum((i + 1) * ord(c) for i, c in enumerate(text))


@cache
def _plain(task: Task) -> tuple[Setting, ...]:
    random, its = Random(f"plain {task.name}"), RANGES[task.part]
    combinations = list(product(task.cells, its.twins, its.optimizers))
    random.shuffle(combinations)
    return tuple(Setting(task.name, cell=c, hidden=h, optimizer=o, seed=its.seed) for c, h, o in combinations)
