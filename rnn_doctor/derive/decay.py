"""What decay leaves of the recurrent weights, and whether it is the decay that shrinks them.

Whoever makes the weights decay: the optimizer, a penalty in the loss, or the script between two updates.
"""

import itertools
import math
from dataclasses import dataclass

from rnn_doctor.derive.displacement import moving_matrices
from rnn_doctor.derive.hand_decay import taken_by_hand
from rnn_doctor.derive.optimizer import ADAPTIVE
from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.subjects import is_hand_written
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.built import Optimizer, Parameter
from rnn_doctor.schema.runlog import Sample
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.values import Location

FEWEST = 20
"""Updates between the first sample and the last; within fewer nothing but a jump changes a norm."""
WINDOW = 50
"""Updates; a network that forgets within them cannot add up what single batches tell."""
ACCOUNTED = 0.5
"""Of the shrinking, in logarithms; where the decay accounts for less, the weights shrink for another reason."""
ORIGINS = {
    "optimizer": "The weight decay",
    "penalty": "A penalty on the weights in the loss",
    "hand": "What the script does to the weights between two updates",
}
_BESIDE = frozenset((
    "adamw", "adamw8bit", "pagedadamw", "stableadamw", "fusedadam", "deepspeedcpuadam", "ademamix", "lamb", "lion",
    "sgdw", "adafactor", "muon",
))  # fmt: skip
"""Their decay is taken off the weights beside the update, as a share of the learning rate."""
_IN_PLAIN = frozenset(("sgd", "asgd"))
"""Their decay is a part of the gradient, and the update follows its size: the same share, but for momentum."""
_IN_SCALED = frozenset(("adam", "adamax", "nadam", "radam", "rmsprop", "adagrad", "adadelta", "adam8bit"))
"""Their decay is a part of a gradient whose size is divided out: what counts is its size beside the gradient's."""


@dataclass(frozen=True, slots=True)
class Shrinking:
    """The norm of the trained recurrent weights, and what their decay alone would have made of it."""

    remaining: float
    """Last norm over the first."""
    by_decay: float
    """Natural logarithm of the factor by which the decay alone would have changed it: 0 or negative."""
    by_decay_now: float
    """The same of one update, at the last sample."""
    updates: int
    origin: str
    """What makes most of the decay: a key of ORIGINS."""


@dataclass(frozen=True, slots=True)
class _Matrix:
    """One recurrent weight matrix at one sample: 2-norms of itself, its gradient and its update."""

    optimizer: Optimizer
    size: float
    gradient: float
    update: float
    left: float | None
    """Its norm right after the update before."""
    pull: float
    """Of the terms of the loss that read the weights alone, as far as clipping left it."""


@dataclass(frozen=True, slots=True)
class _Rate:
    """Shares of the weights' norm that are taken at one update, by what takes them."""

    optimizer: float
    penalty: float
    hand: float

    @property
    def whole(self) -> float:
        return self.optimizer + self.penalty + self.hand


def _shrinking(view: View) -> Shrinking | str:
    """The shrinking over the finite samples, or why it is not known."""
    if not view.log.steps:
        return NO_STEP
    held = _held(view)
    samples = [s for s in view.finite_samples if held and held.keys() <= set(s.parameters)]
    if not samples:
        return "no optimizer was seen to change recurrent weights"
    updates = samples[-1].step - samples[0].step
    if updates < FEWEST:
        return too_few(updates, "update", "seen between the first sample and the last", FEWEST)
    rows = [_matrices(view, held, sample) for sample in samples]
    first, last = _size(rows[0]), _size(rows[-1])
    if first < 1e-8:
        return "the recurrent weights start at zero"
    by_hand = taken_by_hand([[(m.left, m.size) for m in row] for row in rows])
    rates = [
        _rate(view, row, sample.step, hand) for row, sample, hand in zip(rows, samples, by_hand, strict=True)
    ]
    told = [rate for rate in rates if rate is not None]
    if len(told) < len(rates):
        return "how the decay of this optimizer acts is not known"
    spans = [after.step - sample.step for sample, after in itertools.pairwise(samples)]
    by_decay = sum(rate.whole * span for rate, span in zip(told, spans, strict=False))
    return Shrinking(last / first, -by_decay, -told[-1].whole, updates, _origin(told, spans))


def _origin(rates: list[_Rate], spans: list[int]) -> str:
    sums = {
        name: sum(getattr(rate, name) * span for rate, span in zip(rates, spans, strict=False))
        for name in ORIGINS
    }
    return max(sums, key=lambda name: sums[name])


