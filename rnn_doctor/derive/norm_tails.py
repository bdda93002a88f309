"""Heavy tails of the gradient norm, and whether anything bounds the update."""

import math
from collections.abc import Sequence

from rnn_doctor.derive.gradients import SETTLED, WINDOW
from rnn_doctor.derive.optimizer import ADAPTIVE, leading_kinds
from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.trends import running_median
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.runlog import Step
from rnn_doctor.schema.signals import Measurement

FEWEST = 20
"""Norms below which two large ones are no tail."""
_FOLLOWING = frozenset(("sgd", "asgd", "sgdw"))
"""Optimizers whose update grows with the gradient."""
_NORMALIZING = frozenset(("lars",))


def tail(norms: Sequence[float]) -> float:
    """The second largest ratio of a norm to the median of the 20 before it, from the sixth on: one may be chance.

    1 where there are not two.
    """
    medians = running_median(norms, WINDOW)
    ratios = [
        norm / median
        for k, (norm, median) in enumerate(zip(norms[1:], medians, strict=True), 1)
        if k >= SETTLED and median > 0
    ]
    return sorted(ratios)[-2] if len(ratios) > 1 else 1.0


@signal(unit="ratio", reads=("steps.grad_norm",))
def grad_norm_tail(view: View) -> Measurement:
    """Second largest ratio of the gradient norm, before clipping, to its median over the 20 steps before.

    Reads: `log.steps[k].grad_norm` from the sixth on. Unit: ratio; calm runs stay near 2.
    None if: fewer than 20 finite norms.
    """
    norms = _norms(view)
    if len(norms) < FEWEST:
        return unknown(too_few(len(norms), "gradient norm", "seen", FEWEST) if view.log.steps else NO_STEP)
    return known(tail([norm for _, norm in norms]), n=len(norms))


@signal(unit="ratio", reads=("steps.grad_norm", "steps.lr", "samples.weight_norm", "optimizers"))
def grad_throw_max(view: View) -> Measurement:
    """Longest way that one gradient takes the weights under gradient descent, over the weights' norm.

    The norm times the learning rate, and over 1 - momentum, which repeats it; from the sixth update on.

    Reads: `log.steps[k].grad_norm`, `.lr`, `log.samples[i].weight_norm`, `log.optimizers[id].momentum`. Unit: ratio.
    None if: fewer than 20 finite norms, or no weights were sampled.
    """
    norms = _norms(view)
    if len(norms) < FEWEST:
        return unknown(too_few(len(norms), "gradient norm", "seen", FEWEST) if view.log.steps else NO_STEP)
    size = math.hypot(*view.finite_samples[0].weight_norm) if view.finite_samples else 0.0
    if size == 0:
        return unknown("the size of the weights was not seen")
    momentum = max(
        (view.log.optimizers[o].momentum for o in view.turns[0] if o in view.log.optimizers), default=0.0
    )
    ways = [max(step.lr, default=0.0) * norm for step, norm in norms[SETTLED:]]
    return known(max(ways) / max(1 - momentum, 0.01) / size, n=len(ways))


@signal(unit="claim", reads=("steps", "optimizers"))
def update_unbounded(view: View) -> Measurement:
    """Whether the update grows with the gradient and nothing is seen that would bound it.

    That is SGD without a clip call, and without a norm that changed between the backward pass and the update.

    Reads: `log.optimizers[id].kind`, `log.steps[k].clip_limit`, `.clip_late`, `.clipped_norm`. Unit: claim.
    None if: no step, updates made by hand, or an optimizer of which it is not known.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    if any(s.clip_late or s.clip_limit is not None or s.clipped_norm is not None for s in view.log.steps):
        return known(False)
    kinds = [kind.lower() for kind in leading_kinds(view)]
    if not kinds:
        return unknown("the updates are made by hand, and what bounds them was not seen")
    if any(kind in ADAPTIVE | _NORMALIZING for kind in kinds):
        return known(False)
    strange = [kind for kind in leading_kinds(view) if kind.lower() not in _FOLLOWING]
    return unknown(f"whether {strange[0]} bounds its update is not known") if strange else known(True)


def _norms(view: View) -> list[tuple[Step, float]]:
    return [(step, step.grad_norm) for step in view.finite_steps if step.grad_norm is not None]
