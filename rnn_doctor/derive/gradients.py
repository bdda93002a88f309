"""Spikes of the gradient norm, values that are not finite, gradients that were not cleared."""

import math
from itertools import pairwise

import numpy as np

from rnn_doctor.derive.own_targets import own_targets
from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.trends import running_median
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.runlog import NonFinite
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.values import Location

_STATES = {"h": "the state h", "c": "the cell state c"}
WINDOW = 20
SETTLED = 5
"""Large gradients in the first steps are common (head and embedding still at their initial values)."""
SPIKE, EARLY_SPIKE = 10.0, 100.0
AFTER = 3
"""Losses after a spike that must be higher: one odd batch raises its own loss alone."""
FEWEST_LATER = 5
"""Losses after those by which a rise is over: a median of fewer is one batch's."""


def _norms(view: View) -> tuple[list[float], list[float | None]]:
    """Gradient norms of the finite steps, with their losses."""
    pairs = [(s.grad_norm, s.loss) for s in view.finite_steps if s.grad_norm is not None]
    return [norm for norm, _ in pairs], [loss for _, loss in pairs]


def _ratios(norms: list[float]) -> list[tuple[int, float]]:
    """Index of each norm that counts, and its ratio to the running median, or to a tenth of the first steps' if more.

    In the first steps only a huge one does.
    The very first has nothing before it, and is held against the median of those that follow at once.
    """
    found = []
    if len(norms) > AFTER:
        following = float(np.median(norms[1 : 1 + AFTER]))
        if norms[0] > EARLY_SPIKE * following > 0:
            found.append((0, norms[0] / following))
    start = float(np.median(norms[:SETTLED])) if norms else 0.0
    for k, median in enumerate(running_median(norms, WINDOW), 1):
        # Where a network has learned, one odd batch has many times the usual gradient, and less than all had at first.
        ratio = norms[k] / max(median, start / SPIKE) if median > 0 else 0.0
        if k >= SETTLED or ratio > EARLY_SPIKE:
            found.append((k, ratio))
    return found


def _absent(view: View) -> str | None:
    if not view.log.steps:
        return NO_STEP
    count = len(_norms(view)[0])
    if count == 0:
        return "no gradient norm was seen"
    if count <= SETTLED:
        return too_few(count, "gradient norm", "seen before the end", SETTLED + 1)
    return None


@signal(unit="ratio", reads=("steps.grad_norm",))
def grad_norm_spike_max(view: View) -> Measurement:
    """Largest ratio of the gradient norm, before clipping, to its median over the 20 steps before.

    Or to a tenth of the median of the first 5, where that is more.

    Reads: `log.steps[k].grad_norm`; in the first 5 steps only ratios above 100 count.
    Unit: ratio; a steady norm has 1. None if: fewer than 6 finite norms.
    """
    reason = _absent(view)
    if reason:
        return unknown(reason)
    norms, _ = _norms(view)
    return known(max((ratio for _, ratio in _ratios(norms)), default=1.0), n=len(norms))


@signal(unit="spikes", reads=("steps.grad_norm", "steps.loss"))
def grad_norm_spike_count(view: View) -> Measurement:
    """Number of steps with a gradient norm above 10 times its running median after which the loss rises.

    And above the median of the first 5 steps: what is smaller than where the training began has not exploded.
    The rise is that of the median loss of the next 3 steps over that of the 20 before: by half of itself,
    by 3 robust standard deviations, and to at least a tenth of the first loss. Spikes without it do no harm, nor those
    of batches whose own loss stands out as much, and no further than that of two others of the 20
    steps before after which it was low again.

    Reads: `log.steps[k].grad_norm`, `.loss`. Unit: spikes.
    None if: fewer than 6 finite norms; spikes without losses to tell what they did; or spikes where optimizers take
    turns, as in a GAN, each of whose losses rises as the other side learns, or where the network makes its own targets,
    as an agent does.
    """
    reason = _absent(view)
    if reason:
        return unknown(reason)
    norms, losses = _norms(view)
    spikes = [(k, ratio) for k, ratio in _ratios(norms) if ratio > SPIKE]
    if spikes and all(loss is None for loss in losses):
        return unknown("the gradient norm spikes, but no loss was seen to tell whether that did harm")
    if spikes and view.alternates and not view.loss_broke:
        return unknown(
            "the gradient norm spikes, but optimizers take turns: the loss of one rises as another learns"
        )
    own = view.once(own_targets)
    if spikes and own and not view.loss_broke:
        return unknown(f"the gradient norm spikes, but whether that did harm the loss does not tell: {own}")
    return known(sum(_does_harm(losses, k, ratio, view.loss_broke) for k, ratio in spikes), n=len(norms))


