"""What rules and baselines say of the recorded trainings, up to each of their evaluations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median

from rnn_doctor import pipeline
from rnn_doctor.derive import registry
from rnn_doctor.derive.validation import validations
from rnn_doctor.derive.view import View
from rnn_doctor.diagnose.verdict import reach
from rnn_doctor.schema import reading
from rnn_doctor.schema.built import Loader
from rnn_doctor.schema.runlog import Evaluation, RunLog
from rnn_doctor.schema.signals import RUN, Signal, Signals
from rnn_doctor.settings import Settings

from .trainings import EVERY, Training

ABOVE, LAST = 1.05, 3
"""The last losses over the lowest, above which a training has overfit: each of so many."""
FEW = (50, 200)
"""Updates after which the evidence of few steps is judged."""
RULES = ("RD501", "RD502", "RD503")


@dataclass(frozen=True)
class Recorded:
    """One training: its outcome, and its run log."""

    training: Training
    truth: Sequence[float]
    """Loss on samples of its own after each evaluation."""
    log: RunLog

    @property
    def overfits(self) -> bool | None:
        """The earned label; None where the last losses jump from one side to the other."""
        above = [loss > ABOVE * min(self.truth) for loss in self.truth[-LAST:]]
        return all(above) if len(set(above)) == 1 else None

    @property
    def onset(self) -> int:
        """The first evaluation from which on all lie 5 % above the lowest."""
        low = [k for k, loss in enumerate(self.truth) if loss <= ABOVE * min(self.truth)]
        return low[-1] + 1

    def falls_on(self, step: int) -> bool:
        """Whether the loss on samples of its own came to lie 5 % below all that it had been up to that update."""
        seen = step // EVERY
        return min(self.truth[seen:]) * ABOVE < min(self.truth[:seen])

    @cached_property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """Those on the validation data."""
        return View(self.log).once(validations)[0]

    @cached_property
    def validation(self) -> list[float]:
        """The validation losses that the script computed."""
        return [e.loss for e in self.evaluations if e.loss is not None]

    @cached_property
    def training_losses(self) -> list[float]:
        """The mean training loss before each evaluation."""
        losses = [s.loss or 0.0 for s in self.log.steps]
        return [fmean(losses[max(0, e.step - EVERY) : e.step]) for e in self.evaluations]

    def until(self, step: int) -> RunLog:
        """The log as it stood after so many updates."""
        shown = {"loaders": {n: _given(loader, step) for n, loader in self.log.loaders.items()}}
        return self.log.model_copy(
            update=shown
            | {
                name: tuple(each for each in getattr(self.log, name) if each.step <= step)
                for name in (
                    "steps",
                    "samples",
                    "evaluations",
                    "losses",
                    "batches",
                    "readouts",
                    "layers",
                    "replays",
                )
            }
        )

    @cached_property
    def held(self) -> dict[str, list[bool]]:
        """At which evaluations each criterion holds."""
        return {
            name: [fires(self, k) for k in range(len(self.evaluations))] for name, fires in CRITERIA.items()
        }

    @cached_property
    def said(self) -> dict[int, list[str]]:
        """The rules on overfitting that a report on the first few updates finds."""
        reports = {step: pipeline.examine(self.until(step), Settings()) for step in FEW}
        return {
            step: sorted({f.rule for f in report.findings if f.rule in RULES and f.severity != "note"})
            for step, report in reports.items()
        }


def _given(loader: Loader, step: int) -> Loader:
    """A loader as it stood after so many updates of one batch each."""
    return loader if loader.given is None else loader.model_copy(update={"given": min(loader.given, step)})


Fires = Callable[[Recorded, int], bool]
"""Whether a criterion holds at an evaluation, counted from 0, given all up to it."""


def by_rule(basis: str) -> Fires:
    """RD501 itself; `curve`: as if the losses of single examples had not been seen."""
    rule = pipeline.rulebook().rules["RD501"]
    entries = registry.entries()
    wanted = {clause.signal for clause in rule.when}

    def fires(recorded: Recorded, k: int) -> bool:
        log = recorded.until(recorded.evaluations[k].step + 1)
        if basis == "curve":
            bare = [
                e.model_copy(update={"examples": None, "rise": None, "trained": None})
                for e in log.evaluations
            ]
            log = log.model_copy(update={"evaluations": tuple(bare)})
        view = View(log)
        measured = {
            name: Signal(name=name, unit="", by="run", measurements={RUN: entries[name].measure(view)})
            for name in wanted
        }
        return reach(rule, Signals(signals=measured)).state == "found"

    return fires


def generalization_loss(share: float) -> Fires:
    """GL: the loss lies so far above the lowest so far."""
    return lambda recorded, k: recorded.validation[k] > (1 + share) * min(recorded.validation[: k + 1])


def progress_quotient(recorded: Recorded, k: int) -> bool:
    """PQ > 0.5: GL in percent over the progress of the training within the last five, in per mille."""
    if k < 4:
        return False
    strip = recorded.training_losses[k - 4 : k + 1]
    progress = 1000 * (fmean(strip) / min(strip) - 1)
    loss = 100 * (recorded.validation[k] / min(recorded.validation[: k + 1]) - 1)
    return progress > 0 and loss / progress > 0.5


def strips(recorded: Recorded, k: int) -> bool:
    """UP: the loss has risen over three strips of five in a row."""
    ends = [k - 15, k - 10, k - 5, k]
    return ends[0] >= 0 and all(recorded.validation[b] > recorded.validation[a] for a, b in pairwise(ends))


CRITERIA: dict[str, Fires] = {
    "RD501": by_rule("examples"),
    "RD501, the curve alone": by_rule("curve"),
    "GL > 2 %": generalization_loss(0.02),
    "GL > 5 %": generalization_loss(0.05),
    "PQ > 0.5": progress_quotient,
    "UP, 3 strips of 5": strips,
}


Judged = list[tuple[Training, list[float], Path]]


TITLES = {
    "first": "The trainings that the rules were mended with first",
    "second": "The trainings that they were mended with then",
    "third": "Others: the first look",
}


HISTORY = """\
The third set counts: other tasks, optimizers, batches and sizes, made before the rules were mended with the
second, and looked at once when that was done. The first set made the rules; the threshold of RD502 and RD503
(0.25) was read from 35 of its trainings. The second was looked at once by the rules as they were then: RD501
found 14 of 16, 10 at most one evaluation late, and called 2 of 23 others; after 200 updates RD502 and RD503
called 6. It showed:

