"""Tensors that should be trained and are not."""

import math
import re
from collections.abc import Callable

from rnn_doctor.derive.batches import by_module
from rnn_doctor.derive.frozen import frozen_fresh
from rnn_doctor.derive.histories import FEWEST, History, has_rate, has_stepped, histories, rests, too_early
from rnn_doctor.derive.modules import hands_all_on
from rnn_doctor.derive.reading_out import read_at, reverse_reads_one_step, unread
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.stillness import nothing_moves_at
from rnn_doctor.derive.subjects import HAND_WRITTEN, is_hand_written
from rnn_doctor.derive.view import View
from rnn_doctor.schema.built import Parameter
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.values import Location

SPELLED = 3
"""Names in one message; a layer has many weight matrices, and three show which kind it is."""

_REVERSED = re.compile(r"weight_hh_l\d+_reverse")


def _owners(view: View) -> dict[str, list[Parameter]]:
    """The tensors of each subject, largest part first told apart by recurrent module."""
    owners: dict[str, list[Parameter]] = {}
    for parameter in view.log.parameters.values():
        owners.setdefault(view.owner(parameter), []).append(parameter)
    return owners


def _count(view: View, chosen: Callable[[Parameter], bool], reason: str | None) -> dict[str, Measurement]:
    found = {}
    for owner, parameters in _owners(view).items():
        location = view.owner_location(parameters[0])
        if reason:
            found[owner] = unknown(reason, location=location)
        else:
            found[owner] = known(sum(map(chosen, parameters)), n=len(parameters), location=location)
    return found


def _unoptimized(view: View, parameter: Parameter) -> bool:
    history = view.once(histories).get(parameter.id)
    if not parameter.trainable or parameter.optimizer is not None or (history and history.moved):
        return False
    if history is None and view.by_hand:
        return False
    return _reached(view, parameter) and parameter.id not in view.once(_copies)


def _reached(view: View, parameter: Parameter) -> bool:
    history = view.once(histories).get(parameter.id)
    return parameter.used is True or (history is not None and history.gradient > 0)


def _copies(view: View) -> frozenset[int]:
    """The tensors that began as copies of others that are trained, as those of a target network or an old policy do.

    They are renewed by copying: that a gradient flows into them, for want of `no_grad`, does no harm.
    """
    trained = {
        (p.shape, p.mean, p.std)
        for p in view.log.parameters.values()
        if p.optimizer is not None and p.std and _reached(view, p)
    }
    left = [p for p in view.log.parameters.values() if p.optimizer is None]
    copied = {p.id: view.owner(p) for p in left if (p.shape, p.mean, p.std) in trained}
    constant = [
        p.id for p in left if not p.std and view.owner(p) in copied.values()
    ]  # as biases that begin at 0
    return frozenset((*copied, *constant))


@signal(unit="tensors", by="module", reads=("parameters", "samples"))
def unoptimized_tensors(view: View) -> dict[str, Measurement]:
    """Number of a module's tensors that the loss depends on, that no optimizer holds and nothing changes.

    Frozen tensors (requires_grad False) and tensors that the loss does not use are not counted, nor are copies of
    tensors that are trained: a target network is renewed by copying. But the weight matrices of recurrences count that
    are frozen as they were drawn, where no other recurrence learns.

    Reads: `log.parameters`, `log.samples[k].displacement`, `.grad_norm`; as recurrence_frozen_fresh. Unit: tensors.
    None if: no update was sampled.
    """
    drawn = {p.id for matrices in view.once(frozen_fresh).values() for p in matrices}
    return _count(view, lambda p: p.id in drawn or _unoptimized(view, p), too_early(view, 1))


