"""Whether softmax is taken over a dimension that it has no business with: the batch, another than that of the classes
where a loss is given its result, or one of size 1."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rnn_doctor.derive.loss_heads import loss_sites, unnormalized
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.recurrence import Softmax
from rnn_doctor.schema.runlog import LossCall
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.values import Location

_CLEAR = "none"


class _Axes(NamedTuple):
    """The sizes by which the axes of one step's tensors are told apart."""

    batch: int
    times: frozenset[int]
    others: frozenset[int]
    """Numbers of features, units, layers and classes."""


class Site(NamedTuple):
    """One softmax of the script, and what its dimension is."""

    location: Location | None
    problem: str | None
    """In words; None where it could not be told."""


@signal(unit="claim", reads=("softmaxes", "batches", "losses"))
def softmax_wrong_dimension(view: View) -> Measurement:
    """Whether a softmax sums to 1 over the samples of the batch, over another dimension than that of the classes which
    the loss that is given its result looks for, or over a dimension of size 1.

    Over the batch: the dimension has the size of the batch, no other of the tensor has, and neither the time steps
    nor anything else of the network has that size; the tensor has two dimensions or more, and a loss judges the
    samples one by one, so that none may depend on the others. Not over the classes: a loss that compares classes is
    given the result, and none of its rows is normalized over them. Of size 1: the tensor has an axis of the time
    steps and one of the samples, or the result is what the loss is given.

    Reads: `log.softmaxes` of the first steps, `log.batches[i].batch`, `.time`, `log.losses[i].input_shape`, `.head`
    and the shares of its normalized rows, `log.modules`. Unit: claim.
    None if: no softmax was found wrong, and the batch could not be told from other axes at one of them.
    """
    sites = view.once(_sites)
    wrong = [site for site in sites if site.problem not in (None, _CLEAR)]
    if wrong:
        return known(True, n=len(sites), location=wrong[0].location)
    if any(site.problem is None for site in sites):
        return unknown("which axis of a softmax is the batch could not be told by its size")
    return known(False, n=len(sites)) if view.log.steps else unknown(NO_STEP)


@signal(unit="words", reads=("softmaxes", "batches", "losses"))
def softmax_problem(view: View) -> Measurement:
    """The first softmax over a wrong dimension in words; "none" where there is none.

    Reads: as softmax_wrong_dimension. Unit: words. None if: no step was seen.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    problems = [site.problem for site in view.once(_sites) if site.problem not in (None, _CLEAR)]
    return known(problems[0] or _CLEAR if problems else _CLEAR)


def _sites(view: View) -> tuple[Site, ...]:
    by_site: dict[tuple[object, ...], list[Softmax]] = {}
    for call in view.log.softmaxes:
        by_site.setdefault((call.location, call.function, len(call.shape), call.dim), []).append(call)
    return (
        *_besides_classes(view),
        *(Site(calls[0].location, _problem(view, calls)) for calls in by_site.values()),
    )


def _besides_classes(view: View) -> Iterable[Site]:
    """The softmaxes whose result a loss is given that finds none of its rows normalized over the classes."""
    for calls in loss_sites(view).values():
        if not all(map(unnormalized, calls)):
            continue
        loss = calls[0]
        made = [
            s
            for s in view.log.softmaxes
            if s.function == loss.head and math.prod(s.shape) == math.prod(loss.input_shape) and s.largest > 1
        ]
        axis = len(loss.input_shape) - 1 if loss.function in ("kl_div", "ctc_loss") else 1
        if made and (made[0].shape != loss.input_shape or made[0].dim != axis):
            words = (
                f"over dimension {made[0].dim} of a tensor of shape {made[0].shape}, and not over the "
                f"{loss.input_shape[axis]} classes that {loss.function} is given"
            )
            yield Site(made[0].location, words)


def _problem(view: View, calls: Sequence[Softmax]) -> str | None:
    """What is wrong at every sampled step; `none` where nothing is at one of them, None where it is not known."""
    found = [_at_step(view, call) for call in calls]
    if _CLEAR in found:
        return _CLEAR
    return found[0] if all(found) else None


def _at_step(view: View, call: Softmax) -> str | None:
    size = call.shape[call.dim]
    if call.largest == 1:
        return _of_one(view, call)
    axes = _axes(view, call.step)
    if axes is None:
        return _CLEAR if len(call.shape) < 2 else None
    alone = len(call.shape) > 1 and call.shape.count(size) == 1  # (N, N) compares the samples with each other
    if not alone or size != axes.batch or not _judged_one_by_one(view, call.step, size):
        return _CLEAR
    timed = any(n > 1 and n in axes.times for n in call.shape)  # then the batch must be its other axis
    if size in axes.times or (size in axes.others and not timed):
        return None
    return f"over dimension {call.dim} of a tensor of shape {call.shape}, which is the {size} samples of the batch"


def _of_one(view: View, call: Softmax) -> str | None:
    """A softmax over a single number, which is 1 whatever the number is."""
    words = f"over dimension {call.dim} of a tensor of shape {call.shape}, which has size 1, so that it is 1 everywhere"
    if any(x.head == call.function and x.input_shape == call.shape for x in _losses(view, call.step)):
        return words
    if len(call.shape) < 3:
        return _CLEAR
    axes = _axes(view, call.step)
    if axes is None:
        return None
    rest = [size for axis, size in enumerate(call.shape) if axis != call.dim]
    if axes.batch in rest:
        rest.remove(axes.batch)
    else:
        return _CLEAR
    return words if any(size > 1 and size in axes.times for size in rest) and 1 not in axes.times else _CLEAR


def _axes(view: View, step: int) -> _Axes | None:
    """The sizes at one step; None where no module was seen, or its modules were given different batches."""
    batches = [batch for batch in view.log.batches if batch.step == step]
    sizes = {batch.batch for batch in batches}
    if len(sizes) != 1:
        return None
    modules = view.log.modules.values()
    others: Iterable[int | None] = (
        *(number for m in modules for number in (m.hidden_size, m.input_size, m.proj_size)),
        *(m.num_layers * (1 + m.bidirectional) for m in modules),
        *(batch.features for batch in batches),
        *(
            loss.input_shape[1]
            for loss in _losses(view, step)
            if len(loss.input_shape) > 1 and _classifies(loss)
        ),
    )
    times = frozenset(b.calls if b.time == 1 else b.time for b in batches)
    return _Axes(sizes.pop(), times, frozenset(n for n in others if n))


def _losses(view: View, step: int) -> list[LossCall]:
    return [loss for loss in view.log.losses if loss.step == step]


def _classifies(loss: LossCall) -> bool:
    return loss.function in ("cross_entropy", "nll_loss")


def _judged_one_by_one(view: View, step: int, batch: int) -> bool:
    """Whether a loss has a row for each sample, or for each of its steps; of one bag of samples it has a single row."""
    shapes = [loss.input_shape for loss in _losses(view, step) if loss.input_shape]
    return any(shape[0] % batch == 0 or batch in shape for shape in shapes)