- *A loss that rises before anything is learned.* Of three trainings (recall with 40 and 80 samples, logs with 40)
  two memorized; in one the loss rose by 29 % up to update 50, and then it learned. Nothing told it from the
  others. The rules now wait until something is learned, which finds the two others three and two evaluations
  late.
- *Few examples, and many looks.* On 200 examples a loss rose by 8 %, on 1,500 others by 1.6 %; on 300 it stood 7
  % and 2.4 standard errors above its best in one of 40 looks, on the others 1 %. In both the training loss had
  hardly fallen since the best, or not at all. Now no evidence counts where it lies no lower, and the weaker one
  (two evaluations that count together, the curve beside the examples) where it has not fallen by 2 % of the
  validation loss.
- *Batches of unequal size.* The script's own mean over batches said 11 % instead of 8 %: its last batch of 8
  weighs as much as one of 64. Whether a rise lasts is told by the mean over the examples.
- *Memorizing without harm.* On other samples the loss of the six that RD502 called never fell by 5 % again, as it
  said; nor did it rise by 5 %. RD502 now asks for a loss that has begun to rise.
- *Late.* On the 96 examples of the script there is no rise to see one evaluation after the onset (motifs and
  adding with 40 samples: 0.0 and 1.5 standard errors). Lower thresholds find some sooner, and call others.

The first look at the third, at 40 of its 45 trainings: both false alarms of RD501 (oscillators with 44 and 72
samples) are rises that passed; at the end it calls none. The two that it missed (oscillators with 20, cue with 44
samples) and the six found late validate on 64 to 240 examples. Nothing was mended with it yet. The logs of the first
set were recorded before the losses of trained examples were taken after the twentieth evaluation.

The last column of the tables after few updates holds RD502 and RD503 against what they say themselves: it counts
all whose loss on other samples was yet to fall 5 % below all that it had been, so that more than memorizing was
to come.
"""


def page(sets: dict[str, Judged]) -> str:
    """The results as Markdown."""
    lines = [
        "# Overfitting: rules against known outcomes",
        "",
        "Command: `python -m benchmarks.overfitting.run`. How labels are earned: its first lines. Delay: evaluations",
        "from the onset, which the samples of their own tell, to the first at which the criterion holds; negative",
        "where it holds before. Left out are trainings whose last losses jump from one side of 5 % to the other.",
        "",
        *HISTORY.splitlines(),
        "",
        *(line for name, recorded in sets.items() for line in _set(TITLES[name], recorded)),
    ]
    return "\n".join(lines)


def _set(title: str, recorded: Judged) -> list[str]:
    runs = [Recorded(t, truth, reading.read(log)) for t, truth, log in recorded]
    ill, well = ([r for r in runs if r.overfits is label] for label in (True, False))
    left = len(runs) - len(ill) - len(well)
    return [
        f"## {title}",
        "",
        f"{len(runs)} trainings: {len(ill)} overfit, {len(well)} do not, {left} are left out.",
        "",
        "| criterion | holds at the end: of those that overfit | of the others | ever held: of those that overfit"
        " | of the others | at most one evaluation late | delay: median (range) |",
        "|---|---|---|---|---|---|---|",
        *(_row(name, ill, well) for name in CRITERIA),
        "",
        "After few updates:",
        "",
        "| after | rule | of those that will overfit | of those that do by then | of those that will not"
        " | of all whose loss was to fall on by 5 % |",
        "|---|---|---|---|---|---|",
        *(line for step in FEW for line in _few(step, ill, well)),
        "",
        "Each training:",
        "",
        "| training | last over lowest | onset | found by RD501 | by the curve alone | after 50 | after 200 |",
        "|---|---|---|---|---|---|---|",
        *(_one(r) for r in runs),
        "",
    ]


def _first(name: str, run: Recorded) -> int | None:
    return next((k for k, fires in enumerate(run.held[name]) if fires), None)


def _row(name: str, ill: list[Recorded], well: list[Recorded]) -> str:
    first = {id(r): _first(name, r) for r in (*ill, *well)}
    ends = {id(r): r.held[name][-1] for r in (*ill, *well)}
    delays = [k - r.onset for r in ill if (k := first[id(r)]) is not None]
    said = f"{median(delays):g} ({min(delays)} to {max(delays)})" if delays else "-"
    cells = [
        _share(sum(ends[id(r)] for r in ill), ill),
        _share(sum(ends[id(r)] for r in well), well),
        _share(sum(first[id(r)] is not None for r in ill), ill),
        _share(sum(first[id(r)] is not None for r in well), well),
        _share(sum(delay <= 1 for delay in delays), ill),
        said,
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
        first = _first(name, run)
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
