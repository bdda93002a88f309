"""Whether the network's output and the loss function fit together."""

import math
from collections.abc import Callable, Iterable, Sequence

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.uninformed import REGRESSING
from rnn_doctor.derive.view import View
from rnn_doctor.schema.runlog import LossCall
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.wiring import Reach

ALL_ROWS, NO_ROW = 0.99, 0.01
ABOVE_LOG = 0.01
"""Logarithms of probabilities are at most 0; with 1e-2 added to each at most 0.00995."""
REACH = 1.05
"""Targets may exceed the range of an activation by 5 % of it: rounding and label noise."""
BEYOND = 0.05
"""Share of the targets that lies out of reach: a clamp may be meant to cut off a few outliers."""
_OF_LOGARITHMS = ("nll_loss", "ctc_loss", "kl_div")
"""Losses that expect logarithms of probabilities."""
_RAW_CTC = (
    "ctc_loss is given raw outputs, but expects log-probabilities (log_softmax over the classes): it teaches the "
    "network to make their exponentials sum to 1 before it teaches the labels"
)
_EMPTY = "what the loss was given was not seen"
_ARTICLE = {"absolute value": "an", "exponential": "an"}


def loss_sites(view: View) -> dict[str, list[LossCall]]:
    """The calls of each source line, under a name that is unique within the run."""
    by_site: dict[int, list[LossCall]] = {}
    for call in view.log.losses:
        by_site.setdefault(call.site, []).append(call)
    names: dict[str, list[LossCall]] = {}
    for site, calls in by_site.items():
        first = calls[0]
        place = f" at {first.location.file}:{first.location.line}" if first.location else ""
        name = f"{first.function}{place}"
        names[name if name not in names else f"{name} #{site}"] = calls
    return names


def _claim(view: View, holds: Callable[[LossCall], bool]) -> dict[str, Measurement]:
    """For each loss: whether the claim holds of every call that was sampled."""
    return {
        name: known(all(map(holds, calls)), n=len(calls), location=calls[0].location)
        for name, calls in loss_sites(view).items()
    }


def unnormalized(call: LossCall) -> bool:
    """Whether the result of a softmax is in no row normalized over the classes: it was taken over something else."""
    shares = {"softmax": call.simplex_share, "log_softmax": call.log_simplex_share}
    share = shares.get(call.head or "")
    return share is not None and share < NO_ROW


def _repeats(call: LossCall) -> str | None:
    """The activation that stands before a loss which applies it itself; None where there is none."""
    simplex = (call.simplex_share or 0.0) > ALL_ROWS
    logarithmic = (call.log_simplex_share or 0.0) > ALL_ROWS
    if call.function == "cross_entropy" and (call.head == "softmax" or simplex):
        return "softmax"
    if call.function == "cross_entropy" and (
        (call.head == "log_softmax" and not unnormalized(call)) or logarithmic
    ):
        return "log_softmax"
    if call.function == "binary_cross_entropy_with_logits" and call.head == "sigmoid":
        return "sigmoid"
    # Written by hand, the last log_softmax is the loss's own.
    return "softmax" if call.function == "expression" and _softmax_twice(call) else None


def _softmax_twice(call: LossCall) -> bool:
    return call.head == "log_softmax" and call.beneath == "softmax"


@signal(unit="claim", by="loss", reads=("losses",))
def softmax_before_cross_entropy(view: View) -> dict[str, Measurement]:
    """Whether cross_entropy, or the like written by hand, is given probabilities: each row is >= 0 and sums to 1.

    Reads: `log.losses[i].head`, `.beneath`, `.simplex_share`. Unit: claim. None if: never.
    """
    return _claim(view, lambda call: _repeats(call) == "softmax")


@signal(unit="claim", by="loss", reads=("losses",))
def sigmoid_before_bce_logits(view: View) -> dict[str, Measurement]:
    """Whether binary_cross_entropy_with_logits is given the output of a sigmoid.

    Reads: `log.losses[i].head`. Unit: claim. None if: never.
    """
    return _claim(view, lambda call: _repeats(call) == "sigmoid")


@signal(unit="claim", by="loss", reads=("losses",))
def log_softmax_twice(view: View) -> dict[str, Measurement]:
    """Whether cross_entropy is given log-probabilities, which a second log_softmax leaves as they are.

    Reads: `log.losses[i].head`, `.log_simplex_share`. Unit: claim. None if: never.
    """
    return _claim(view, lambda call: _repeats(call) == "log_softmax")


@signal(unit="claim", by="loss", reads=("losses",))
def activation_repeated(view: View) -> dict[str, Measurement]:
    """Whether a loss is given the output of the activation that it applies itself.

    Reads: `log.losses[i].head`, `.simplex_share`, `.log_simplex_share`. Unit: claim. None if: never.
    """
    return _claim(view, lambda call: _repeats(call) is not None)