@signal(unit="claim", by="module", reads=("parameters", "modules"))
def unoptimized_untrained(view: View) -> dict[str, Measurement]:
    """Whether a module's unoptimized tensors still have the statistics of a usual initialization.

    Weights that were trained before may be left out of the optimizer on purpose; fresh random ones may not.

    Reads: `log.parameters[id].std`, `.mean`. Unit: claim; False where all tensors are optimized.
    None if: their initial values were not seen.
    """
    found = {}
    for owner, parameters in _owners(view).items():
        location = view.owner_location(parameters[0])
        matrices = [p for p in parameters if _unoptimized(view, p) and len(p.shape) > 1]
        if any(p.std is None or p.mean is None for p in matrices):
            found[owner] = unknown("the initial values of its weights were not seen", location=location)
        else:
            vectors = [p for p in parameters if _unoptimized(view, p) and len(p.shape) < 2]
            drawn = bool({view.module_of(p) for p in parameters} & view.once(frozen_fresh).keys())
            fresh = drawn or (all(_looks_fresh(view, p) for p in matrices) and bool(matrices or vectors))
            found[owner] = known(fresh, n=len(matrices), location=location)
    return found


def _looks_fresh(view: View, parameter: Parameter) -> bool:
    """Whether mean and standard deviation are those of a usual initialization, within sampling error."""
    assert parameter.std is not None
    assert parameter.mean is not None
    std, count = parameter.std, math.prod(parameter.shape)
    if std == 0:
        return True
    if abs(parameter.mean) > 4 * std / math.sqrt(count) + 0.02 * std:
        return False
    tolerance = 0.02 + 3 / math.sqrt(2 * count)
    return any(abs(std / usual - 1) < tolerance for usual in _usual_stds(view, parameter))


def _usual_stds(view: View, parameter: Parameter) -> set[float]:
    rows, columns = parameter.shape[0], max(1, math.prod(parameter.shape[1:]))
    module = view.log.modules.get(parameter.module) if parameter.module is not None else None
    hidden = (module.hidden_size if module else None) or rows
    return {
        math.sqrt(1 / (3 * hidden)),  # PyTorch's recurrent layers
        math.sqrt(1 / (3 * columns)),  # PyTorch's linear and convolutional layers
        math.sqrt(2 / (rows + columns)),  # Xavier
        math.sqrt(2 / columns),  # He
        math.sqrt(1 / columns),  # LeCun
        math.sqrt(1 / max(rows, columns)),  # orthogonal
        *(1.0, 0.1, 0.02, 0.01),  # normal: embeddings and habits
        *(a / math.sqrt(3) for a in (0.1, 0.08, 0.05)),  # uniform: language models
    }


def _unchanged(view: View, parameter: Parameter) -> bool:
    history = view.once(histories).get(parameter.id)
    if history is None or history.samples < 2 or history.moved:
        return False
    if not parameter.trainable or parameter.optimizer is None or len(parameter.shape) < 2:
        return False  # a bias before a softmax has no gradient by nature
    if parameter.module is not None and hands_all_on(view, parameter.module):
        return False  # its recurrent weights multiply a state of zeros by design
    moving = has_rate(view, parameter.optimizer) or rests(view, parameter)
    return moving and _used(view, parameter, history, parameter.optimizer)


def _used(view: View, parameter: Parameter, history: History, optimizer: int) -> bool:
    """Whether the loss uses it, or its module ran: but not where its optimizer has its turn in a later phase."""
    if history.gradient > 0 or parameter.used is True or parameter.weightless:
        return True
    return _at_work(view, parameter) and (has_stepped(view, optimizer) or len(view.log.optimizers) == 1)


def _at_work(view: View, parameter: Parameter) -> bool:
    """Whether its recurrent module ran at every sampled step, whatever the loss made of it."""
    if view.module_of(parameter) in view.unreached:
        return True
    module = view.log.modules.get(parameter.module) if parameter.module is not None else None
    if module is not None and module.gradientless:
        return True
    ran = (
        {batch.step for batch in view.batches.get(parameter.module, [])}
        if parameter.module is not None
        else set()
    )
    return bool(ran) and {sample.step for sample in view.log.samples} <= ran