@signal(unit="claim", reads=("steps.grad_norm", "steps.loss"))
def grad_norm_spike_recovered(view: View) -> Measurement:
    """Whether the loss came back from its rise after the last harmful spike to where it stood before.

    The median of all losses after the three that were high, five at least, is no higher than that of the 20 before the
    spike.

    Reads: `log.steps[k].grad_norm`, `.loss`. Unit: claim; False where fewer losses followed, or one became NaN.
    None if: as grad_norm_spike_count, or no spike did harm.
    """
    count = grad_norm_spike_count(view)
    assert isinstance(count, Measurement)
    if count.value is None:
        return count
    norms, losses = _norms(view)
    harmful = [k for k, r in _ratios(norms) if r > SPIKE and _does_harm(losses, k, r, view.loss_broke)]
    if not harmful:
        return unknown("no spike of the gradient norm did harm")
    before, _, later = _around(losses, harmful[-1])
    back = len(later) >= FEWEST_LATER and float(np.median(later)) <= float(np.median(before))
    return known(back and not view.loss_broke, n=len(later))


@signal(unit="times", reads=("steps.grad_norm", "steps.clipped_norm"))
def grad_norm_spike_applied(view: View) -> Measurement:
    """What clipping left of the largest spike: the norm that the update was given, times the running median.

    Reads: `log.steps[k].grad_norm`, `.clipped_norm`. Unit: times; as grad_norm_spike_max where nothing clips.
    None if: as there.
    """
    reason = _absent(view)
    if reason:
        return unknown(reason)
    kept = [
        1.0 if s.clipped_norm is None or not s.grad_norm else min(1.0, s.clipped_norm / s.grad_norm)
        for s in view.finite_steps
        if s.grad_norm is not None
    ]
    applied = [ratio * kept[k] for k, ratio in _ratios(_norms(view)[0]) if ratio > SPIKE]
    return known(max(applied, default=1.0), n=len(kept))


def spikes(view: View) -> dict[int, float]:
    """The ratio to its running median of each gradient norm that spikes, by step."""
    numbers = [s.step for s in view.finite_steps if s.grad_norm is not None]
    return {numbers[k]: ratio for k, ratio in _ratios(_norms(view)[0]) if ratio > SPIKE}


def first_harmful_spike(view: View) -> int | None:
    """The step of the first spike after which the loss rises; None where there is none."""
    numbers = [s.step for s in view.finite_steps if s.grad_norm is not None]
    norms, losses = _norms(view)
    for k, ratio in _ratios(norms):
        if ratio > SPIKE and _does_harm(losses, k, ratio, view.loss_broke):
            return numbers[k]
    return None


def _is_of_its_batch(before: list[float], own: float | None, ratio: float) -> bool:
    """Whether the batch's own loss stands out as its gradient does, and no further than two that have passed.

    The summed loss of one sentence after another is such: both grow with its length, and the next may be short.
    """
    if own is None or own <= 0.5 * ratio * float(np.median(before)):
        return False
    passed = [loss for loss, following in pairwise(before) if following < 0.5 * loss]
    return sum(loss >= own for loss in passed) > 1


def _around(losses: list[float | None], k: int) -> tuple[list[float], list[float], list[float]]:
    """The losses of the 20 steps before a spike, of the 3 after it, and of all others that follow."""
    end = k + 1 + AFTER
    before, after, later = (
        [v for v in part if v is not None]
        for part in (losses[max(0, k - WINDOW) : max(1, k)], losses[k + 1 : end], losses[end:])
    )
    return before, after, later


def _does_harm(losses: list[float | None], k: int, ratio: float, broke: bool) -> bool:
    before, after, _ = _around(losses, k)
    if broke and k + 1 + AFTER > len(losses):
        return True  # the loss is NaN or infinite within these steps
    if not before or not after or _is_of_its_batch(before, losses[k], ratio):
        return False
    level = float(np.median(before))
    spread = 1.4826 * float(np.median(np.abs(np.array(before) - level)))
    now = float(np.median(after))
    first = next(v for v in losses if v is not None)
    return now - level > max(0.5 * abs(level), 3 * spread) and abs(now) > 0.1 * abs(first)


def first_non_finite(view: View) -> NonFinite | None:
    """Where NaN or Inf was first seen.

    A gradient alone that overflows is everyday work of loss scaling, which then skips the update: it counts
    only if an update used it, or if nothing came after it.
    """
    norms = {step.step: step.grad_norm for step in view.log.steps}
    last = max(norms, default=0)
    for record in view.log.non_finite:
        norm = norms.get(record.step)
        if record.what == "gradient" and record.step <= last and norm is not None and math.isfinite(norm):
            continue
        return record
    for step in view.log.steps:
        if step.loss is not None and not math.isfinite(step.loss):
            return NonFinite(record="non_finite", step=step.step, what="loss", subject="training loss")
        if step.grad_norm is not None and not math.isfinite(step.grad_norm):
            return NonFinite(record="non_finite", step=step.step, what="gradient", subject="global norm")
    return None


