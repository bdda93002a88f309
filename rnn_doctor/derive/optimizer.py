"""Learning-rate schedules, clipping, and what kind of optimizer it is."""

from collections.abc import Sequence
from itertools import accumulate
from statistics import median

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement

STARVED = 0.0099
"""Of the largest rate so far. A cosine spends 6.4 % of its length below it, one-cycle 4.5 %, a quadratic decay
10 %, a linear one 1 %; a stepwise decay by 10 passes it at its third stage."""

ADAPTIVE = frozenset((
    "adam", "adamw", "adamax", "nadam", "radam", "sparseadam", "adabound", "adabelief", "stableadamw",
    "adam8bit", "adamw8bit", "pagedadamw", "fusedadam", "deepspeedcpuadam", "ademamix", "lamb", "lion",
    "rmsprop", "rprop", "adagrad", "adadelta", "adafactor",
))  # fmt: skip
"""The length of their update does not depend on the scale of the gradient."""
_PLAIN = frozenset(("sgd", "asgd", "sgdw", "lars", "lbfgs"))


def _peaks(view: View, number: int) -> list[float]:
    """The largest rate over the parameter groups, at each step of one optimizer."""
    return [max(rates) for rates in view.rates(number)]


def _by_optimizer(view: View) -> dict[int, str]:
    """Those that stepped, with their names."""
    stepped = {number for step in view.log.steps for number in step.optimizers}
    return {n: name for n, name in view.optimizer_names.items() if n in stepped}


@signal(unit="ratio", by="optimizer", reads=("steps.lr", "optimizers"))
def lr_remaining_min(view: View) -> dict[str, Measurement]:
    """Last learning rate over the largest so far, of the parameter group that kept the highest rate.

    Reads: `log.steps[k].lr`. Unit: ratio; 1 where it never fell.
    None if: the rates of several optimizers could not be told apart, or were all zero.
    """
    found = {}
    for number, name in _by_optimizer(view).items():
        rates = _peaks(view, number)
        location = view.log.optimizers[number].location
        if not rates or max(rates) <= 0:
            found[name] = unknown("no learning rate above zero was seen", location=location)
        else:
            found[name] = known(rates[-1] / max(rates), n=len(rates), location=location)
    return found


@signal(unit="share", by="optimizer", reads=("steps.lr", "optimizers"))
def lr_starved_share(view: View) -> dict[str, Measurement]:
    """Share of the updates seen that ran at less than 1 % of the largest learning rate before them.

    A warm-up is not starved: only what falls is compared. A schedule that ends near zero with the training
    spends a few per cent there; one that is over long before the training spends most of it.

    Reads: `log.steps[k].lr`. Unit: share. None if: as lr_remaining_min.
    """
    found = {}
    for number, name in _by_optimizer(view).items():
        rates = _peaks(view, number)
        location = view.log.optimizers[number].location
        if not rates or max(rates) <= 0:
            found[name] = unknown("no learning rate above zero was seen", location=location)
            continue
        found[name] = known(share_below(STARVED, rates), n=len(rates), location=location)
    return found


def share_below(part: float, rates: Sequence[float]) -> float:
    """Share of the rates that are below so much of the largest before them."""
    return sum(rate < part * top for rate, top in zip(rates, accumulate(rates, max), strict=True)) / len(
        rates
    )


@signal(unit="claim", reads=("steps.optimizers", "optimizers"))
def optimizer_adaptive(view: View) -> Measurement:
    """Whether the leading optimizers scale their updates by the gradient's own size (Adam and its kin).

    Hand-written updates count as plain gradient descent.

    Reads: `log.optimizers[id].kind`. Unit: claim. None if: no step, or an optimizer of unknown kind.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    kinds = leading_kinds(view)
    strange = [kind for kind in kinds if kind.lower() not in ADAPTIVE | _PLAIN]
    if strange:
        return unknown(f"whether {strange[0]} depends on the scale of the gradient is not known")
    return known(scales_itself(view), n=len(kinds))


def leading_kinds(view: View) -> list[str]:
    """The classes of the leading optimizers; none where the script updates by hand."""
    lead = view.turns[0] if view.turns else ()
    return [view.log.optimizers[o].kind for o in lead if o in view.log.optimizers]


def scales_itself(view: View) -> bool:
    """Whether all leading optimizers are known to divide the gradient's scale out."""
    kinds = leading_kinds(view)
    return bool(kinds) and all(kind.lower() in ADAPTIVE for kind in kinds)


def _clip_ratios(view: View) -> list[float]:
    """Norm used over norm computed, at each step with a finite norm."""
    return [
        1.0 if step.clipped_norm is None else step.clipped_norm / step.grad_norm
        for step in view.finite_steps
        if step.grad_norm
    ]


@signal(unit="share", reads=("steps.grad_norm", "steps.clipped_norm"))
def clip_share(view: View) -> Measurement:
    """Share of the updates whose gradient was shortened before it was used.

    Reads: `log.steps[k].grad_norm`, `.clipped_norm`. Unit: share; 0 where nothing clips.
    None if: no finite gradient norm above zero.
    """
    ratios = _clip_ratios(view)
    if not ratios:
        return unknown("no gradient norm was seen" if view.log.steps else NO_STEP)
    return known(sum(ratio < 0.999 for ratio in ratios) / len(ratios), n=len(ratios))


@signal(unit="ratio", reads=("steps.grad_norm", "steps.clipped_norm"))
def clip_ratio_median(view: View) -> Measurement:
    """Median of the gradient norm that was used over the one that was computed.

    Reads: as clip_share. Unit: ratio; 1 where nothing clips. None if: as clip_share.
    """
    ratios = _clip_ratios(view)
    if not ratios:
        return unknown("no gradient norm was seen" if view.log.steps else NO_STEP)
    return known(median(ratios), n=len(ratios))


@signal(unit="share", reads=("steps.clip_late", "steps.clip_limit"))
def clip_late_share(view: View) -> Measurement:
    """Share of the updates with a clip call where the call came only after the update.

    Reads: `log.steps[k].clip_late`, `.clip_limit`. Unit: share; 0 where nothing clips.
    None if: no step was seen.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    with_clip = [s for s in view.log.steps if s.clip_late or s.clip_limit is not None]
    late = sum(s.clip_late and s.clip_limit is None and s.clipped_norm is None for s in with_clip)
    return known(late / len(with_clip) if with_clip else 0.0, n=len(with_clip))


@signal(unit="ratio", reads=("optimizers",))
def weight_decay_max(view: View) -> Measurement:
    """Largest weight decay of any parameter group of the leading optimizers.

    Reads: `log.optimizers[id].weight_decay`. Unit: ratio; 0 where no optimizer has any.
    None if: no optimizer stepped.
    """
    lead = [o for o in (view.turns[0] if view.turns else ()) if o in view.log.optimizers]
    decays = [decay for o in lead for decay in view.log.optimizers[o].weight_decay or (0.0,)]
    return known(max(decays), n=len(lead)) if decays else unknown("no optimizer was seen at work")


@signal(unit="claim", reads=("steps.optimizers",))
def optimizers_alternate(view: View) -> Measurement:
    """Whether other optimizers step between two steps of the leading ones, as the two sides of a GAN do.

    Their losses are then different quantities, and that of one rises as another learns.

    Reads: `log.steps[k].optimizers`. Unit: claim. None if: no step was seen.
    """
    return known(view.alternates, n=len(view.log.steps)) if view.log.steps else unknown(NO_STEP)