@signal(unit="tensors", by="module", reads=("parameters", "samples", "steps.lr"))
def unchanged_tensors(view: View) -> dict[str, Measurement]:
    """Number of a module's weight matrices that an optimizer holds and that stayed bit-identical.

    Only those count that the loss uses, or whose recurrent module ran at every sampled step, under an optimizer
    whose parameter groups all have a rate above zero, or in a group whose rate is 0 at every step;
    of several optimizers, one that never stepped while the loss
    used nothing of it has its turn in a later phase.

    Reads: `log.parameters`, `log.samples[k].displacement`. Unit: tensors.
    Its location is the line that runs the module without gradients, that cuts off its output, or that reads it out
    where that leaves a part of it unread, else the module's; where no tensor of all moves, the line to blame for that.
    None if: fewer than 5 updates were sampled.
    """
    found = _count(view, lambda p: _unchanged(view, p), too_early(view, FEWEST))
    for number, name in view.module_names.items():
        module = view.log.modules[number]
        read = read_at(view, number) if unread(view, number) else None
        line = module.gradientless or _cut_at(view, number) or read
        if name in found and line is not None:
            found[name] = found[name].model_copy(update={"location": line})
    line = view.once(nothing_moves_at)
    return {name: m.model_copy(update={"location": line}) for name, m in found.items()} if line else found


@signal(
    unit="claim",
    by="module",
    reads=("parameters", "samples", "steps.lr", "readouts.reverse_last_share", "modules"),
)
def reverse_alone_unchanged(view: View) -> dict[str, Measurement]:
    """Whether all that stays as it was of a module are recurrent weights of a reverse direction read at one step.

    The direction is read where it has seen a single input, with a state of zeros before it.

    Reads: as unchanged_tensors and reverse_reads_one_step. Unit: claim; False where every weight matrix has changed.
    None if: as either.
    """
    counts, one_step = unchanged_tensors(view), reverse_reads_one_step(view)
    assert isinstance(counts, dict)
    assert isinstance(one_step, dict)
    found = {}
    for owner, parameters in _owners(view).items():
        count, read = counts[owner], one_step.get(owner, known(False))
        still = [p.name.rpartition(".")[2] for p in parameters if not count.absent and _unchanged(view, p)]
        alone = bool(still) and all(_REVERSED.fullmatch(name) for name in still)
        if count.absent or not alone:
            found[owner] = count if count.absent else known(False, n=len(still), location=count.location)
        else:
            found[owner] = (
                read if read.absent else known(bool(read.value), n=len(still), location=read.location)
            )
    return found


@signal(unit="claim", by="module", reads=("parameters", "samples"))
def unchanged_weightless(view: View) -> dict[str, Measurement]:
    """Whether the loss reaches the weight matrices that `unchanged_tensors` counts through factors of 0 alone.

    A term whose weight rises later is such, and a task of which no sample has come yet.

    Reads: `log.parameters[id].weightless`, and as unchanged_tensors. Unit: claim.
    None if: fewer than 5 updates were sampled.
    """
    reason = too_early(view, FEWEST)
    found = {}
    for owner, parameters in _owners(view).items():
        location = view.owner_location(parameters[0])
        still = [] if reason else [p for p in parameters if _unchanged(view, p)]
        found[owner] = (
            unknown(reason, location=location)
            if reason
            else known(bool(still) and all(p.weightless for p in still), n=len(still), location=location)
        )
    return found


def _cut_at(view: View, module: int) -> Location | None:
    if module in view.unreached:
        return view.unreached[module]
    return next((batch.cut_at for batch in view.batches[module] if batch.cut_at is not None), None)


@signal(unit="claim", by="module", reads=("batches.cut_at", "loops"))
def output_cut_off(view: View) -> dict[str, Measurement]:
    """Whether a module's output is cut off from its graph, and the loss takes nothing from it in any other way.

    Reads: `log.batches[i].cut_at`, `log.loops[i].unused`. Unit: claim; its location is the line of that cut.
    None if: the module was not called in a sampled step, or it is hand-written and the loss reaches it.
    """
    found = by_module(view, lambda batches: any(batch.cut_at is not None for batch in batches), "")
    for number, name in view.module_names.items():
        if is_hand_written(view, number):
            told = known(True) if number in view.unreached else unknown(HAND_WRITTEN)
            found[name] = told.model_copy(update={"location": view.log.modules[number].location})
        line = _cut_at(view, number)
        if line is not None:
            found[name] = found[name].model_copy(update={"location": line})
    return found