@signal(unit="name", by="loss", reads=("losses",))
def activation_repeated_name(view: View) -> dict[str, Measurement]:
    """The activation that is applied twice, in words: softmax, log_softmax, sigmoid, or none.

    Reads: as activation_repeated. Unit: name. None if: never.
    """
    return {
        name: known(_REPEATED[_repeats(calls[0])], n=len(calls), location=calls[0].location)
        for name, calls in loss_sites(view).items()
    }


_REPEATED = {
    None: "none",
    "softmax": "softmax",
    "sigmoid": "sigmoid",
    "log_softmax": "log_softmax (harmless: a second one changes nothing)",
}


@signal(unit="claim", by="loss", reads=("losses",))
def target_broadcast(view: View) -> dict[str, Measurement]:
    """Whether a loss compares every prediction with several targets because their shapes differ.

    Reads: `log.losses[i].broadcast`, the shapes. Unit: claim. None if: never.
    """
    return _claim(view, lambda call: call.broadcast and math.prod(call.input_shape) > 1)


@signal(unit="words", by="loss", reads=("losses",))
def loss_shapes(view: View) -> dict[str, Measurement]:
    """The shapes of a loss's prediction and target, in words.

    Reads: `log.losses[i].input_shape`, `.target_shape`. Unit: words. None if: never.
    """
    found = {}
    for name, calls in loss_sites(view).items():
        call = calls[0]
        target = "another shape" if call.target_shape is None else str(tuple(call.target_shape))
        found[name] = known(f"{tuple(call.input_shape)} against {target}", location=call.location)
    return found


def _mismatch(calls: Sequence[LossCall]) -> tuple[str, bool] | None:
    """What is wrong between output and loss, and whether it keeps the network from the answer."""
    for wrong, blocks, problem in _MISMATCHES:
        if all(map(wrong, calls)):
            return problem, blocks
    if _brought_to_norm(calls):
        return _RAW_CTC, False
    reaches = [call.reach for call in calls if call.reach is not None]
    if len(reaches) == len(calls) and all((reach.beyond or 0.0) > BEYOND for reach in reaches):
        return _out_of_reach(reaches), True
    return None


def _out_of_reach(reaches: Sequence[Reach]) -> str:
    first = reaches[0]
    ends = [("below", first.low), ("above", first.high)]
    bounds = " or ".join(f"{word} {end:.3g}" for word, end in ends if math.isfinite(end))
    share = min(reach.beyond or 0.0 for reach in reaches)
    where = "outside" if " or " in bounds else "there"
    return (
        f"the output passes {_ARTICLE.get(first.operation, 'a')} {first.operation} and cannot be {bounds}, but "
        f"{share:.0%} of the targets or more lie {where}"
    )


def _regression(head: str, out_of_reach: Callable[[float, float], bool]) -> Callable[[LossCall], bool]:
    def wrong(call: LossCall) -> bool:
        low, high = call.target_minimum, call.target_maximum
        known_range = low is not None and high is not None
        return (
            call.function in REGRESSING
            and call.head == head
            and known_range
            and out_of_reach(low or 0.0, high or 0.0)
        )

    return wrong


def _unnormalized(call: LossCall) -> bool:
    """What is no logarithm of probabilities in any row, nor bounded as such are, though the loss expects them.

    Raw outputs are positive as often as negative, and the loss falls without bound as they grow. Log-probabilities
    that a focal loss weights, or that a small number was added to, are no distribution and yet at most 0. kl_div is
    given logarithms of densities too, which may be positive: its targets have to be probabilities.
    """
    if call.function not in _OF_LOGARITHMS or call.head == "log_softmax":
        return False
    if call.maximum is not None and call.maximum < ABOVE_LOG:
        return False
    if call.function == "kl_div" and not _between_0_and_1(call):
        return False
    return call.log_simplex_share is not None and call.log_simplex_share < NO_ROW


def _between_0_and_1(call: LossCall) -> bool:
    low, high = call.target_minimum, call.target_maximum
    return low is not None and high is not None and low >= 0 and high <= REACH


def _unnormalized_for(function: str) -> Callable[[LossCall], bool]:
    return lambda call: call.function == function and _unnormalized(call)


def _brought_to_norm(calls: Sequence[LossCall]) -> bool:
    """Raw outputs into ctc_loss, told by the first call that was sampled.

    Its gradient in torch takes each exponential for a probability: over the classes it adds up to their sum less 1, so
    that it brings this to 1, and later calls may look like log-probabilities.
    """
    return _unnormalized_for("ctc_loss")(calls[0]) and all(call.head is None for call in calls)


def _probable_for(function: str) -> Callable[[LossCall], bool]:
    """Probabilities where their logarithms are expected, told by their values or by the operation that made them."""
    return lambda call: (
        call.function == function
        and (call.head == "softmax" or (_unnormalized(call) and (call.simplex_share or 0.0) > ALL_ROWS))
    )


def _never_below_one(call: LossCall) -> bool:
    """Rates of a Poisson distribution where their logarithms are expected."""
    bounds = call.reach if call.function == "poisson_nll_loss" and call.log_input else None
    return bounds is not None and bounds.low >= 0


