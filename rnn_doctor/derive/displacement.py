"""How far the updates move the weights, relative to the weights' own size."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from rnn_doctor.derive.rate_search import spike_of_gradient
from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.derive.warm_up import EARLY, endless, reached, risen, waits, warms_up
from rnn_doctor.schema.built import Parameter
from rnn_doctor.schema.signals import Measurement

FEWEST = 10
LARGE = 2.0
"""Healthy runs stay below 1.4 within 45 updates (benchmarks/thresholds/step_size.py: Adam at 1e-2)."""


TINY = 3.7e-4
"""A third of the size of an update below which nothing is learned (RD302): where the rate still rises, the size that
updates will have is foretold by those of the first ones."""


@dataclass(frozen=True, slots=True)
class Move:
    """The distance from the initial weights at one sampled step, in units of their norm."""

    step: int
    updates: int
    together: float
    """Without output layers over a vocabulary, unless there is nothing else."""
    farthest: float
    """Of all, or of the recurrent modules alone where these moved further: a large front end may be tuned gently."""
    length: float
    """Of the update made at that step, in the same units: of all, or of the recurrent modules if theirs is larger."""


def moving_matrices(view: View) -> dict[int, Parameter]:
    """The weight matrices that are trained: no vectors, and no embeddings, whose rows are rarely visited."""
    return {
        number: p
        for number, p in view.log.parameters.items()
        if p.trainable
        and len(p.shape) > 1
        and (p.owner or "").partition(".")[0] not in ("Embedding", "EmbeddingBag")
        and (p.optimizer is not None or view.by_hand)
    }


def _vocabulary_heads(view: View) -> set[int]:
    """The output layers with more classes than a batch has targets.

    Most of their rows have no target in a batch, so that the softmax pushes them the same way at every step:
    under Adam they move by the whole rate each time, which no measurement of healthy steps on small heads
    covers. They are the mirror image of an embedding, whose rows are rarely visited.
    """
    classes = {
        call.input_shape[1]
        for call in view.log.losses
        if call.function in ("cross_entropy", "nll_loss")
        and len(call.input_shape) > 1
        and call.input_shape[1] ** 2 > math.prod(call.input_shape)
    }
    return {
        n
        for n, p in view.log.parameters.items()
        if p.module is None and p.shape[:1] and p.shape[0] in classes
    }


def _moves(view: View) -> tuple[Move, ...]:
    watched = moving_matrices(view)
    heads = _vocabulary_heads(view)
    initial: dict[int, float] = {}
    moves = []
    for sample in view.finite_samples:
        moved: dict[int, float] = {}
        made: dict[int, float] = {}
        for number, weight, distance, update in zip(
            sample.parameters, sample.weight_norm, sample.displacement, sample.update_norm, strict=True
        ):
            if number in watched:
                initial.setdefault(number, weight)
                moved[number], made[number] = distance, update
        together = _ratio(moved, initial, [n for n in moved if n not in heads]) or _ratio(
            moved, initial, moved
        )
        if together is not None:
            recurrent = [n for n in moved if watched[n].module is not None]
            farthest, length = (
                max(_ratio(each, initial, group) or 0.0 for group in (list(each), recurrent))
                for each in (moved, made)
            )
            moves.append(Move(sample.step, max(1, view.updates(sample.step)), together, farthest, length))
    return tuple(moves)


def _ratio(moved: dict[int, float], initial: dict[int, float], group: Iterable[int]) -> float | None:
    """||theta - theta_0|| / ||theta_0|| over some parameters; None where they start at zero."""
    group = list(group)
    size = math.hypot(*(initial[n] for n in group))
    return math.hypot(*(moved[n] for n in group)) / size if size > 1e-8 else None


def _absent(view: View) -> str:
    if not view.log.steps:
        return NO_STEP
    if not view.log.samples:
        return "no step was sampled"
    if not moving_matrices(view):
        return "no trained weight matrix was seen"
    if not view.finite_samples:
        return "weights were not finite from the start"
    return "the weights start at zero, so that there is no size to compare with"


@signal(unit="ratio", reads=("samples", "parameters", "losses"))
def displacement_relative(view: View) -> Measurement:
    """Distance of the weights from where they began, over their initial norm, at the last finite sample.

    Over all trained weight matrices together, without embeddings and without output layers that have more
    classes than a batch has targets: their rarely named rows move by the whole rate under Adam.

    Reads: `log.samples[k].displacement`, `.weight_norm` of the first, `log.losses[i].input_shape`. Unit: ratio.
    None if: nothing was sampled, or all weights start at zero.
    """
    moves = view.once(_moves)
    return known(moves[-1].together, n=moves[-1].updates) if moves else unknown(_absent(view))


@signal(unit="ratio", reads=("samples", "parameters", "losses"))
def displacement_excess(view: View) -> Measurement:
    """Largest displacement over what healthy training reaches: 2 within 50 updates, 0.04 an update beyond.

    Where a gradient spike threw the weights of an optimizer that follows the gradient's size, at a rate that does not
    grow at every update, only what came before it counts: that distance is the spike's doing.

    Reads: as displacement_relative, and what grad_norm_spike_count reads.
    Unit: ratio; above 1 is beyond any healthy run measured. None if: as displacement_relative.
    """
    moves = view.once(_moves)
    if not moves:
        return unknown(_absent(view))
    spike = view.once(spike_of_gradient)
    if spike is not None:
        moves = tuple(m for m in moves if m.step < spike)
        if not moves:
            return unknown("a gradient spike threw the weights before any other step was sampled")
    return known(max(m.together / max(LARGE, LARGE / EARLY * m.updates) for m in moves), n=len(moves))


def _early(view: View) -> list[Move] | str:
    """The moves of the first 50 updates, or why they tell nothing of the size of the steps.

    Later the distance grows slower than the number of updates; a rate would reflect the length alone.
    """
    moves = view.once(_moves)
    if not moves:
        return _absent(view)
    enough = [m for m in moves if m.updates >= FEWEST]
    if not enough:
        return too_few(moves[-1].updates, "update", "sampled", FEWEST)
    last = ([m for m in enough if m.updates <= EARLY] or enough[:1])[-1]
    never = endless(view)
    if warms_up(view, last.updates) and not never and not view.once(small_when_risen):
        return "the learning rate was still warming up"
    waiting = waits(view, last.updates)
    if waiting and not never:
        return f"the schedule {waiting} may begin with a warm-up, and had not changed the rate yet"
    if last.farthest == 0:
        return "not a single weight moved, which is no matter of the step size"
    return [m for m in moves if m.updates <= last.updates]


def small_when_risen(view: View) -> bool:
    """Whether a rate that rises leads to updates that are too small, by the plan of its schedule.

    The length of an update grows with the rate, be it Adam's or that of plain gradient descent.
    """
    moves = [m for m in view.once(_moves) if m.updates <= EARLY]
    if not moves or moves[-1].updates < FEWEST or endless(view) or not warms_up(view, moves[-1].updates):
        return False
    shares = [(m.length, (risen(view, m.updates) or 0.0) * reached(view, m.updates)) for m in moves]
    lengths = [length / share for length, share in shares if share]
    return bool(lengths) and 0 < median(lengths) < TINY


@signal(unit="claim", reads=("samples", "parameters", "steps.lr", "schedulers"))
def warm_up_to_nothing(view: View) -> Measurement:
    """Whether the learning rate still warms up, and the one that it leads to makes updates that are too small.

    As where a formula that gives the rate itself is multiplied with a rate. Of the first 50 updates, each at the size
    that it would have had at that rate: the median is below a third of what RD302 asks for.

    Reads: `log.schedulers[i].warm_up_rate`, `log.samples[k].update_norm`, `log.steps[k].lr`. Unit: claim.
    None if: as displacement_relative.
    """
    moves = view.once(_moves)
    return known(view.once(small_when_risen), n=len(moves)) if moves else unknown(_absent(view))


def grown(view: View, update: int) -> float:
    """What share an update has of the size that updates grow to, by RAdam or a warm-up to a rate that is too small."""
    share = reached(view, update)
    if not view.once(small_when_risen):
        return share
    rate = risen(view, update)
    return share if rate is None else share * rate


@signal(unit="ratio per update", reads=("samples", "parameters", "steps.lr"))
def displacement_per_step(view: View) -> Measurement:
    """Displacement per update within the first 50 updates, of the whole or of its recurrent part alone.

    The larger of the two, for a large pretrained front end may be tuned gently on purpose. An update of RAdam, whose
    steps grow by themselves, counts as the share of one that it has of those that it makes later (`reached`).

    Reads: as displacement_relative, `log.steps[k].lr`, `log.schedulers[i].warm_up`. Unit: ratio per update.
    None if: fewer than 10 updates, weights that start at zero or do not move at all, or a learning rate that still
    warms up, or has not moved yet under a schedule that begins with a warm-up (by epochs, say), unless that warm-up
    takes longer than any training has use for, or leads to updates that are too small: then they are taken
    at the size that they grow to.
    """
    early = view.once(_early)
    if isinstance(early, str):
        return unknown(early)
    last = early[-1]
    counted = sum(grown(view, update) for update in range(1, last.updates + 1))
    return known(last.farthest / counted, n=last.updates)


@signal(unit="ratio per update", reads=("samples", "parameters", "steps.lr"))
def path_per_step(view: View) -> Measurement:
    """Length of a single update within the first 50, of the whole or of its recurrent part alone: the larger of both.

    Updates that go to and fro, as those of a noisy gradient do, add up to far less than their lengths; how far the
    weights get then says little of the size of the steps. Median over the samples, over the weights' initial norm; of
    RAdam, whose steps grow by themselves, as they will be after 400 updates, and of a warm-up to a rate that is too
    small (warm_up_to_nothing) as they will be at that rate.

    Reads: `log.samples[k].update_norm`, `.weight_norm` of the first. Unit: ratio per update.
    None if: as displacement_per_step.
    """
    early = view.once(_early)
    if isinstance(early, str):
        return unknown(early)
    lengths = [m.length / share for m in early if (share := grown(view, m.updates))]
    return known(median(lengths), n=len(lengths))


@signal(unit="ratio", reads=("samples", "parameters"))
def update_ratio_median(view: View) -> Measurement:
    """Median over samples and weight matrices of ||update|| / ||weight||.

    Reads: `log.samples[k].update_norm`, `.weight_norm`. Unit: ratio.
    None if: nothing was sampled, or all weights are zero.
    """
    watched = moving_matrices(view)
    ratios = [
        update / weight
        for sample in view.finite_samples
        for number, weight, update in zip(
            sample.parameters, sample.weight_norm, sample.update_norm, strict=True
        )
        if number in watched and weight > 0
    ]
    return known(median(ratios), n=len(ratios)) if ratios else unknown(_absent(view))
