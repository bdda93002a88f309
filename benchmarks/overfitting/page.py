"""The page of results: benchmarks/overfitting/results.md."""

from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.faults.tasks import TASKS
from rnn_doctor.schema import reading

from .judge import CRITERIA, FEW, RULES, Recorded
from .trainings import EVERY, Training

Judged = list[tuple[Training, list[float], Path]]

TITLES = {
    "fifth": "The fifth set, with which RD501's wait was given an end",
    "fourth": "The fourth set, which nothing was mended with but the reading of smoothed labels",
    "first": "The trainings that the rules were mended with first",
    "second": "The trainings that they were mended with then",
    "third": "The third set, with which RD501 was given its sequential test",
}
MENDED_WITH = ("first", "second", "third")
SIZES = ((0, 100), (101, 200), (201, 300), (301, 10_000))
"""Examples that the script validates on."""
SAMPLES = ((0, 32), (33, 48), (49, 64), (65, 100), (101, 100_000))
"""Samples that it trains on."""

HISTORY = """\
The first set made the rules; the threshold of RD502 and RD503 (0.25) was read from 35 of its trainings. The second
was looked at once by the rules as they were then: RD501 found 14 of 16, 10 at most one evaluation late, and called 2 of
23 others; after 200 updates RD502 and RD503 called 6. It showed:

- *A loss that rises before anything is learned.* Of three trainings (recall with 40 and 80 samples, logs with 40)
  two memorized; in one the loss rose by 29 % up to update 50, and then it learned. Nothing told it from the
  others. The rules now wait until something is learned, which finds the two others three and two evaluations
  late.
- *Batches of unequal size.* The script's own mean over batches said 11 % instead of 8 %: its last batch of 8
  weighs as much as one of 64. Whether a rise lasts is told by the mean over the examples.
- *Memorizing without harm.* On other samples the loss of the six that RD502 called never fell by 5 % again, as it
  said; nor did it rise by 5 %. RD502 now asks for a loss that has begun to rise.

The third was looked at once by the rules as they were then, at 40 of its 45 trainings: RD501 found 21 of 23, 15 at
most one evaluation late, and called 2 of 15 others in their course, none at the end. On all three together: at the end
61 of 68 and 0 of 64, in the course 64 and 2, at most one late 51. It showed:

- *Networks that know their few samples by heart, validated on few.* Ten evaluations in a row lay 2.1 standard errors
  above the best, beside a training loss of a hundredth: a few examples carry all of it. The logarithm of the two
  losses' ratio now counts beside the standard errors.
- *Weights that jump.* Both that were called had rises that passed (oscillators with 44 and 72 samples). The training
  loss of the update after the evaluation had jumped as well; it now is what the validation loss is held against.
- *Nothing more to learn.* Three that had been found were no more at the end, where the loss stays up and the training
  loss does not fall further. What one evaluation showed now stands until a better one comes.

With that RD501 was given its sequential test (choosing.txt), and the fourth set was planned: tasks, depths, directions,
optimizers, schedules and regularizers that no other has. It was labelled, observed, and judged once, with the five
trainings of the third that had been missing: **of the fourth it found 9 of 11, 6 at most one evaluation late, and
called 2 of 27 others in their course, none at the end; after 50 and 200 updates none of the others was called. Of the
five it found 3 of 3 and called both others, one of them at the end.** Fewer overfitted than half of it. It showed:

- *Label smoothing.* The training loss does not come below that of the smoothed labels, so that the two losses never
  part. The training examples are now held against the evaluation with its smoothing; the six trainings with it
  were observed anew. That finds none more, and one (corridor with 24 samples) three evaluations sooner.
- *A label that is wrong.* Corridor with 1,500 samples, which it missed: without smoothing the loss of the training
  examples rises as well, above that of the validation, for both approach the answer that smoothing asks for. By its
  loss it has overfit; it has not memorized.
- *A wrong call that stayed* (syllables with 72 samples): on the 64 examples of the script the loss rose by 50 %, 2.5
  standard errors, from one lucky evaluation; on 1,500 others it ended 4.6 % above its lowest.

The fifth set was planned next: validation sets of 200 to 1,000 examples, as people have them, and cells (by hand, of
cells in a loop, projected, ReLU), optimizers, schedules and regularizers that no other set has. It was labelled,
observed, and judged once: **of the fifth RD501 found 18 of 24 in their course and 17 at the end, 7 at most one
evaluation late, and called 2 of 25 others in their course, 1 at the end; after 50 and 200 updates none of the others
was called.** It showed:

- *Cells by hand.* Where no recurrent module of torch's ran, no loss of a single example was seen, and the curve had to
  do: in 9 of the 24. The examples are now those that the loader gave; the 14 trainings with such cells were observed
  anew. That finds 2 more, and 11 of 24 at most one evaluation late. RD501 itself is what it was.
- *A rise before anything is learned*, again: six were found three to eighteen evaluations late (commands, orders and
  shapes with 30 to 110 samples), and one not at all (orders with 180), because RD501 waits until the training loss has
  halved; without the wait they would be found at most five late. 21 other ends of the wait were held against it on all
  five sets (waiting.txt). Chosen by leaving one task out they find as many, 78 instead of 74 of 106 at most one
  evaluation late, and call 9 others in their course instead of 7: the wait stays. It now ends where the rise by single
  examples has lasted eight times as long as it took to the best, for what passes has passed by then: that finds one
  more (orders with 180), four of them and one of the fourth set sooner, and calls no other.
- *A label that is wrong* (thermostat with 180 samples): at a constant rate both losses jump from evaluation to
  evaluation, and that of the training lies above that of the validation. Nothing has been memorized.
- *A validation set that says otherwise* (shapes with 110 samples): on its 500 examples the loss ended 6 % above its
  lowest, 0.9 standard errors; on 1,500 others 17 %. And one that ended 6 % above (glyphs with 180).

Nobody who looks at a training in its course can be always right: see the last row of each table. The loss on 1,500
other samples, which no script has, is called often before it falls again; and what validates on 64 examples is late.

The last column of the tables after few updates holds RD502 and RD503 against what they say themselves: it counts
all whose loss on other samples was yet to fall 5 % below all that it had been, so that more than memorizing was
to come.
"""


