"""Interventions on what an optimizer makes of its gradients."""

from __future__ import annotations

from typing import Any, Iterator

import torch

from .kinds import Intervention

_BETAS = (0.9, 0.999)
_EPSILON = 1e-8


def _learning(optimizer: Any) -> Iterator[torch.Tensor]:
    """Its parameters that have a gradient."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None:
                yield parameter


class Clip(Intervention):
    """The gradient of an optimizer's parameters is scaled down to a norm."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        self._limit = limit

    def before_step(self, optimizer: Any) -> None:
        """Clips, where the norm exceeds the limit; what is not finite stays so, as with `clip_grad_norm_`."""
        gradients = [parameter.grad for parameter in _learning(optimizer)]
        if not gradients:
            return
        norms = [torch.linalg.vector_norm(gradient) for gradient in gradients if gradient is not None]
        norm = torch.linalg.vector_norm(torch.stack([each.to(norms[0].device) for each in norms]))
        factor = self._limit / (norm + 1e-6)
        if factor < 1:
            self.applied += 1
            for gradient in gradients:
                if gradient is not None:
                    gradient.mul_(factor.to(gradient.device))


class Clear(Intervention):
    """Gradients are cleared after each update."""

    def after_step(self, optimizer: Any) -> None:
        """Clears those that the optimizer has used."""
        for parameter in _learning(optimizer):
            parameter.grad = None
            self.applied += 1


class Adam(Intervention):
    """Adam makes the update of every optimizer: Kingma and Ba 2015, algorithm 1.

    It is no `torch.optim.Adam`: the probe, and frameworks, would take that for one of the script's.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self._rate = rate
        self._moments: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._made: dict[int, int] = {}
        self._hidden: list[tuple[torch.Tensor, torch.Tensor]] = []

    def before_step(self, optimizer: Any) -> None:
        """Updates, and hides the gradients, so that the script's optimizer finds nothing to do."""
        with torch.no_grad():
            for parameter in _learning(optimizer):
                gradient = parameter.grad
                assert gradient is not None
                self._update(parameter, gradient.to_dense() if gradient.is_sparse else gradient)
                self._hidden.append((parameter, gradient))
                parameter.grad = None
                self.applied += 1

    def after_step(self, optimizer: Any) -> None:
        """Gives the gradients back, to whoever reads or clears them."""
        for parameter, gradient in self._hidden:
            parameter.grad = gradient
        self._hidden.clear()

    def _update(self, parameter: torch.Tensor, gradient: torch.Tensor) -> None:
        key = id(parameter)
        if key not in self._moments:
            self._moments[key] = torch.zeros_like(gradient), torch.zeros_like(gradient)
        first, second = self._moments[key]
        made = self._made[key] = self._made.get(key, 0) + 1
        first.lerp_(gradient, 1 - _BETAS[0])
        second.mul_(_BETAS[1]).addcmul_(gradient, gradient, value=1 - _BETAS[1])
        size = (second / (1 - _BETAS[1] ** made)).sqrt_().add_(_EPSILON)
        parameter.addcdiv_(first, size, value=-self._rate / (1 - _BETAS[0] ** made))
