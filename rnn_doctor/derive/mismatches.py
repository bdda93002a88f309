"""What does not fit between the output of a network and what its loss function expects, or its targets need."""

import math
from collections.abc import Callable, Iterable, Sequence

from rnn_doctor.derive.uninformed import REGRESSING
from rnn_doctor.schema.runlog import LossCall
from rnn_doctor.schema.wiring import Reach

ALL_ROWS, NO_ROW = 0.99, 0.01
ABOVE_LOG = 0.01
"""Logarithms of probabilities are at most 0; with 1e-2 added to each at most 0.00995."""
REACH = 1.05
"""Targets may exceed the range of an activation by 5 % of it: rounding and label noise."""
BEYOND = 0.05
"""Share of the targets that lies out of reach: a clamp may be meant to cut off a few outliers."""
APART = 2.0
"""Between the scores that a tanh gives: of two classes the wrong one keeps odds of 1 to 7, of ten the right one has at
most 45 %."""
_NORMALIZED = ("softmax", "log_softmax", "sigmoid")
"""What RD401 judges, or what is judged by itself."""
_OF_LOGARITHMS = ("nll_loss", "ctc_loss", "kl_div")
"""Losses that expect logarithms of probabilities."""
_RAW_CTC = (
    "ctc_loss is given raw outputs, but expects log-probabilities (log_softmax over the classes): it teaches the "
    "network to make their exponentials sum to 1 before it teaches the labels"
)
_ARTICLE = {"absolute value": "an", "exponential": "an"}


def mismatch(calls: Sequence[LossCall]) -> tuple[str, bool] | None:
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


def _hardly_apart(function: str) -> Callable[[LossCall], bool]:
    """Scores that a tanh or its like keeps within two of each other; a sigmoid is judged by itself."""

    def wrong(call: LossCall) -> bool:
        bounds = call.reach if call.function == function and call.head not in _NORMALIZED else None
        return bounds is not None and bounds.high - bounds.low <= APART

    return wrong


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
        lambda call: call.function in _OF_LOGARITHMS and softmax_twice(call),
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
        _hardly_apart("cross_entropy"),
        False,
        "cross_entropy is given what stays within a range of 2, as a tanh gives it, so that no class can win by more",
    ),
    (
        _hardly_apart("binary_cross_entropy_with_logits"),
        False,
        "binary_cross_entropy_with_logits is given what stays within a range of 2, as a tanh gives it, so that it can "
        "be sure of nothing",
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


def softmax_twice(call: LossCall) -> bool:
    """Whether the log_softmax that made a loss's input was given the output of a softmax."""
    return call.head == "log_softmax" and call.beneath == "softmax"
