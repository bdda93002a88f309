"""How much evidence RD501 asks for, chosen by leaving one task out: benchmarks/overfitting/choosing.txt.

Command: python -m benchmarks.overfitting.choosing (a minute on one core; needs the logs of benchmarks.overfitting.run).
What an evaluation shows of its examples (rnn_doctor/derive/looks.py) is weighed anew with other numbers: how many
standard errors are enough, how many the logarithm of the validation loss over the training loss counts for, how far
the two must have parted at the same weights, and how many times the jumps of the weights a rise must be. A set of
numbers is worth 1 for each training that overfitted and was found in its course, 1 if it still is at the end, 1 if it
was found at most one evaluation late; it loses 3 for each other that was called in its course, 3 for each that was at
the end, and 1 for each training, of either kind, that was called while its loss on other samples was to fall by 5 %
once more. Printed are the best sets of numbers on all trainings of the first three sets, then what the sets of numbers
that are best on all other tasks make of the trainings of each task, summed.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import log1p

from rnn_doctor.derive.looks import AT_LEAST_Z, BY_ITSELF_Z, ENOUGH, PARTED, Look, look_at
from rnn_doctor.derive.memorizing import MEMORIZED, nothing_learned_yet
from rnn_doctor.derive.overfitting import SMALLEST_RISE, standings, within_first_pass
from rnn_doctor.derive.view import View
from rnn_doctor.schema import reading

from .judge import Recorded
from .run import labels, log_of
from .trainings import Training, fresh, plan, unseen

Numbers = tuple[float, float, float, float]
"""Enough, weight of the logarithm, parted, times the jumps."""
GRID: list[Numbers] = list(
    product((2.0, 2.33, 2.5, 3.0, 3.5, 4.0), (0.0, 0.5, 1.0, 1.5), (0.2, 0.3, 0.4, 0.5), (0.0, 1.0, 2.0))
)
CHOSEN: Numbers = (ENOUGH, 1.0, PARTED, 1.0)
OUTCOMES = (
    "overfit",
    "found",
    "found at the end",
    "one late",
    "others",
    "called",
    "called at the end",
    "early",
)


@dataclass(frozen=True)
class Seen:
    """One training: its outcome, and what each of its evaluations showed; None where nothing could be told."""

    recorded: Recorded
    looks: Sequence[Look | None]


def seen(training: Training, truth: list[float]) -> Seen:
    """What each evaluation of a training showed, by the log up to the update after it."""
    recorded = Recorded(training, truth, reading.read(log_of(training)))
    return Seen(recorded, [_look(recorded, e.step) for e in recorded.evaluations])


def _look(recorded: Recorded, step: int) -> Look | None:
    view = View(recorded.until(step + 1))
    found = view.once(standings)
    if isinstance(found, str) or found[-1].evaluation.step != step:
        return None
    if within_first_pass(view) or nothing_learned_yet(view):
        return None
    return look_at(view, len(found) - 1)


def rises(look: Look, numbers: Numbers) -> bool:
    """As Look.rises, with other numbers."""
    enough, weight, parted, times = numbers
    standing = look.standing
    if look.parted is None or look.parted <= parted or look.memorized <= 0 or not look.stays_up:
        return False
    if standing.rise <= SMALLEST_RISE or standing.rise_z <= AT_LEAST_Z:
        return False
    if standing.rise_z <= BY_ITSELF_Z and look.memorized <= MEMORIZED:
        return False
    return look.z + weight * log1p(look.parted) > enough and log1p(standing.rise) > times * look.jumps


def held(training: Seen, numbers: Numbers) -> list[bool]:
    """At which evaluations it holds: from one that shows a rise on until a better one, or until 2 % are left of it."""
    found, shown = [], False
    for look in training.looks:
        if look is None:
            found.append(False)
            continue
        shown = (shown and look.standing.rise > 0) or rises(look, numbers)
        found.append(shown and look.standing.rise > SMALLEST_RISE)
    return found


def outcome(training: Seen, numbers: Numbers) -> Counter[str]:
    """What a set of numbers makes of a training."""
    run, holds = training.recorded, held(training, numbers)
    first = holds.index(True) if True in holds else None
    early = any(
        now and min(run.truth[k + 1 :], default=run.truth[k]) * 1.05 < min(run.truth[: k + 1])
        for k, now in enumerate(holds)
    )
    if run.overfits:
        late = first is not None and first <= run.onset + 1
        counts = (1, first is not None, holds[-1], late, 0, 0, 0, early)
    else:
        counts = (0, 0, 0, 0, 1, first is not None, holds[-1], early)
    return Counter({name: int(count) for name, count in zip(OUTCOMES, counts, strict=True)})


def worth(counts: Counter[str]) -> int:
    """As above."""
    found = counts["found"] + counts["found at the end"] + counts["one late"]
    return found - 3 * (counts["called"] + counts["called at the end"]) - counts["early"]


def summed(counts: Iterable[Counter[str]]) -> Counter[str]:
    """Sum, zeros kept."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return total


def line(name: object, counts: Counter[str]) -> str:
    """One row."""
    return f"{name!s:24} {worth(counts):4d}  " + "  ".join(f"{key} {counts[key]}" for key in OUTCOMES)


def main() -> None:
    """Prints both."""
    known = labels()
    trainings = [
        seen(t, known[t.key]) for t in (*plan(), *fresh(), *unseen()) if t.key in known and log_of(t).exists()
    ]
    judged = [each for each in trainings if each.recorded.overfits is not None]
    table = {numbers: [outcome(each, numbers) for each in judged] for numbers in GRID}
    totals = {numbers: summed(rows) for numbers, rows in table.items()}
    print("enough, weight, parted, times the jumps: on all trainings")
    print(line(f"as it is {CHOSEN}", totals[CHOSEN]))
    for numbers in sorted(GRID, key=lambda each: -worth(totals[each]))[:12]:
        print(line(numbers, totals[numbers]))
    tasks = [each.recorded.training.task for each in judged]
    left_out, chosen = Counter[str](), Counter[Numbers]()
    for task in sorted(set(tasks)):
        own = [k for k, name in enumerate(tasks) if name == task]
        without = {n: worth(totals[n]) - worth(summed(table[n][k] for k in own)) for n in GRID}
        best = max(GRID, key=lambda each: without[each])
        chosen[best] += 1
        left_out.update(summed(table[best][k] for k in own))
    print(
        "\nchosen on all other tasks, and what it makes of the trainings of the task that was left out, summed"
    )
    print(line("", left_out))
    for numbers, count in chosen.most_common():
        print(f"{numbers} was chosen for {count} of {len(set(tasks))} tasks")


if __name__ == "__main__":
    main()
