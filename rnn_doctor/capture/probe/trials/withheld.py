"""What the network learns of its training data while some of the examples are kept from it, and how it does on these.

Runs in a forked copy. There the network begins as the script's did and makes as many updates, by the script's own
optimizer, rates and clipping, over the batches of one pass; only their losses leave a quarter of the examples out.
Every so many updates all are looked at in evaluation mode, as a validation would. It does so four times, each time
without another quarter: in the end each example was once kept from a network, and learned by three.
"""

from __future__ import annotations

import math
import time
from typing import Any, Callable, Iterator, NamedTuple

import torch

from ..sensors.examples import Rows, agrees, by_row, rise, summary
from .batch_fit import SAME_LOSS, Clip, Unfaithful, clip_gradients
from .tape import Tape

FEWEST = 16
"""Examples at least: of fewer, a mean is too skewed for a normal approximation."""
FOLDS = 4
_LOOKS = 8
_SEED = 0
_FUSED = ("lstm", "gru", "rnn_tanh", "rnn_relu")
_NOT_SPLIT = "its loss does not fall into examples"


class Batch(NamedTuple):
    """One of the batches of a pass over the training data."""

    tape: Tape
    layout: Rows
    loss: float
    """The script's own."""


class Subject(NamedTuple):
    """What learns."""

    batches: list[Batch]
    optimizer: Any
    begin: list[tuple[torch.Tensor, torch.Tensor]]
    """The parameters, and what they were before the first update."""
    noted: list[torch.Tensor]
    """What they were when the first of the batches was noted."""
    rates: list[list[float]]
    """Of each update, by group of parameters."""
    clip: Clip | None

    @property
    def parameters(self) -> list[torch.Tensor]:
        """Those that learn."""
        return [p for group in self.optimizer.param_groups for p in group["params"] if p.requires_grad]


def learn_without(subject: Subject, deadline: float) -> dict[str, Any]:
    """`looks`: what each look at the examples found. Ends at a deadline of `time.process_time`.

    Raises: Unfaithful: a pass that runs again is not the script's, or its loss does not fall into examples.
    """
    torch.manual_seed(_SEED)
    _hold_against_the_script(subject)
    parts = [torch.randperm(batch.layout.batch) % FOLDS for batch in subject.batches]
    runs, every = [], _every(subject)
    for fold in range(FOLDS):
        until = time.process_time() + (deadline - time.process_time()) / (FOLDS - fold)
        runs.append(_run(subject, [part == fold for part in parts], every, until))
    return {"looks": list(_looks(runs, torch.cat(parts), every))}


def _every(subject: Subject) -> int:
    """Updates between two looks: whole passes."""
    count = len(subject.batches)
    return count * max(1, round(len(subject.rates) / _LOOKS / count))


def _run(subject: Subject, left_out: list[torch.Tensor], every: int, until: float) -> list[torch.Tensor]:
    """The losses of all examples at each look at a network that learns without some of them. Shapes: (N) each."""
    with torch.no_grad():
        for parameter, value in subject.begin:
            parameter.copy_(value)
    subject.optimizer.state.clear()
    found: list[torch.Tensor] = []
    for update in range(1, len(subject.rates) + 1):
        if time.process_time() > until:
            break
        _learn(subject, update - 1, left_out)
        if update % every == 0:
            found.append(_look(subject))
            if not bool(found[-1].isfinite().all()):
                return found[:-1]
    return found


def _looks(runs: list[list[torch.Tensor]], part: torch.Tensor, every: int) -> Iterator[dict[str, Any]]:
    """What the networks make of the examples that each was kept from, and of the others. Shapes: part (N)."""
    kept = part == torch.arange(len(runs)).unsqueeze(1)
    best: tuple[int, torch.Tensor] | None = None
    for number, losses in enumerate(zip(*runs), 1):
        every_one = torch.stack(losses)
        held_out = (every_one * kept).sum(0)
        trained = (every_one * ~kept).sum(0) / (len(runs) - 1)
        yield {
            "step": number * every,
            "examples": summary(held_out),
            "trained": summary(trained),
            "rise": None if best is None else rise(*best, held_out),
        }
        if best is None or held_out.mean() < best[1].mean():
            best = number * every, held_out