def _line(view: View, origin: str) -> Location | None:
    """Where the optimizer is built, the loss with its penalty is used, or the update ends after which they shrink."""
    role = {"penalty": "backward", "hand": "step"}.get(origin)
    places = [place.location for place in view.log.places if place.role == role]
    lead = [view.log.optimizers[o].location for o in view.turns[0] if o in view.log.optimizers]
    return next((location for location in (*places, *lead) if location is not None), None)


def _held(view: View) -> dict[int, Parameter]:
    """The trained recurrent matrices; of hand-written recurrences, whose own are not known, all but embeddings."""
    matrices = {n: p for n, p in moving_matrices(view).items() if p.optimizer in view.log.optimizers}
    recurrent = {n: p for n, p in matrices.items() if p.module is not None}
    return recurrent or (matrices if any(is_hand_written(view, n) for n in view.log.modules) else {})


def _matrices(view: View, held: dict[int, Parameter], sample: Sample) -> list[_Matrix]:
    count = len(sample.parameters)
    columns = zip(
        sample.parameters,
        sample.weight_norm,
        sample.grad_norm,
        sample.update_norm,
        sample.left_norm or (None,) * count,
        sample.penalty_pull or (0.0,) * count,
        strict=True,
    )
    clipped = view.clipped_to(sample.step)
    return [
        _Matrix(view.log.optimizers[optimizer], size, gradient or 0.0, update, left, max(0.0, pull) * clipped)
        for number, size, gradient, update, left, pull in columns
        if number in held and (optimizer := held[number].optimizer) is not None
    ]


def _size(row: list[_Matrix]) -> float:
    return math.hypot(*(matrix.size for matrix in row))


def _rate(view: View, row: list[_Matrix], step: int, hand: float) -> _Rate | None:
    """Shares of the weights' norm that are taken at one update; None where it is not known how a decay acts."""
    shares = [_shares(view, matrix, step) for matrix in row]
    known_shares = [share for share in shares if share is not None]
    if len(known_shares) < len(shares):
        return None
    whole = sum(matrix.size**2 for matrix in row) or 1.0
    of_decay, of_penalty = (
        sum(share[part] * m.size**2 for share, m in zip(known_shares, row, strict=True)) / whole
        for part in (0, 1)
    )
    return _Rate(of_decay, of_penalty, hand)


def _shares(view: View, matrix: _Matrix, step: int) -> tuple[float, float] | None:
    """What the optimizer's decay and a penalty take of one matrix; of several groups by the strongest decay."""
    optimizer, kind = matrix.optimizer, matrix.optimizer.kind.lower()
    decay = max(optimizer.weight_decay, default=0.0)
    if matrix.size == 0 or (decay == 0 and matrix.pull == 0):
        return 0.0, 0.0
    beside = kind in _BESIDE if optimizer.decoupled_decay is None else optimizer.decoupled_decay
    slowing = max(0.01, 1 - optimizer.momentum)
    by_decay = _strongest(view, optimizer, step) if decay else 0.0
    if kind in _IN_PLAIN:
        by_penalty = (
            max(view.rates_at(optimizer.id, step) or optimizer.lr, default=0.0) * matrix.pull / matrix.size
        )
        return by_decay / (1.0 if beside else slowing), by_penalty / slowing
    if kind not in _IN_SCALED and not (beside and kind in ADAPTIVE):
        return (by_decay, 0.0) if beside and matrix.pull == 0 else None
    of_update = matrix.update / matrix.size
    by_penalty = of_update * min(1.0, matrix.pull / matrix.gradient) if matrix.gradient else 0.0
    if beside:
        return by_decay, by_penalty
    pull = decay * matrix.size
    return of_update * pull / math.hypot(pull, matrix.gradient) if pull else 0.0, by_penalty


def _strongest(view: View, optimizer: Optimizer, step: int) -> float:
    """Largest product of learning rate and decay over the parameter groups of an optimizer, at one step."""
    rates = view.rates_at(optimizer.id, step) or optimizer.lr
    return max((lr * decay for lr, decay in zip(rates, optimizer.weight_decay, strict=False)), default=0.0)


@signal(unit="ratio", reads=("samples.weight_norm", "parameters"))
def recurrent_norm_remaining(view: View) -> Measurement:
    """Norm of the trained recurrent weight matrices at the last finite sample over that at the first.

    Of hand-written recurrences, whose own weights are not known, that of all trained matrices but embeddings.

    Reads: `log.samples[k].weight_norm`. Unit: ratio; 1 where it did not change, 0 where nothing is left.
    None if: fewer than 20 updates lie between, or no optimizer holds recurrent weights.
    """
    found = view.once(_shrinking)
    return unknown(found) if isinstance(found, str) else known(found.remaining, n=found.updates)


