"""How far updates of the size seen could bring the loss down at best."""

import math
from collections.abc import Collection
from statistics import median

from rnn_doctor.derive.displacement import grown, moving_matrices, small_when_risen
from rnn_doctor.derive.losses import loss_fall_informed, unusable
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.derive.warm_up import EARLY
from rnn_doctor.schema.runlog import Sample, Step
from rnn_doctor.schema.signals import Measurement


@signal(unit="share", reads=("samples", "parameters", "steps.loss", "steps.clipped_norm"))
def loss_fall_bound(view: View) -> Measurement:
    """Share of the training loss that 50 updates of the size seen could take away at best.

    To first order an update u changes the loss by its product with the gradient g, at best by -|u| |g|, which is summed
    over the weight matrices whose displacement is measured (what a bias in the output layer mends in a few updates is
    no progress of the network); the median over the samples of the first 50 updates, 50 times, over the loss. The
    gradient is that before clipping. It holds the noise of the batches, so that the loss may fall by far less, and a
    large bound says nothing; where it is small, no direction of steps like these could have helped. Under a warm-up to
    a rate that is too small (warm_up_to_nothing), the updates are taken as long as they are at that rate.

    Reads: `log.parameters`, `log.samples[k].update_norm`, `.grad_norm`, `log.steps[k].loss`, `.clipped_norm`.
    Unit: share; above 1 nothing is bounded.
    None if: losses that are not positive, or no sampled update with a loss and gradients.
    Source: Nocedal, Wright 2006, Numerical optimization, sec. 2.2 (the first-order model of descent).
    """
    reason = unusable(view, 1)
    if reason:
        return unknown(reason)
    by_number = {step.step: step for step in view.finite_steps}
    matrices = moving_matrices(view).keys()
    bounds = [
        bound * _when_risen(view, sample)
        for sample in view.finite_samples
        if view.updates(sample.step) <= EARLY
        and (step := by_number.get(sample.step)) is not None
        and (bound := _share(sample, step, matrices)) is not None
    ]
    if not bounds:
        return unknown("no sampled update has a loss and gradients")
    return known(EARLY * median(bounds), n=len(bounds))


def _when_risen(view: View, sample: Sample) -> float:
    """By how much an update grows until a warm-up to a rate that is too small is over; else 1."""
    share = grown(view, view.updates(sample.step)) if view.once(small_when_risen) else 1.0
    return 1 / share if share else 1.0


@signal(unit="share", reads=("samples", "parameters", "steps.loss", "steps.clipped_norm", "losses"))
def loss_fall_by_matrices(view: View) -> Measurement:
    """Share of the training loss that went and that the weight matrices can have taken away.

    loss_fall_informed, but no more than loss_fall_bound: what fell beyond that the biases of the output layer gave in
    their first updates, as they do of a loss whose level for one answer to everything is not known. Where an embedding
    is trained, whose rows the bound leaves out, the whole fall counts.

    Reads: as loss_fall_informed and loss_fall_bound. Unit: share. None if: as loss_fall_informed.
    """
    fall, bound = loss_fall_informed(view), loss_fall_bound(view)
    assert isinstance(fall, Measurement)
    assert isinstance(bound, Measurement)
    left_out = any(
        p.trainable and len(p.shape) > 1 and number not in moving_matrices(view)
        for number, p in view.log.parameters.items()
    )
    if fall.value is None or bound.value is None or left_out:
        return fall
    return known(min(float(fall.value), float(bound.value)), n=fall.n)


def _share(sample: Sample, step: Step, matrices: Collection[int]) -> float | None:
    """The same of one update; None where its loss or its gradients are not known."""
    columns = zip(sample.parameters, sample.grad_norm, sample.update_norm, strict=True)
    pairs = [(g, u) for number, g, u in columns if number in matrices and g is not None]
    if not step.loss or not pairs or not all(math.isfinite(value) for pair in pairs for value in pair):
        return None
    shortened = step.clipped_norm / step.grad_norm if step.clipped_norm and step.grad_norm else 1.0
    return sum(gradient * update for gradient, update in pairs) / step.loss / shortened