@signal(unit="claim", by="module", reads=("modules",))
def runs_without_gradients(view: View) -> dict[str, Measurement]:
    """Whether the training runs a module under torch.no_grad() alone, though an optimizer holds its weights.

    Reads: `log.modules[m].gradientless`. Unit: claim; its location is the line of that call.
    None if: never; it is asked of every recurrent module.
    """
    return {
        name: known(module.gradientless is not None, location=module.gradientless or module.location)
        for number, name in view.module_names.items()
        if (module := view.log.modules[number])
    }


@signal(unit="claim", by="module", reads=("parameters", "samples", "steps.lr"))
def unchanged_by_digits(view: View) -> dict[str, Measurement]:
    """Whether a gradient reaches all the weight matrices that `unchanged_tensors` counts, too small to change a bit.

    Reads: as unchanged_tensors, and `log.samples[k].grad_norm`. Unit: claim.
    None if: none stayed as it was, or as unchanged_tensors.
    """
    return _of_kept(view, lambda kept: all(view.once(histories)[p.id].gradient > 0 for p in kept))


def _of_kept(view: View, claim: Callable[[list[Parameter]], bool]) -> dict[str, Measurement]:
    """A claim about the weight matrices of each subject that stayed as they were."""
    reason = too_early(view, FEWEST)
    found = {}
    for owner, parameters in _owners(view).items():
        location = view.owner_location(parameters[0])
        kept = [] if reason else [p for p in parameters if _unchanged(view, p)]
        if kept:
            found[owner] = known(claim(kept), n=len(kept), location=location)
        else:
            found[owner] = unknown(reason or "every weight matrix has changed", location=location)
    return found


@signal(unit="claim", by="module", reads=("parameters", "samples", "steps.lr"))
def rate_stays_zero(view: View) -> dict[str, Measurement]:
    """Whether the learning rate of all weight matrices that `unchanged_tensors` counts was 0 at every update seen.

    Reads: as unchanged_tensors, and `log.parameters[id].group`. Unit: claim.
    None if: none stayed as it was, or as unchanged_tensors.
    """
    return _of_kept(view, lambda kept: all(rests(view, p) for p in kept))


@signal(unit="claim", by="module", reads=("parameters", "samples", "steps.optimizers"))
def optimizer_never_steps(view: View) -> dict[str, Measurement]:
    """Whether no optimizer that holds the weight matrices that `unchanged_tensors` counts has made a single step.

    Reads: as unchanged_tensors, and `log.steps[k].optimizers`. Unit: claim.
    None if: none stayed as it was, or as unchanged_tensors.
    """
    return _of_kept(
        view, lambda kept: not any(has_stepped(view, p.optimizer) for p in kept if p.optimizer is not None)
    )


@signal(unit="name", by="module", reads=("parameters", "samples", "steps.lr"))
def unchanged_names(view: View) -> dict[str, Measurement]:
    """Names within their module of the weight matrices that `unchanged_tensors` counts.

    Reads: as unchanged_tensors. Unit: name; three at most are spelled out.
    None if: none stayed as it was, or as unchanged_tensors.
    """
    reason = too_early(view, FEWEST)
    found = {}
    for owner, parameters in _owners(view).items():
        location = view.owner_location(parameters[0])
        names = [] if reason else [view.name_within(p) for p in parameters if _unchanged(view, p)]
        if names:
            more = f" and {len(names) - SPELLED} more" if len(names) > SPELLED else ""
            text = ", ".join(names[:SPELLED]) + more
            found[owner] = known(text, n=len(names), location=location)
        else:
            found[owner] = unknown(reason or "every weight matrix has changed", location=location)
    return found
