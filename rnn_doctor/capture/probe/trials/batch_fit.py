"""Whether the network learns one fixed batch: by its own steps, by others, and from other initial weights.

Runs in a forked copy, whose parameters and optimizers nobody else has.
"""

from __future__ import annotations

import math
import sys
import time
from typing import Any, Callable, Iterable, NamedTuple, Sequence

import torch
from torch import nn

from .tape import Tape

STEPS = 50
LEARNED = 0.5
"""Share of its first loss at which a batch counts as learned, and an arm ends."""
_ADAM_RATE = 1e-3
_SEED = 0
SAME_LOSS = 1e-4
_SAME_GRADIENT = 1e-3
"""Relative; the script's own pass may have used more threads, which sum in another order."""


class Arm(NamedTuple):
    """What is changed; nothing, in the arm that the others are held against."""

    name: str
    factor: float = 1.0
    """What the learning rates are multiplied by."""
    adam: bool = False
    """Adam at its default rate takes the place of the script's optimizers."""
    fresh: bool = False
    """The weights are drawn anew, as torch does by default."""


OWN = Arm("own")
OTHERS = (
    Arm("rate_x10", 10.0),
    Arm("rate_x0.1", 0.1),
    Arm("fresh", fresh=True),
    Arm("adam", adam=True),
    Arm("fresh_adam", adam=True, fresh=True),
    Arm("rate_x100", 100.0),
)
"""The others, the most telling first: the time may end before all were tried."""


class Clip(NamedTuple):
    """How the script clipped the gradient of the update before."""

    limit: float
    by_value: bool


class Subject(NamedTuple):
    """What learns: a forward pass, and what updates its parameters."""

    tape: Tape
    loss: torch.Tensor
    """The script's own, whose graph has not been used yet."""
    optimizers: list[Any]
    clip: Clip | None

    @property
    def parameters(self) -> list[torch.Tensor]:
        """Those of all optimizers that learn."""
        found = {
            id(p): p
            for o in self.optimizers
            for group in o.param_groups
            for p in group["params"]
            if p.requires_grad
        }
        return list(found.values())


class Unfaithful(Exception):
    """The forward pass that was run again is not the script's."""


def fit(subject: Subject, arm: Arm, deadline: float) -> dict[str, Any]:
    """`rate`, `losses` (before each update and after the last), `learned`; of fresh weights the `share` drawn anew.

    Ends where the batch is learned, where the loss is finite no more, or at the deadline of `time.monotonic`.

    Raises: Unfaithful: the loss or its gradient is not that of the script's own pass.
    """
    if arm.name == OWN.name:
        _hold_against_the_script(subject)
    parameters, optimizers = subject.parameters, subject.optimizers
    found: dict[str, Any] = {}
    if arm.fresh:
        found["share"] = draw_anew(parameters)
        for optimizer in optimizers:
            optimizer.state.clear()
    if arm.adam:
        optimizers = [torch.optim.Adam(parameters, lr=_ADAM_RATE)]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = arm.factor * highest_rate(group)
    found["rate"] = float(optimizers[0].param_groups[0]["lr"])
    losses = list(_learn(subject, parameters, optimizers, deadline))
    return {**found, "losses": losses, "learned": has_learned(losses)}


def has_learned(losses: Sequence[float]) -> bool:
    """Whether the loss of the batch has come down by half. A loss below 0 has no half."""
    return 0 < losses[0] < math.inf and losses[-1] <= LEARNED * losses[0]


def highest_rate(group: dict[str, Any]) -> float:
    """The highest learning rate that the schedule of a group is known to reach: the present one may warm up yet."""
    given = (group.get(key) for key in ("lr", "initial_lr", "max_lr"))
    return max(float(rate) for rate in given if isinstance(rate, (int, float, torch.Tensor)))


def _learn(
    subject: Subject, parameters: list[torch.Tensor], optimizers: list[Any], deadline: float
) -> Iterable[float]:
    losses: list[float] = []
    while True:
        loss = subject.tape.run().sum()
        losses.append(loss.item())
        yield losses[-1]
        over = len(losses) > STEPS or time.monotonic() > deadline
        if over or not math.isfinite(losses[-1]) or has_learned(losses):
            return
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient
        clip_gradients(parameters, subject.clip)
        for optimizer in optimizers:
            optimizer.step()


def clip_gradients(parameters: list[torch.Tensor], clip: Clip | None) -> None:
    """As the script did."""
    given = [p for p in parameters if p.grad is not None]
    if clip is not None and given:
        (nn.utils.clip_grad_value_ if clip.by_value else nn.utils.clip_grad_norm_)(given, clip.limit)


def _hold_against_the_script(subject: Subject) -> None:
    parameters = subject.parameters
    original = torch.autograd.grad(subject.loss, parameters, allow_unused=True)
    for _ in range(2):  # a pass that changes what it reads differs the second time
        loss = subject.tape.run()
        if not math.isclose(float(loss), float(subject.loss), rel_tol=SAME_LOSS, abs_tol=1e-7):
            raise Unfaithful(
                f"its loss was {float(subject.loss):.6g}, and {float(loss):.6g} when it was run again"
            )
        again = torch.autograd.grad(loss, parameters, allow_unused=True)
        off = _distance(original, again)
        if not off <= _SAME_GRADIENT:
            raise Unfaithful(f"its gradient differed by {off:.1%} when it was run again")


def _distance(one: tuple[Any, ...], other: tuple[Any, ...]) -> float:
    """Of two gradients, relative to the first. NaN where one is."""
    off = size = 0.0
    for pair in zip(one, other):
        a, b = (torch.zeros(()) if each is None else each.to_dense().double() for each in pair)
        off += float((a - b).square().sum())
        size += float(a.square().sum())
    return math.sqrt(off / size) if size else float(off > 0)


def draw_anew(parameters: list[torch.Tensor]) -> float:
    """Initializes the modules of torch that hold the parameters by torch's own defaults, from a fixed seed.

    Returns the share of the parameters' numbers that this reached; others keep their values.
    """
    sought = {id(p): p.numel() for p in parameters}
    torch.manual_seed(_SEED)
    reached: set[int] = set()
    with torch.no_grad():
        for module in _modules():
            own = {id(p) for p in module._parameters.values() if p is not None}
            reset: Callable[[], None] | None = _default(module)
            if reset is not None and own & sought.keys():
                reset()
                reached |= own & sought.keys()
    total = sum(sought.values())
    return sum(sought[each] for each in reached) / total if total else 0.0


def _modules() -> Iterable[nn.Module]:
    """Every module that there is. `isinstance` would wake lazy attributes of other objects."""
    import gc

    return [each for each in gc.get_objects() if nn.Module in type(each).__mro__]


def _default(module: nn.Module) -> Callable[[], None] | None:
    """torch's own initialization of a module; None where the script has one, or there is none."""
    method = getattr(type(module), "reset_parameters", None)
    name = getattr(method, "__module__", "") or ""
    if method is None or not name.startswith("torch.nn") or name not in sys.modules:
        return None
    return lambda: method(module)