def page(sets: dict[str, Judged]) -> str:
    """The results as Markdown."""
    read = {
        name: [Recorded(t, truth, reading.read(log)) for t, truth, log in sets[name]]
        for name in TITLES
        if sets.get(name)
    }
    known = [run for name, runs in read.items() if name in MENDED_WITH for run in runs]
    lines = [
        "# Overfitting: rules against known outcomes",
        "",
        "Command: `python -m benchmarks.overfitting.run`. How labels are earned: its first lines. Delay: evaluations",
        "from the onset, which the samples of their own tell, to the first at which the criterion holds; negative",
        "where it holds before. Early: it held while the loss on samples of their own was to fall by 5 % once more, in",
        "trainings of either kind. Left out are trainings whose last losses jump from one side of 5 % to the other.",
        "",
        *HISTORY.splitlines(),
        "",
        *_sizes([run for runs in read.values() for run in runs]),
        *_samples([run for runs in read.values() for run in runs]),
        *_table("The first three sets together", known),
        *(line for name, runs in read.items() for line in (*_table(TITLES[name], runs), *_each(runs))),
    ]
    return "\n".join(lines)


def _parted(runs: list[Recorded]) -> tuple[list[Recorded], list[Recorded]]:
    """Those that overfit, and those that do not."""
    ill, well = ([run for run in runs if run.overfits is label] for label in (True, False))
    return ill, well


