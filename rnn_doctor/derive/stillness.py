"""Trainings in which nothing moves at all, and why."""

from rnn_doctor.derive.histories import FEWEST, has_rate, histories, too_early
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.values import Location

_BLAMED = {"unreached": "backward", "cleared": "zero_grad", "flat": "backward"}
"""The line of the training loop that is told of, by cause."""
_NEVER = 500
"""Backward passes that no single update gathers."""


@signal(unit="text", reads=("parameters", "samples", "steps.lr"))
def nothing_moves(view: View) -> Measurement:
    """Why no tensor that an optimizer holds has changed in a single bit, although it steps at a rate above 0.

    `unreached`: no loss depends on any of them; `cleared`: losses do, but no gradient is left when the optimizer
    steps; `flat`: every gradient is exactly 0; `other`: another reason, or some of them move.

    Reads: `log.parameters[id].used`, `log.samples[k].displacement`, `.grad_norm`. Unit: text.
    None if: fewer than 5 updates were sampled, or the graph of no loss was seen.
    """
    reason = too_early(view, FEWEST)
    if reason:
        return unknown(reason)
    held = {p.id: p for p in view.log.parameters.values() if p.trainable and p.optimizer is not None}
    told = [p.used for p in held.values() if p.used is not None]
    if not told:
        return unknown("the graph of no loss was seen")
    later = [sample for sample in view.log.samples if sample.step > 1]
    moved = any(history.moved for history in view.once(histories).values())
    stepping = all(
        has_rate(view, number) for number in {n for step in view.log.steps for n in step.optimizers}
    )
    if moved or view.by_hand or not later or not stepping:
        return known("other")
    gradients = [
        norm
        for sample in later
        for number, norm in zip(sample.parameters, sample.grad_norm, strict=True)
        if number in held
    ]
    if not any(told):
        return known("unreached", n=len(held))
    if all(norm is None for norm in gradients):
        return known("cleared", n=len(held))
    return known("flat" if all(norm is None or norm == 0 for norm in gradients) else "other", n=len(held))


@signal(unit="passes", reads=("stop", "steps", "places", "optimizers"))
def backwards_without_update(view: View) -> Measurement:
    """Backward passes of a training that made no update at all; 0 where it made one, or may have been about to.

    It may where an optimizer's step() was under way (LBFGS asks for a loss many times), or where the script had not
    ended and the passes may be those of one update.

    Reads: `log.stop.backwards`, `.reason`, `log.steps`, `log.places`, `log.optimizers`. Unit: passes.
    None if: no backward pass was seen, or there is no optimizer to step.
    """
    stop = view.log.stop
    if view.log.steps:
        return known(0, n=len(view.log.steps))
    if stop is None or not stop.backwards:
        return unknown(NO_STEP)
    if not view.log.optimizers:
        return unknown("no optimizer was built")
    stepping = any(place.role == "step" for place in view.log.places)
    over = stop.reason == "script_end" or stop.backwards >= _NEVER
    return known(stop.backwards if over and not stepping else 0, n=stop.backwards)


def nothing_moves_at(view: View) -> Location | None:
    """The line to blame where nothing moves; None where something does."""
    measured = nothing_moves(view)
    assert isinstance(measured, Measurement)
    role = _BLAMED.get(str(measured.value))
    return next((place.location for place in view.log.places if place.role == role), None)
