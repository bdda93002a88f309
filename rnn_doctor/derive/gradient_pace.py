"""What makes the steps of plain gradient descent small: the rate, or the gradient."""

from statistics import median

from rnn_doctor.derive.optimizer import leading_kinds
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.derive.warm_up import EARLY
from rnn_doctor.schema.signals import Measurement


@signal(unit="rate", reads=("steps.lr", "optimizers"))
def rate_with_momentum(view: View) -> Measurement:
    """The rate of plain gradient descent over 1 - momentum: how far a gradient that does not change moves the weights.

    Of the parameter group with the lowest rate, median of the first 50 updates.

    Reads: `log.steps[k].lr`, `log.optimizers[id].kind`, `.momentum`. Unit: rate.
    None if: no step, or another optimizer than SGD leads, whose steps have another length.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    kinds = leading_kinds(view)
    if not kinds or any(kind != "SGD" for kind in kinds):
        return unknown("the length of its steps is not the rate times the gradient")
    rates = [min(step.lr) for step in view.steps[:EARLY] if step.lr]
    momentum = min(view.log.optimizers[o].momentum for o in view.turns[0] if o in view.log.optimizers)
    if not rates or momentum >= 1:
        return unknown("no learning rate was seen")
    return known(median(rates) / (1 - momentum), n=len(rates))


@signal(unit="norm", reads=("steps.grad_norm", "steps.clipped_norm"))
def grad_norm_used_median(view: View) -> Measurement:
    """Median norm of the gradients that the first 50 updates were given, after clipping.

    Reads: `log.steps[k].grad_norm`, `.clipped_norm`. Unit: norm. None if: no finite gradient norm was seen.
    """
    norms = [
        step.grad_norm if step.clipped_norm is None else step.clipped_norm
        for step in view.finite_steps[:EARLY]
        if step.grad_norm is not None
    ]
    if not norms:
        return unknown("no gradient norm was seen" if view.log.steps else NO_STEP)
    return known(median(norms), n=len(norms))