def _hold_against_the_script(subject: Subject) -> None:
    """The first batch gives its loss again, at the parameters that it had then; all fall into examples."""
    with torch.no_grad():
        for (parameter, _), value in zip(subject.begin, subject.noted):
            parameter.copy_(value)
        first = subject.batches[0]
        for _ in range(2):  # a pass that changes what it reads differs the second time
            loss = float(first.tape.run())
            if not math.isclose(loss, first.loss, rel_tol=SAME_LOSS, abs_tol=1e-7):
                raise Unfaithful(f"a loss was {first.loss:.6g}, and {loss:.6g} when its pass was run again")
        for batch in subject.batches:
            single = _Single(batch.layout)
            batch.tape.run(instead=single)
            if single.losses is None:
                raise Unfaithful(_NOT_SPLIT)


def _learn(subject: Subject, update: int, parts: list[torch.Tensor]) -> None:
    number = update % len(subject.batches)
    batch = subject.batches[number]
    parameters, optimizer = subject.parameters, subject.optimizer
    loss = batch.tape.run(anew=True, instead=_without(parts[number], batch.layout))
    gradients = torch.autograd.grad(loss.sum(), parameters, allow_unused=True)
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = gradient
    clip_gradients(parameters, subject.clip)
    for group, rate in zip(optimizer.param_groups, subject.rates[update]):
        group["lr"] = rate
    optimizer.step()


def _without(left_out: torch.Tensor, layout: Rows) -> Callable[..., Any]:
    """The loss functions over the other rows alone; they are a mean or a sum as before."""

    def instead(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        found = _rows_of(function, args, kwargs, layout)
        if found is None:
            return NotImplemented
        sums, terms = found
        if kwargs.get("reduction", "mean") == "sum":
            return sums[~left_out].sum() * (len(sums) / max(1, int((~left_out).sum())))
        return sums[~left_out].sum() / terms[~left_out].sum().clamp(min=1.0)

    return instead


def _look(subject: Subject) -> torch.Tensor:
    """The losses of all examples, in evaluation mode. Shapes: (N)."""
    found = []
    with torch.no_grad():
        for batch in subject.batches:
            single = _Single(batch.layout)
            batch.tape.run(instead=single)
            assert single.losses is not None
            found.append(single.losses)
    return torch.cat(found).double()


class _Single:
    """Runs a pass in evaluation mode and keeps the losses of its examples."""

    def __init__(self, layout: Rows) -> None:
        self._layout = layout
        self.losses: torch.Tensor | None = None
        """Summed over the calls of loss functions. Shapes: (B)."""

    def __call__(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What the function returns in evaluation mode."""
        found = _rows_of(function, args, kwargs, self._layout)
        if found is None:
            return function(*_evaluating(function, args), **_still(kwargs))
        sums, terms = found
        result = function(*args, **kwargs)
        mean = kwargs.get("reduction", "mean") == "mean"
        if len(sums) != self._layout.batch or not agrees(sums.sum() / (terms.sum() if mean else 1), result):
            raise Unfaithful(_NOT_SPLIT)
        losses = sums / terms.clamp(min=1.0)
        self.losses = losses if self.losses is None else self.losses + losses
        return result


def _rows_of(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], layout: Rows
) -> tuple[torch.Tensor, torch.Tensor] | None:
    return by_row(function, args[0], args[1], kwargs, layout) if len(args) > 1 else None


def _still(kwargs: dict[str, Any]) -> dict[str, Any]:
    """The options of a function of torch.nn.functional, in evaluation mode."""
    return {**kwargs, "training": False} if kwargs.get("training") else kwargs


def _evaluating(function: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments of a function of torch itself, in evaluation mode: where its flag stands has no name."""
    name = getattr(function, "__name__", "")
    if name in _FUSED and len(args) == 9:
        place = 7 if isinstance(args[3], (list, tuple)) else 6  # of packed sequences the weights come later
        return (*args[:place], False, *args[place + 1 :])
    if "dropout" in name and len(args) == 3 and args[2] is True:
        return (*args[:2], False)
    return args
