"""Whether the network's output and the loss function fit together."""

import math
from collections.abc import Callable

from rnn_doctor.derive.mismatches import ALL_ROWS, NO_ROW, mismatch, softmax_twice
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.runlog import LossCall
from rnn_doctor.schema.signals import Measurement

_EMPTY = "what the loss was given was not seen"


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
    finite = call.maximum is not None and math.isfinite(call.maximum)
    return share is not None and share < NO_ROW and finite


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
    return "softmax" if call.function == "expression" and softmax_twice(call) else None


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


@signal(unit="claim", by="loss", reads=("losses", "batches", "loops"))
def target_broadcast(view: View) -> dict[str, Measurement]:
    """Whether a loss compares every prediction with several targets because their shapes differ, or all with one.

    Reads: `log.losses[i].broadcast`, the shapes; as target_of_one_sample. Unit: claim. None if: never.
    """
    steps = _lengths(view)
    return _claim(
        view,
        lambda call: (call.broadcast and math.prod(call.input_shape) > 1) or _of_one_sample(call, steps),
    )


@signal(unit="claim", by="loss", reads=("losses", "batches", "loops"))
def target_of_one_sample(view: View) -> dict[str, Measurement]:
    """Whether a loss compares the predictions for all samples with the target of a single one, as `target[-1]` gives.

    Not where there are as many of them as time steps: a target may be meant for each step.

    Reads: `log.losses[i].rows_of_one`, `log.batches[i].time`, `.calls`, `log.loops[i].steps`. Unit: claim.
    False also where no length is known. None if: never.
    """
    steps = _lengths(view)
    return _claim(view, lambda call: _of_one_sample(call, steps))


def _lengths(view: View) -> set[int]:
    """All that may be the number of time steps."""
    of_modules = {count for batch in view.log.batches for count in (batch.time, batch.calls)}
    return of_modules | {loop.steps for loop in view.log.loops}


def _of_one_sample(call: LossCall, steps: set[int]) -> bool:
    return call.rows_of_one is not None and bool(steps) and call.rows_of_one not in steps


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


@signal(unit="claim", by="loss", reads=("losses",))
def loss_head_mismatch(view: View) -> dict[str, Measurement]:
    """Whether the last activation of the network does not fit the loss function or the targets.

    Reads: `log.losses[i]`: function, head, what is beneath it, reach, shares of normalized rows, range of the targets.
    Unit: claim. None if: never.
    """
    return {
        name: known(mismatch(calls) is not None, n=len(calls), location=calls[0].location)
        for name, calls in loss_sites(view).items()
    }


@signal(unit="claim", by="loss", reads=("losses",))
def loss_head_blocks(view: View) -> dict[str, Measurement]:
    """Whether the mismatch of output and loss keeps the network from ever reaching the answer.

    Reads: as loss_head_mismatch. Unit: claim. None if: never.
    """
    return {
        name: known((mismatch(calls) or ("", False))[1], n=len(calls), location=calls[0].location)
        for name, calls in loss_sites(view).items()
    }


@signal(unit="words", by="loss", reads=("losses",))
def loss_head_problem(view: View) -> dict[str, Measurement]:
    """The mismatch of output and loss in words; "none" where they fit.

    Reads: as loss_head_mismatch. Unit: words. None if: never.
    """
    return {
        name: known((mismatch(calls) or ("none", False))[0], n=len(calls), location=calls[0].location)
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
