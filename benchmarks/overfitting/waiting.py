"""How long RD501 waits for something to be learned, by leaving one task out: benchmarks/overfitting/waiting.txt.

Command: python -m benchmarks.overfitting.waiting (some minutes on one core; needs the logs of
benchmarks.overfitting.run). As long as the validation loss has never been below that of an answer that knows nothing,
RD501 is silent until the training loss has halved, or a rise has lasted eight times as long as it took to the best
validation. Held against it: other shares of the training loss; no wait at all; and, besides the half, a rise, a
distance to the training loss, a fall of that, or other times that end the wait. Worth and columns are those of
choosing.py, on all sets.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from rnn_doctor.derive.generalization import validation_uninformed_ratio
from rnn_doctor.derive.looks import Look, look_at
from rnn_doctor.derive.losses import HALVED, loss_end_ratio
from rnn_doctor.derive.memorizing import LASTS, UNINFORMED, rise_lasted
from rnn_doctor.derive.overfitting import standings, within_first_pass
from rnn_doctor.derive.view import View
from rnn_doctor.schema import reading
from rnn_doctor.schema.signals import Measurement

from .choosing import CHOSEN, Seen, line, outcome, summed, worth
from .judge import Recorded
from .run import SETS, labels, log_of
from .trainings import Training


@dataclass(frozen=True)
class Waited:
    """What an evaluation shows, and what RD501 waits for."""

    look: Look
    uninformed: bool
    left: float
    """Of the training loss, as a share of the first."""
    lasted: float
    """Updates since the best validation, over those up to it."""


Ends = Callable[[Waited], bool]
"""Whether a training that never did better than knowing nothing is judged at an evaluation."""


def _below(share: float) -> Ends:
    return lambda each: each.left < share


def _or(name: str, above: float) -> Ends:
    def ends(each: Waited) -> bool:
        found = {
            "rise": each.look.standing.rise,
            "parted": each.look.parted or 0.0,
            "memorized": each.look.memorized,
            "lasted": each.lasted,
        }
        return each.left < HALVED or found[name] > above

    return ends


WAITS: dict[str, Ends] = {
    f"{HALVED} of the training loss": _below(HALVED),
    "no wait": lambda _: True,
    **{f"{share} of the training loss": _below(share) for share in (0.6, 0.7, 0.8, 0.9)},
    **{f"or a rise of {above}": _or("rise", above) for above in (0.05, 0.1, 0.2, 0.3)},
    **{f"or parted by {above}": _or("parted", above) for above in (0.4, 0.7, 1.0, 1.5)},
    **{f"or memorized {above}": _or("memorized", above) for above in (0.1, 0.2, 0.3, 0.4)},
    **{f"or lasted {above} times": _or("lasted", above) for above in (3, 5, LASTS, 12)},
}


def waited(training: Training, truth: list[float]) -> tuple[Recorded, list[Waited | None]]:
    """The evaluations of a training, whether anything was learned or not; None where nothing can be told."""
    recorded = Recorded(training, truth, reading.read(log_of(training)))
    return recorded, [_waited(recorded, e.step) for e in recorded.evaluations]


def _waited(recorded: Recorded, step: int) -> Waited | None:
    view = View(recorded.until(step + 1))
    found = view.once(standings)
    if isinstance(found, str) or found[-1].evaluation.step != step or within_first_pass(view):
        return None
    best, left = validation_uninformed_ratio(view), loss_end_ratio(view)
    assert isinstance(best, Measurement)
    assert isinstance(left, Measurement)
    uninformed = best.value is not None and float(best.value) > UNINFORMED and left.value is not None
    return Waited(look_at(view, len(found) - 1), uninformed, float(left.value or 0.0), rise_lasted(view))


def seen(recorded: Recorded, evaluations: list[Waited | None], ends: Ends) -> Seen:
    """The looks that are taken with this wait."""
    return Seen(
        recorded,
        [None if each is None or (each.uninformed and not ends(each)) else each.look for each in evaluations],
    )


def main() -> None:
    """Prints both tables."""
    known = labels()
    made = [t for plan in SETS.values() for t in plan() if t.key in known and log_of(t).exists()]
    judged = [found for t in made if (found := waited(t, known[t.key]))[0].overfits is not None]
    table = {name: [outcome(seen(*each, ends), CHOSEN) for each in judged] for name, ends in WAITS.items()}
    totals = {name: summed(rows) for name, rows in table.items()}
    print("what ends the wait: on all trainings")
    for name, counts in totals.items():
        print(line(name, counts))
    tasks = [recorded.training.task for recorded, _ in judged]
    left_out, chosen = Counter[str](), Counter[str]()
    for task in sorted(set(tasks)):
        own = [k for k, name in enumerate(tasks) if name == task]
        without = {n: worth(totals[n]) - worth(summed(table[n][k] for k in own)) for n in WAITS}
        best = max(WAITS, key=lambda each: without[each])
        chosen[best] += 1
        left_out.update(summed(table[best][k] for k in own))
    print("\nchosen on all other tasks, and what it makes of the trainings of the task left out, summed")
    print(line("", left_out))
    for name, count in chosen.most_common():
        print(f"{name} was chosen for {count} of {len(set(tasks))} tasks")


if __name__ == "__main__":
    main()
