"""What weight decay leaves of the recurrent weights, and whether it is the decay that shrinks them."""

import math
from dataclasses import dataclass

from rnn_doctor.derive.displacement import moving_matrices
from rnn_doctor.derive.registry import known, signal, too_few, unknown
from rnn_doctor.derive.subjects import is_hand_written
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.built import Optimizer, Parameter
from rnn_doctor.schema.runlog import Sample
from rnn_doctor.schema.signals import Measurement

FEWEST = 20
"""Updates between the first sample and the last; within fewer nothing but a jump changes a norm."""
WINDOW = 50
"""Updates; a network that forgets within them cannot add up what single batches tell."""
ACCOUNTED = 0.5
"""Of the shrinking, in logarithms; where the decay accounts for less, the weights shrink for another reason."""
_BESIDE = frozenset((
    "adamw", "adamw8bit", "pagedadamw", "stableadamw", "fusedadam", "deepspeedcpuadam", "ademamix", "lamb", "lion",
    "sgdw", "adafactor",
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
    updates: int


@dataclass(frozen=True, slots=True)
class _Matrix:
    """One recurrent weight matrix at one sample: 2-norms of itself, its gradient and its update."""

    optimizer: Optimizer
    size: float
    gradient: float
    update: float


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
    by_decay = 0.0
    for row, sample, after in zip(rows, samples, samples[1:], strict=False):
        rate = _rate(view, row, sample.step)
        if rate is None:
            return "how the decay of this optimizer acts is not known"
        by_decay -= rate * (after.step - sample.step)
    return Shrinking(last / first, by_decay, updates)


def _held(view: View) -> dict[int, Parameter]:
    """The trained recurrent matrices; of hand-written recurrences, whose own are not known, all but embeddings."""
    matrices = {n: p for n, p in moving_matrices(view).items() if p.optimizer in view.log.optimizers}
    recurrent = {n: p for n, p in matrices.items() if p.module is not None}
    return recurrent or (matrices if any(is_hand_written(view, n) for n in view.log.modules) else {})


def _matrices(view: View, held: dict[int, Parameter], sample: Sample) -> list[_Matrix]:
    columns = zip(sample.parameters, sample.weight_norm, sample.grad_norm, sample.update_norm, strict=True)
    return [
        _Matrix(view.log.optimizers[optimizer], size, gradient or 0.0, update)
        for number, size, gradient, update in columns
        if number in held and (optimizer := held[number].optimizer) is not None
    ]


def _size(row: list[_Matrix]) -> float:
    return math.hypot(*(matrix.size for matrix in row))


def _rate(view: View, row: list[_Matrix], step: int) -> float | None:
    """Share of the weights' norm that the decay takes at one update; None where it is not known how it acts."""
    shares = [_share(view, matrix, step) for matrix in row]
    known_shares = [share for share in shares if share is not None]
    if len(known_shares) < len(shares):
        return None
    whole = sum(matrix.size**2 for matrix in row)
    taken = sum(share * m.size**2 for share, m in zip(known_shares, row, strict=True))
    return taken / whole if whole else 0.0


def _share(view: View, matrix: _Matrix, step: int) -> float | None:
    """The same of one matrix; of an optimizer with several groups by the strongest decay."""
    optimizer, kind = matrix.optimizer, matrix.optimizer.kind.lower()
    decay = max(optimizer.weight_decay, default=0.0)
    if decay == 0 or matrix.size == 0:
        return 0.0
    beside = kind in _BESIDE if optimizer.decoupled_decay is None else optimizer.decoupled_decay
    if beside or kind in _IN_PLAIN:
        slowing = 1.0 if beside else max(0.01, 1 - optimizer.momentum)
        return _strongest(view, optimizer, step) / slowing
    if kind not in _IN_SCALED:
        return None
    pull = decay * matrix.size
    return matrix.update / matrix.size * pull / math.hypot(pull, matrix.gradient)


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

    What it alone leaves within 50 updates, whatever the loss builds up in the meantime: weights that decay by a share
    at every update are an average over the last 1/share updates, and nothing older than a few times that is left in
    them. And what is left now, where the decay accounts for at least half of the shrinking.

    Reads: as decay_accounts_for. Unit: ratio; 1 without decay. None if: as decay_accounts_for.
    Source: Wang, Aitchison 2024 (the average); Xie, Li 2024 (where AdamW settles, no weight exceeds 1 / decay).
    """
    found = view.once(_shrinking)
    if isinstance(found, str):
        return unknown(found)
    alone = math.exp(found.by_decay / found.updates * WINDOW)
    shrunk = -math.log(max(found.remaining, 1e-300))
    now = found.remaining if 0 < shrunk <= -found.by_decay / ACCOUNTED else 1.0
    return known(min(alone, now), n=found.updates)


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
