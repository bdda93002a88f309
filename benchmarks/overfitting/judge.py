"""What rules and baselines say of the recorded trainings, up to each of their evaluations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import fmean

from rnn_doctor import pipeline
from rnn_doctor.derive import registry
from rnn_doctor.derive.validation import validations
from rnn_doctor.derive.view import View
from rnn_doctor.diagnose.verdict import reach
from rnn_doctor.schema.built import Loader
from rnn_doctor.schema.runlog import RunLog
from rnn_doctor.schema.signals import RUN, Signal, Signals
from rnn_doctor.schema.validating import Evaluation
from rnn_doctor.settings import Settings

from .trainings import EVERY, Training

ABOVE, LAST = 1.05, 3
"""The last losses over the lowest, above which a training has overfit: each of so many."""
FEW = (50, 200)
"""Updates after which the evidence of few steps is judged."""
RULES = ("RD501", "RD502", "RD503")
TRUTH = "the loss on 1,500 other samples, 5 % above its lowest twice in a row"


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
        return min(self.truth[seen:], default=self.truth[-1]) * ABOVE < min(self.truth[:seen])

    def first(self, criterion: str) -> int | None:
        """The first evaluation at which a criterion holds, counted from 0."""
        return next((k for k, fires in enumerate(self.held[criterion]) if fires), None)

    def early(self, criterion: str) -> bool:
        """Whether it held while the loss on samples of its own was to fall by 5 % once more."""
        return any(fires and self.falls_on(EVERY * (k + 1)) for k, fires in enumerate(self.held[criterion]))

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


def told_the_truth(recorded: Recorded, k: int) -> bool:
    """What no script can see: the loss on the samples of its own lies 5 % above its lowest, twice in a row."""
    seen = recorded.truth[: k + 1]
    return k > 0 and min(seen[-2:]) > ABOVE * min(seen)


CRITERIA: dict[str, Fires] = {
    "RD501": by_rule("examples"),
    "RD501, the curve alone": by_rule("curve"),
    "GL > 2 %": generalization_loss(0.02),
    "GL > 5 %": generalization_loss(0.05),
    "PQ > 0.5": progress_quotient,
    "UP, 3 strips of 5": strips,
    TRUTH: told_the_truth,
}
