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
        log = recorded.until(recorded.evaluations[k].step)
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


def page(known: Judged, fresh: Judged) -> str:
    """The results as Markdown."""
    lines = [
        "# Overfitting: rules against known outcomes",
        "",
        "Command: `python -m benchmarks.overfitting.run`. How labels are earned: its first lines. Delay: evaluations",
        "from the onset, which the samples of their own tell, to the first at which the criterion holds; negative",
        "where it holds before. Left out are trainings whose last losses jump from one side of 5 % to the other.",
        "",
        "The second set counts: other tasks, sizes and seeds, none of which was looked at before the rules were done.",
        "With the first they were mended. What was seen once counts as not memorized since a false alarm. Two",
        "evaluations in a row count together, and the curve beside the examples, since it was found in 28 of 29, in 26",
        "at most one evaluation late; with that, of ten evaluations and more a rise must last. The threshold of RD502",
        "and RD503 (0.25) was read from its first 35 trainings.",
        "",
        *_set("The trainings that the rules were mended with", known),
        *_set("Others", fresh),
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
        *(_row(name, fires, ill, well) for name, fires in CRITERIA.items()),
        "",
        "After few updates:",
        "",
        "| after | rule | of those that will overfit | of those that do by then | of those that will not |",
        "|---|---|---|---|---|",
        *(line for step in FEW for line in _few(step, ill, well)),
        "",
        "Each training:",
        "",
        "| training | last over lowest | onset | found by RD501 | by the curve alone | after 50 | after 200 |",
        "|---|---|---|---|---|---|---|",
        *(_one(r) for r in runs),
        "",
    ]


def _first(fires: Fires, run: Recorded) -> int | None:
    return next((k for k in range(len(run.evaluations)) if fires(run, k)), None)


def _row(name: str, fires: Fires, ill: list[Recorded], well: list[Recorded]) -> str:
    first = {id(r): _first(fires, r) for r in (*ill, *well)}
    ends = {id(r): fires(r, len(r.evaluations) - 1) for r in (*ill, *well)}
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
    said = {id(r): r.said[step] for r in (*ill, *well)}
    rows = []
    for rule in (*RULES, "any of them"):
        counts = [
            _share(sum(bool(said[id(r)]) if rule not in RULES else rule in said[id(r)] for r in group), group)
            for group in (ill, already, well)
        ]
        rows.append(f"| {step} updates | {rule} | {' | '.join(counts)} |")
    return rows


def _one(run: Recorded) -> str:
    def at(fires: Fires) -> str:
        first = _first(fires, run)
        return "-" if first is None else str((first + 1) * EVERY)

    cells = [
        run.training.key.replace("_", r"\_"),
        f"{run.truth[-1] / min(run.truth):.2f}",
        "?" if run.overfits is None else str((run.onset + 1) * EVERY) if run.overfits else "-",
        at(CRITERIA["RD501"]),
        at(CRITERIA["RD501, the curve alone"]),
        *(" ".join(run.said[step]) or "-" for step in FEW),
    ]
    return f"| {' | '.join(cells)} |"