@signal(unit="share", reads=("samples", "parameters", "optimizers", "steps.lr"))
def decay_accounts_for(view: View) -> Measurement:
    """Share of that shrinking that the weight decay accounts for, in logarithms: above 1 the loss held against it.

    What the decay takes in one update is its product with the learning rate where it acts beside the update
    (AdamW) or through plain gradients (over 1 - momentum there), and the update's share that is the decay's, by
    the sizes of decay * weights and gradient, where the gradient's size is divided out (Adam). Between samples
    it is taken to stay.

    Reads: `log.samples[k]`, `log.optimizers[id].weight_decay`, `log.steps[k].lr`. Unit: share; 0 where nothing
    shrank. None if: as recurrent_norm_remaining, or an optimizer of unknown kind that decays.
    Source: Loshchilov, Hutter 2019.
    """
    found = view.once(_shrinking)
    if isinstance(found, str):
        return unknown(found)
    if found.remaining >= 1:
        return known(0.0, n=found.updates)
    shrunk = math.log(max(found.remaining, 1e-300))
    return known(abs(found.by_decay / shrunk), n=found.updates)


@signal(unit="share per update", reads=("samples", "parameters", "optimizers", "steps.lr"))
def decay_per_update(view: View) -> Measurement:
    """Share of the recurrent weights' norm that the weight decay takes in one update, mean over those sampled.

    Reads: as decay_accounts_for. Unit: share per update; 1e-5 at the defaults of AdamW.
    None if: as decay_accounts_for.
    """
    found = view.once(_shrinking)
    return (
        unknown(found)
        if isinstance(found, str)
        else known(abs(found.by_decay) / found.updates, n=found.updates)
    )


@signal(unit="ratio", reads=("samples", "parameters", "optimizers", "steps.lr"))
def decay_leaves(view: View) -> Measurement:
    """What the weight decay leaves of the recurrent weights' norm, the smaller of two.

    What it alone leaves within 50 updates at its mean or its last pace, whatever the loss builds up in the meantime:
    weights that decay by a share at every update are an average over the last 1/share updates, and nothing older than a
    few times that is left in them. And what is left now, where the decay accounts for at least half of the shrinking.

    Its location is the line that builds the optimizer, or that of backward() or step() where a penalty in the loss or
    the script itself makes most of the decay.

    Reads: as decay_accounts_for. Unit: ratio; 1 without decay. None if: as decay_accounts_for.
    Source: Wang, Aitchison 2024 (the average); Xie, Li 2024 (where AdamW settles, no weight exceeds 1 / decay).
    """
    found = view.once(_shrinking)
    if isinstance(found, str):
        return unknown(found)
    alone = math.exp(min(found.by_decay / found.updates, found.by_decay_now) * WINDOW)
    shrunk = -math.log(max(found.remaining, 1e-300))
    now = found.remaining if 0 < shrunk <= -found.by_decay / ACCOUNTED else 1.0
    return known(min(alone, now), n=found.updates, location=_line(view, found.origin))


@signal(unit="updates", reads=("samples", "parameters", "optimizers", "steps.lr"))
def decay_memory(view: View) -> Measurement:
    """Over how many of the last updates the weight decay lets the recurrent weights average: 1 / decay_per_update.

    Reads: as decay_accounts_for. Unit: updates. None if: nothing decays, or as decay_accounts_for.
    Source: Wang, Aitchison 2024.
    """
    found = view.once(_shrinking)
    if isinstance(found, str):
        return unknown(found)
    if found.by_decay == 0:
        return unknown("no recurrent weight decays")
    return known(-found.updates / found.by_decay, n=found.updates)


@signal(unit="text", reads=("samples", "parameters", "optimizers", "steps.lr"))
def decay_origin(view: View) -> Measurement:
    """What makes most of the decay: the optimizer, a penalty in the loss, or the script between two updates.

    Reads: as decay_accounts_for, and `log.samples[k].penalty_pull`, `.left_norm`. Unit: text.
    None if: nothing decays, or as decay_accounts_for.
    """
    found = view.once(_shrinking)
    if isinstance(found, str):
        return unknown(found)
    return (
        known(ORIGINS[found.origin], n=found.updates)
        if found.by_decay
        else unknown("no recurrent weight decays")
    )
