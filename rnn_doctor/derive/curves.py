"""The curves of a report over the updates: losses, norms, rates; update sizes."""

import math
import re

from rnn_doctor.derive.gradients import spikes
from rnn_doctor.derive.thinning import thinned
from rnn_doctor.derive.uninformed import uninformed_training_loss
from rnn_doctor.derive.validation import validations
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.built import Parameter
from rnn_doctor.schema.curves import Curve, StepCurves, UpdateCurve
from rnn_doctor.schema.runlog import Sample

_MOST_SPIKES = 100
_MOST_GROUPS = 64
_LAYER = re.compile(r"_l(\d+)(_reverse)?$")
"""How torch ends the names of a recurrent module's weights: `weight_hh_l0`, `bias_ih_l1_reverse`."""

Group = tuple[str, int | None, bool]
"""Subject, layer and direction."""


def by_step(view: View) -> StepCurves:
    """Loss, validation, norms and rates of the leading optimizers."""
    losses = [(s.step, s.loss) for s in view.steps if s.loss is not None] if view.log.steps else []
    norms = [(s.step, s.grad_norm) for s in view.steps if s.grad_norm is not None] if view.log.steps else []
    evaluations, why = view.once(validations)
    return StepCurves(
        loss=_curve(losses, "no training loss was seen" if view.log.steps else NO_STEP),
        validation=_curve([(e.step, e.loss) for e in evaluations if e.loss is not None], why),
        uninformed_loss=view.once(uninformed_training_loss),
        grad_norm=_curve(norms, "no gradient norm was seen" if view.log.steps else NO_STEP),
        clipped_norm=_clipped(view),
        clip_limit=_limit(view),
        spikes=_largest(view),
        learning_rate=_rate(view),
    )


def _curve(points: list[tuple[int, float]], absent: str) -> Curve:
    return thinned([step for step, _ in points], [value for _, value in points], absent)


def _clipped(view: View) -> Curve:
    """The norm that was used wherever clipping may have changed it: after a clip call, or told apart from the first."""
    points = []
    for step in view.steps if view.log.steps else ():
        used = step.clipped_norm if step.clipped_norm is not None else step.grad_norm
        if used is not None and (step.clipped_norm is not None or step.clip_limit is not None):
            points.append((step.step, used))
    return _curve(points, "the gradient was not clipped")


def _limit(view: View) -> Curve:
    points = (
        [(s.step, s.clip_limit) for s in view.steps if s.clip_limit is not None] if view.log.steps else []
    )
    return _curve(points, "no clip call was seen")


def _largest(view: View) -> tuple[int, ...]:
    """The steps of the largest spikes, in the order of time."""
    found = view.once(spikes)
    return tuple(sorted(sorted(found, key=lambda step: -found[step])[:_MOST_SPIKES]))


def _rate(view: View) -> Curve:
    lead = next((o for o in (view.turns[0] if view.turns else ()) if o in view.log.optimizers), None)
    if lead is None:
        return Curve(absent="no torch optimizer made the updates" if view.log.steps else NO_STEP)
    points = [(s.step, rates[0]) for s in view.steps if (rates := view.rates_at_step(lead, s))]
    return _curve(points, "the learning rates of its optimizers cannot be told apart")


def updates(view: View) -> tuple[UpdateCurve, ...]:
    """Update over weight norm of each group of trained weights: recurrent ones by layer, others by module.

    Recurrent layers come first. Weights whose norm is zero give no ratio.
    """
    groups: dict[Group, set[int]] = {}
    for number, parameter in view.log.parameters.items():
        if parameter.trainable:
            groups.setdefault(_group(view, parameter), set()).add(number)
    order = sorted(groups, key=lambda g: (g[1] is None, *g[:1], g[1] or 0, g[2]))
    found = []
    for group in order:
        points = [(s.step, r) for s in view.log.samples if (r := _ratio(s, groups[group])) is not None]
        if points:
            subject, layer, reverse = group
            found.append(
                UpdateCurve(
                    subject=subject,
                    layer=layer,
                    reverse=reverse,
                    steps=tuple(step for step, _ in points),
                    ratios=tuple(ratio for _, ratio in points),
                )
            )
    return tuple(found[:_MOST_GROUPS])


def _group(view: View, parameter: Parameter) -> Group:
    layer = _LAYER.search(parameter.name) if parameter.module in view.module_names else None
    return view.owner(parameter), int(layer[1]) if layer else None, bool(layer and layer[2])


def _ratio(sample: Sample, group: set[int]) -> float | None:
    """||update|| / ||weights|| of a group at one sampled step; None where it was not sampled or is zero."""
    pairs = [
        (update, weight)
        for number, update, weight in zip(
            sample.parameters, sample.update_norm, sample.weight_norm, strict=True
        )
        if number in group
    ]
    size = math.hypot(*(weight for _, weight in pairs))
    return math.hypot(*(update for update, _ in pairs)) / size if size > 0 else None
