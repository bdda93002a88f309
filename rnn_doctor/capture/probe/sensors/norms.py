"""Global gradient norms at every step, before and after clipping, for as few passes as possible."""

from __future__ import annotations

import math
from typing import Any, Dict, Iterable, List, Sequence

import torch

from ..places import here
from ..writer import Writer

_HALF = (torch.float16, torch.bfloat16)
_SAME = 1e-3
"""Relative difference above which two norms of one gradient mean that something changed it in between."""


def norms(tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """2-norm of each tensor, in at least single precision.

    Shapes: any, dense or sparse -> scalars.
    """
    if not tensors:
        return []
    try:
        each = torch._foreach_norm(tensors if isinstance(tensors, list) else list(tensors))
    except RuntimeError:  # sparse gradients
        return [_norm(t) for t in tensors]
    half = {n.dtype for n in each}.intersection(_HALF)
    return [_norm(t) for t in tensors] if half else list(each)


def _norm(tensor: torch.Tensor) -> torch.Tensor:
    if tensor.is_sparse:
        tensor = tensor.coalesce().values()
    return torch.linalg.vector_norm(tensor.float() if tensor.dtype != torch.float64 else tensor)


def sizes(tensors: Sequence[torch.Tensor]) -> list[float]:
    """2-norm of each tensor, brought to the CPU."""
    each = norms(tensors)
    if len({(n.device, n.dtype) for n in each}) == 1:
        values: list[float] = torch.stack(each).tolist()  # one transfer
        return values
    return [float(n) for n in each]


def total(tensors: Sequence[torch.Tensor]) -> float | None:
    """2-norm of all the tensors together; None where there are none."""
    return _joint(sizes(tensors))


Gradients = Dict[int, List[torch.Tensor]]
"""By the optimizer's number; `BY_HAND` where the script has none."""

BY_HAND = -1


class GradientNorms:
    """The norm of one step's gradient, before anything clipped it and as the optimizers saw it."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._clips_by_hand = False
        self._placed = False
        self.scaling = False
        """GradScaler is at work: until it has unscaled them, gradients after backward are not the loss's."""
        self.forget()

    def forget(self) -> None:
        """A new step begins."""
        self._before: dict[int, float] = {}
        self._at_update: dict[int, float] = {}
        self.each: dict[int, tuple[torch.Tensor, float]] = {}
        """By id(gradient): it and its norm as an optimizer was given it, where each was measured."""
        self._limit: float | None = None
        self._known: int | None = None
        self._scale = 1.0
        """What the gradients stood multiplied by when a clip call was given them."""
        self._scaler: Any = None
        """The GradScaler that has multiplied this step's loss, and not divided any gradient yet."""

    def scaled(self, scaler: Any) -> None:
        """GradScaler multiplied the loss of this step."""
        self.scaling, self._scaler = True, scaler

    def unscaled(self) -> None:
        """It divides the gradients again: of one optimizer, and with others nothing is claimed of theirs."""
        self._scaler = None

    @property
    def before(self) -> float | None:
        """The norm before clipping, as far as it is known."""
        return _joint(self._before.values())

    @property
    def used(self) -> float | None:
        """The norm that the optimizers have been given so far."""
        return _joint(self._at_update.values())

    def wants_backward(self, sampled: bool) -> bool:
        """Whether to measure after this backward pass: only so is hand-written clipping seen."""
        return (sampled or self._clips_by_hand) and not self.scaling

    def after_backward(self, gradients: Gradients) -> None:
        """Measures what the backward passes of this step have gathered so far."""
        if self._limit is None:
            self._measure(gradients)

    def clipping(self, gradients: Gradients, limit: float, step: int) -> None:
        """A clip call is about to run."""
        if self._scaler is not None:
            self._scale = self._scaler.get_scale()
        if self._limit is None and not self._before:
            self._measure(gradients)
        self._limit = limit
        self.placed(step)

    def clipping_by_norm(self, optimizer: int, limit: float, step: int) -> None:
        """A call of clip_grad_norm_ on all of one optimizer's gradients is about to run: it will tell the norm."""
        if self._scaler is not None:
            self._scale = self._scaler.get_scale()
        self._limit, self._known = limit, optimizer
        if not self._placed:
            self.placed(step)

    def clipped(self, returned: Any) -> None:
        """That call returned the norm it found; what it left follows from it (torch.nn.utils.clip_grad_norm_)."""
        if self._limit is None:
            return
        norm = float(returned) / self._scale
        if self._known is not None:
            self._before.setdefault(self._known, norm)
            self._at_update[self._known] = self._left(norm)
            return
        whole = self._at_update.get(BY_HAND, self._before.get(BY_HAND, math.nan))
        if math.isclose(whole, norm, rel_tol=_SAME):
            # Of all gradients of a script that updates by hand: no optimizer is going to tell what it is given.
            self._at_update[BY_HAND] = self._left(norm)

    def _left(self, norm: float) -> float:
        """What a call of clip_grad_norm_ leaves of this norm."""
        return norm if self._limit is None else norm * min(1.0, self._limit / self._scale / (norm + 1e-6))

    def knows(self, optimizer: int) -> bool:
        """Whether a clip call has told the norm that this optimizer will use."""
        return optimizer == self._known and optimizer in self._at_update

    def _measure(self, gradients: Gradients) -> None:
        for optimizer, tensors in gradients.items():
            # Once an optimizer has used its gradients, later backward passes are another evaluation's.
            if optimizer not in self._at_update:
                norm = total(tensors)
                if norm is not None:
                    self._before[optimizer] = norm / self._scale

    def placed(self, step: int) -> None:
        """Notes the line of the clip call, once."""
        if not self._placed:
            self._placed = True
            location = here()
            if location:
                self._writer.write("place", step=step, role="clip", location=location)

    def at_update(self, optimizer: int, gradients: Sequence[torch.Tensor], scale: float = 1.0) -> None:
        """One optimizer is about to use its gradients, divided by `scale`."""
        if self.knows(optimizer):
            return
        found = sizes(gradients)
        norm = _joint(found)
        if norm is not None:
            self._at_update.pop(BY_HAND, None)
            self.each |= {id(g): (g, size) for g, size in zip(gradients, found)}
            self._at_update[optimizer] = norm / scale

    def fields(self) -> dict[str, Any]:
        """`grad_norm`, `clipped_norm`, `clip_limit` and `clip_scale` of the step."""
        clip = {"clip_limit": self._limit, "clip_scale": self._scale if self._scale != 1 else None}
        if not self._at_update:
            return {"grad_norm": _joint(self._before.values()), **clip}
        if len(self._at_update) == 1:  # nearly always
            ((number, used),) = self._at_update.items()
            before = self._before.get(number, used)
        else:
            used = _together(list(self._at_update.values()))
            before = _together([self._before.get(number, norm) for number, norm in self._at_update.items()])
        changed = not math.isclose(before, used, rel_tol=_SAME, abs_tol=1e-30) and not math.isnan(before)
        if changed and self._limit is None:
            self._clips_by_hand = True
        return {"grad_norm": before, "clipped_norm": used if changed else None, **clip}


def _joint(norms_of_parts: Iterable[float]) -> float | None:
    """2-norm of parts together, by theirs; None where there are none."""
    found = list(norms_of_parts)
    if len(found) < 2:
        return found[0] if found else None
    return _together(found)


def _together(norms_of_parts: Sequence[float]) -> float:
    return math.sqrt(sum([norm * norm for norm in norms_of_parts]))
