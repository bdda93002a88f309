"""How far updates of the size seen could bring the loss down at best."""

import math
from statistics import median

from rnn_doctor.derive.displacement import EARLY
from rnn_doctor.derive.losses import unusable
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.runlog import Sample, Step
from rnn_doctor.schema.signals import Measurement


@signal(unit="share", reads=("samples.update_norm", "samples.grad_norm", "steps.loss", "steps.clipped_norm"))
def loss_fall_bound(view: View) -> Measurement:
    """Share of the training loss that 50 updates of the size seen could take away at best.

    To first order an update u changes the loss by its product with the gradient g, at best by -|u| |g|, which is summed
    over the parameters; the median over the samples of the first 50 updates, 50 times, over the loss. The gradient is
    that before clipping. It holds the noise of the batches, so that the loss may fall by far less, and a large bound
    says nothing; where it is small, no direction of steps like these could have helped.

    Reads: `log.samples[k].update_norm`, `.grad_norm`, `log.steps[k].loss`, `.grad_norm`, `.clipped_norm`.
    Unit: share; above 1 nothing is bounded.
    None if: losses that are not positive, or no sampled update with a loss and gradients.
    Source: Nocedal, Wright 2006, Numerical optimization, sec. 2.2 (the first-order model of descent).
    """
    reason = unusable(view, 1)
    if reason:
        return unknown(reason)
    by_number = {step.step: step for step in view.finite_steps}
    bounds = [
        bound
        for sample in view.finite_samples
        if view.updates(sample.step) <= EARLY
        and (step := by_number.get(sample.step)) is not None
        and (bound := _share(sample, step)) is not None
    ]
    if not bounds:
        return unknown("no sampled update has a loss and gradients")
    return known(EARLY * median(bounds), n=len(bounds))


def _share(sample: Sample, step: Step) -> float | None:
    """The same of one update; None where its loss or its gradients are not known."""
    gradients = [gradient for gradient in sample.grad_norm if gradient is not None]
    if not step.loss or not gradients or not all(map(math.isfinite, (*gradients, *sample.update_norm))):
        return None
    fall = sum((g or 0.0) * u for g, u in zip(sample.grad_norm, sample.update_norm, strict=True))
    shortened = step.clipped_norm / step.grad_norm if step.clipped_norm and step.grad_norm else 1.0
    return fall / step.loss / shortened