def _sizes(runs: list[Recorded]) -> list[str]:
    rows = []
    for least, most in SIZES:
        ill, well = _parted([run for run in runs if least <= run.training.held_out <= most])
        found = [run for run in ill if run.first("RD501") is not None]
        cells = [
            f"{least} to {most}" if most < 10_000 else f"{least} and more",
            _share(len(found), ill),
            _share(sum(run.held["RD501"][-1] for run in ill), ill),
            _share(sum(_late(run, "RD501") <= 1 for run in found), ill),
            _share(sum(run.first("RD501") is not None for run in well), well),
            _share(sum(run.held["RD501"][-1] for run in well), well),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return [
        "## RD501 by the size of the validation set, all sets",
        "",
        "| examples | ever found | found at the end | at most one evaluation late | of the others ever | at the end |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
    ]


def _samples(runs: list[Recorded]) -> list[str]:
    """How many overfit, by how much there is to learn from: where RD506 draws its line."""
    rows = []
    for least, most in SAMPLES:
        cells = [f"{least} to {most}" if most < 100_000 else f"{least} and more"]
        for classes in (True, False):
            some = [run for run in runs if TASKS[run.training.task].classes is classes]
            ill, well = _parted([run for run in some if least <= run.training.samples <= most])
            cells.append(_share(len(ill), [*ill, *well]))
        rows.append(f"| {' | '.join(cells)} |")
    return [
        "## How many overfit, by the number of training samples, all sets",
        "",
        "| samples | whose targets are classes | numbers |",
        "|---|---|---|",
        *rows,
        "",
    ]


def _table(title: str, runs: list[Recorded]) -> list[str]:
    ill, well = _parted(runs)
    left = len(runs) - len(ill) - len(well)
    return [
        f"## {title}",
        "",
        f"{len(runs)} trainings: {len(ill)} overfit, {len(well)} do not, {left} are left out.",
        "",
        "| criterion | holds at the end: of those that overfit | of the others | ever held: of those that overfit"
        " | of the others | at most one evaluation late | delay: median (range) | early, of all |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(name, ill, well) for name in CRITERIA),
        "",
        "After few updates:",
        "",
        "| after | rule | of those that will overfit | of those that do by then | of those that will not"
        " | of all whose loss was to fall on by 5 % |",
        "|---|---|---|---|---|---|",
        *(line for step in FEW for line in _few(step, ill, well)),
        "",
    ]


def _each(runs: list[Recorded]) -> list[str]:
    return [
        "Each training:",
        "",
        "| training | last over lowest | onset | found by RD501 | by the curve alone | after 50 | after 200 |",
        "|---|---|---|---|---|---|---|",
        *(_one(run) for run in runs),
        "",
    ]


def _late(run: Recorded, name: str) -> int:
    first = run.first(name)
    assert first is not None
    return first - run.onset


def _row(name: str, ill: list[Recorded], well: list[Recorded]) -> str:
    def count(holds: Callable[[Recorded], bool], group: list[Recorded]) -> str:
        return _share(sum(map(holds, group)), group)

    def ever(run: Recorded) -> bool:
        return run.first(name) is not None

    delays = [_late(run, name) for run in ill if ever(run)]
    cells = [
        count(lambda run: run.held[name][-1], ill),
        count(lambda run: run.held[name][-1], well),
        count(ever, ill),
        count(ever, well),
        _share(sum(delay <= 1 for delay in delays), ill),
        f"{median(delays):g} ({min(delays)} to {max(delays)})" if delays else "-",
        count(lambda run: run.early(name), [*ill, *well]),
    ]
    return f"| {name} | {' | '.join(cells)} |"


def _share(count: int, group: list[Recorded]) -> str:
    return f"{count} of {len(group)} ({count / len(group):.2f})" if group else "-"


def _few(step: int, ill: list[Recorded], well: list[Recorded]) -> list[str]:
    already = [r for r in ill if (r.onset + 1) * EVERY <= step]
    falling = [r for r in (*ill, *well) if r.falls_on(step)]
    said = {id(r): r.said[step] for r in (*ill, *well)}
    rows = []
    for rule in (*RULES, "any of them"):
        counts = [
            _share(sum(bool(said[id(r)]) if rule not in RULES else rule in said[id(r)] for r in group), group)
            for group in (ill, already, well, falling)
        ]
        rows.append(f"| {step} updates | {rule} | {' | '.join(counts)} |")
    return rows


def _one(run: Recorded) -> str:
    def at(name: str) -> str:
        first = run.first(name)
        return "-" if first is None else str((first + 1) * EVERY)

    cells = [
        run.training.key.replace("_", r"\_"),
        f"{run.truth[-1] / min(run.truth):.2f}",
        "?" if run.overfits is None else str((run.onset + 1) * EVERY) if run.overfits else "-",
        at("RD501"),
        at("RD501, the curve alone"),
        *(" ".join(run.said[step]) or "-" for step in FEW),
    ]
    return f"| {' | '.join(cells)} |"