@signal(unit="claim", reads=("non_finite", "steps"))
def non_finite_found(view: View) -> Measurement:
    """Whether NaN or Inf was seen in weights, inputs, states, outputs, loss or a gradient that was used.

    Reads: `log.non_finite`, `log.steps`. Unit: claim. None if: no step and no such record.
    """
    first = view.once(first_non_finite)
    if first is None and not view.log.steps:
        return unknown(NO_STEP)
    return known(first is not None, n=len(view.log.steps), location=_place_of(view, first) if first else None)


def _place_of(view: View, first: NonFinite) -> Location | None:
    """Its own line, else that of the recurrent module it was seen in, else that of the backward pass.

    Of an operation whose line is not known, where the first module was called that took what it made; of a weight,
    where the update was made that broke it.
    """
    again = [r.location for r in view.log.non_finite if (r.what, r.subject) == (first.what, first.subject)]
    modules = [m.location for m in view.log.modules.values() if m.name == first.subject]
    takers = [
        r.location
        for r in view.log.non_finite
        if first.what == "operation" and r.step == first.step and r.what in ("input", "state")
    ]
    role = "step" if first.what == "weight" else "backward"
    places = [p.location for p in view.log.places if p.role == role]
    known_places = (first.location, *again, *modules, *takers, *places)
    return next((place for place in known_places if place is not None), None)


def _inner(first: NonFinite) -> str:
    """Layer, time step and gate, where the replay of the call found them."""
    where = [] if first.layer is None else [f"layer {first.layer}{', backwards' if first.reverse else ''}"]
    if first.time is not None:
        where.append(f"time step {first.time}")
    if first.gate is not None:
        where.append(
            f"{_STATES.get(first.gate, f'gate {first.gate}')}{' overflows' if first.overflow else ''}"
        )
    return f" ({', '.join(where)})" if where else ""


@signal(unit="words", reads=("non_finite", "steps"))
def non_finite_origin(view: View) -> Measurement:
    """Where NaN or Inf was seen first in the order of execution, in words.

    Reads: `log.non_finite`, `log.steps`. Unit: words. None if: everything was finite.
    """
    first = view.once(first_non_finite)
    if first is None:
        return unknown("nothing but finite values was seen")
    if first.what == "operation":
        return known(f"the operation {first.subject} on the way to the loss")
    return known(
        "the loss" if first.what == "loss" else f"the {first.what} of {first.subject}{_inner(first)}"
    )


@signal(unit="text", reads=("non_finite", "steps"))
def non_finite_kind(view: View) -> Measurement:
    """What is to blame for the first NaN or Inf, as far as where it stood tells.

    `data`: an input of a recurrent module, while all weights were finite; `operation`: one on the way to the loss,
    or the loss itself, before any update was made; `training`: anything else, for updates may have had a part in it.

    Reads: `log.non_finite`, `log.steps`. Unit: text. None if: everything was finite.
    """
    first = view.once(first_non_finite)
    if first is None:
        return unknown("nothing but finite values was seen")
    if first.what == "input":
        return known("data")
    at_first = first.step == 1 and view.counted_by == "update"
    return known("operation" if at_first and first.what in ("operation", "loss") else "training")


@signal(unit="update", reads=("non_finite", "steps"))
def non_finite_step(view: View) -> Measurement:
    """The update at which NaN or Inf was first seen.

    Reads: `log.non_finite`, `log.steps`. Unit: number of the update. None if: everything was finite.
    """
    first = view.once(first_non_finite)
    return unknown("nothing but finite values was seen") if first is None else known(first.step)


@signal(unit="words", reads=("non_finite", "steps"))
def non_finite_when(view: View) -> Measurement:
    """When NaN or Inf was first seen, in words: "update 12", or "epoch 3" of a log that counts epochs alone.

    Reads: `log.non_finite`, `log.steps`. Unit: words. None if: everything was finite.
    """
    first = view.once(first_non_finite)
    if first is None:
        return unknown("nothing but finite values was seen")
    return known(f"{view.counted_by} {first.step}")


@signal(unit="share", reads=("samples.stale_norm",))
def stale_gradients(view: View) -> Measurement:
    """Share of sampled steps whose first backward pass met the gradients of the update before.

    Several backward passes for one update (accumulation) are fine: only the first after an update counts. Gradients
    that are NaN were not cleared either: cleared ones are 0 whatever they were.

    Reads: `log.samples[k].stale_norm`, k >= 2. Unit: share.
    Where optimizers take turns, each sample looks at the gradients of those that stepped.
    None if: no such sample.
    """
    seen = [s.stale_norm for s in view.log.samples if s.step >= 2 and s.stale_norm is not None]
    if not seen:
        return unknown("no second update was sampled" if view.log.steps else NO_STEP)
    return known(sum(norm != 0 for norm in seen) / len(seen), n=len(seen))
