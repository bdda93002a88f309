"""Validation losses against training losses."""

import math
from collections import Counter

from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.unvalidated import NONE_SEEN, more_of_them
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.validating import Evaluation

WINDOW = 10
"""Evaluations that a trend needs at least, see curve_trend.py."""

ALL = 0.9
"""Of the examples of a loader that stand in the training data, more than which it is a copy of them."""

NO_LOSS = (
    "no loss was computed where the network ran and was not trained by it (a validation, or a policy that acts); where "
    "it validates, compute the loss there too: `val_loss += criterion(output, target).item()`"
)


def validations(view: View) -> tuple[tuple[Evaluation, ...], str]:
    """The series of evaluations on data that is not trained on, or the reason why there is none.

    Losses that are not finite are left out: a perplexity that overflowed says no more than that it was large.
    """
    held_out = [e for e in _of_one_network(view) if not e.on_training_data and e.step > 0]
    with_loss = [e for e in held_out if e.loss is not None and math.isfinite(e.loss)]
    if not with_loss:
        # A script that looks at the accuracy alone, with gradients on, cannot be told from one that waits.
        return (), (NO_LOSS if held_out else NONE_SEEN)
    by_loader: dict[int | None, list[Evaluation]] = {}
    for evaluation in with_loss:
        by_loader.setdefault(evaluation.loader, []).append(evaluation)
    for loader in set(by_loader) & _of_training_data(view):
        del by_loader[loader]
    copies = set(by_loader) & _copies_of_training_data(view)
    if copies != set(by_loader):
        by_loader = {loader: own for loader, own in by_loader.items() if loader not in copies}
    if not by_loader:
        return (), "the script evaluates on its training data alone"
    # The validation set is evaluated all the time, a test set once.
    series = max(by_loader.values(), key=len)
    steps = [e.step for e in series]
    if len(set(steps)) < len(steps):
        return (), "several evaluations after one update cannot be told apart"
    return tuple(series), ""


def _of_one_network(view: View) -> list[Evaluation]:
    """Those of the network whose losses are looked at, where others of its make are trained before and after it.

    As fold by fold: their optimizers are made on the same line, and so are as many recurrent modules.
    """
    log, stepped = view.log, {n for step in view.log.steps for n in step.optimizers}
    lead = log.optimizers.get(view.turns[0][0]) if view.turns and len(view.turns[0]) == 1 else None
    if lead is None or lead.location is None or view.alternates:
        return list(log.evaluations)
    others = [
        n
        for n, each in log.optimizers.items()
        if n in stepped and n != lead.id and (each.location, each.kind) == (lead.location, lead.kind)
    ]
    made = Counter((m.location, m.name, m.hidden_size) for m in log.modules.values() if m.called)
    if not others or max(made.values(), default=0) <= len(others):
        return list(log.evaluations)
    own = [step.step for step in log.steps if lead.id in step.optimizers]
    then = [step.step for step in log.steps if step.step > own[-1]]
    until = then[0] if then else math.inf
    return [each for each in log.evaluations if own[0] <= each.step < until]


def _of_training_data(view: View) -> set[int | None]:
    """The loaders beside that of the training that give what it gives, from the same dataset.

    One dataset may also be shared out by samplers: then they have no examples in common.
    """
    return {
        each.held_out
        for each in view.log.shared_examples
        if each.same_data and 2 * each.held_out_seen > each.held_out_examples
    }


def _copies_of_training_data(view: View) -> set[int | None]:
    """The loaders that give what the training's gives, from a dataset of their own, as one without augmentation.

    Beside another validation they measure the training loss; alone they are a validation that tells nothing.
    """
    sizes = [loader.samples for loader in view.log.loaders.values() if loader.trains and loader.samples]
    return {
        each.held_out
        for each in view.log.shared_examples
        if each.held_out_examples
        and each.held_out_seen
        > ALL * min(1.0, each.examples / max(sizes, default=1)) * each.held_out_examples
    }


@signal(unit="evaluations", reads=("evaluations",))
def evaluations_observed(view: View) -> Measurement:
    """Number of evaluations on data that is not trained on, with a loss.

    Reads: `log.evaluations`. Unit: evaluations. None if: several sets cannot be told apart.
    """
    series, why = view.once(validations)
    if not series and why.startswith("several"):
        return unknown(why)
    return known(len(series), n=len(series))


@signal(unit="share", reads=("evaluations",))
def validation_rise(view: View) -> Measurement:
    """How far the last validation loss lies above the best: last / best - 1.

    Reads: `log.evaluations[i].loss`. Unit: share; 0 where the last is the best.
    None if: fewer than 10 validations (that nothing rose yet says little), or a best loss that is not positive.
    """
    series, why = view.once(validations)
    if len(series) < WINDOW:
        return unknown(why or too_few_validations(view, len(series)))
    losses = [e.loss for e in series if e.loss is not None]
    if min(losses) <= 0:
        return unknown("the validation loss is not positive, so that its ratios mean nothing")
    return known(losses[-1] / min(losses) - 1, n=len(losses))


def too_few_validations(view: View, count: int) -> str:
    """Why a trend of the validation loss is not known, and what would bring more of them."""
    return too_few(count, "validation", "seen", WINDOW) + more_of_them(view.log, WINDOW)