def _never_negative(call: LossCall) -> bool:
    """Scores of a binary classification that a clamp or its like keeps from being negative; a sigmoid is RD401's."""
    bounds = call.reach if call.function == "binary_cross_entropy_with_logits" else None
    return bounds is not None and bounds.low >= 0 and call.head != "sigmoid"


def _head_of(function: str, heads: Iterable[str]) -> Callable[[LossCall], bool]:
    return lambda call: call.function == function and call.head in (*heads,)


_MISMATCHES: tuple[tuple[Callable[[LossCall], bool], bool, str], ...] = (
    *(
        (
            _probable_for(function),
            True,
            f"{function} is given probabilities, but expects their logarithms (log_softmax)",
        )
        for function in _OF_LOGARITHMS
    ),
    (
        lambda call: call.function in _OF_LOGARITHMS and _softmax_twice(call),
        True,
        "it is given the log_softmax of what is a softmax's output already, so that no class can win by more than 1",
    ),
    (
        _unnormalized_for("nll_loss"),
        True,
        "nll_loss is given raw outputs, but expects log-probabilities: it falls without bound "
        "without the network learning the classes",
    ),
    (
        _unnormalized_for("kl_div"),
        True,
        "kl_div is given raw outputs, but expects log-probabilities (log_softmax): it falls without bound without the "
        "network coming near the targets",
    ),
    (
        _never_below_one,
        False,
        "poisson_nll_loss takes its input for the logarithm of a rate, and is given what cannot be negative: no rate "
        "falls below 1 (pass log_input=False, or leave out the last activation)",
    ),
    (
        _head_of("cross_entropy", ("sigmoid",)),
        True,
        "cross_entropy is given the output of a sigmoid, so that no class can win by more than 1",
    ),
    (
        _head_of("cross_entropy", ("relu",)),
        False,
        "cross_entropy is given the output of a ReLU, which cuts off all evidence against a class",
    ),
    (
        _head_of("binary_cross_entropy_with_logits", ("relu",)),
        True,
        "binary_cross_entropy_with_logits is given the output of a ReLU, so that no probability falls below one half",
    ),
    (
        _never_negative,
        True,
        "binary_cross_entropy_with_logits is given what cannot be negative: no probability falls below one half",
    ),
    (
        lambda c: c.function == "mse_loss" and c.head == "softmax" and c.target_one_hot,
        False,
        "mse_loss on softmax outputs has almost no gradient where the network is sure and wrong",
    ),
    (
        _regression("relu", lambda low, high: low < -(REACH - 1) * max(abs(low), abs(high))),
        True,
        "the output passes a ReLU and cannot be negative, but targets are",
    ),
    (
        _regression("sigmoid", lambda low, high: low < 1 - REACH or high > REACH),
        True,
        "the output passes a sigmoid and stays between 0 and 1, but targets lie outside",
    ),
    (
        _regression("tanh", lambda low, high: low < -REACH or high > REACH),
        True,
        "the output passes a tanh and stays between -1 and 1, but targets lie outside",
    ),
)


@signal(unit="claim", by="loss", reads=("losses",))
def loss_head_mismatch(view: View) -> dict[str, Measurement]:
    """Whether the last activation of the network does not fit the loss function or the targets.

    Reads: `log.losses[i]`: function, head, what is beneath it, reach, shares of normalized rows, range of the targets.
    Unit: claim. None if: never.
    """
    return {
        name: known(_mismatch(calls) is not None, n=len(calls), location=calls[0].location)
        for name, calls in loss_sites(view).items()
    }


@signal(unit="claim", by="loss", reads=("losses",))
def loss_head_blocks(view: View) -> dict[str, Measurement]:
    """Whether the mismatch of output and loss keeps the network from ever reaching the answer.

    Reads: as loss_head_mismatch. Unit: claim. None if: never.
    """
    return {
        name: known((_mismatch(calls) or ("", False))[1], n=len(calls), location=calls[0].location)
        for name, calls in loss_sites(view).items()
    }


@signal(unit="words", by="loss", reads=("losses",))
def loss_head_problem(view: View) -> dict[str, Measurement]:
    """The mismatch of output and loss in words; "none" where they fit.

    Reads: as loss_head_mismatch. Unit: words. None if: never.
    """
    return {
        name: known((_mismatch(calls) or ("none", False))[0], n=len(calls), location=calls[0].location)
        for name, calls in loss_sites(view).items()
    }


@signal(unit="claim", by="loss", reads=("losses",))
def loss_input_constant(view: View) -> dict[str, Measurement]:
    """Whether a loss is given one and the same number for all samples, in more than half of the calls looked at.

    An activation that cuts everything off gives that, and hands no gradient on.

    Reads: `log.losses[i].minimum`, `.maximum`. Unit: claim. None if: the loss was given nothing.
    """
    found = {}
    for name, calls in loss_sites(view).items():
        spans = [c.maximum - c.minimum for c in calls if c.maximum is not None and c.minimum is not None]
        flat = sum(span == 0 for span in spans) > len(spans) / 2
        place = calls[0].location
        found[name] = known(flat, n=len(spans), location=place) if spans else unknown(_EMPTY, location=place)
    return found
