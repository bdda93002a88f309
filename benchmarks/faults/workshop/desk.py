"""What moves the weights in scripts of the workshop's part, beyond what all parts have in common."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..parts_common.fitting import Fit
from ..parts_common.optimizing import LONG, make_scheduler, recurrent
from .running import Run


class Desk(Fit):
    """A network, its optimizer, and what a team has written around them."""

    def __init__(self, run: Run, model: Any) -> None:
        self.spare = copy.deepcopy(model) if run.setting.clearing == "copy" else None
        super().__init__(run, model)
        s = self.setting
        if s.optimized == "no_rnn":
            its = {id(p) for name, p in self.model.named_parameters() if recurrent(name)}
            for group in self.optimizer.param_groups:
                group["params"] = [p for p in group["params"] if id(p) not in its]
        if s.clip_kind == "hooks" and s.clip is not None:
            for p in self.model.parameters():
                if p.requires_grad:
                    p.register_hook(lambda grad: grad.clamp(-s.clip, s.clip))

    def schedule(self) -> Any:
        """The parts' schedules, and those of a team."""
        s, optimizer, schedules = self.setting, self.optimizer, torch.optim.lr_scheduler
        by_factor: dict[str, Callable[[int], float]] = {
            "hold_then_decay": lambda n: 1.0 if n < 200 else 0.995 ** (n - 200),
            "sawtooth": lambda n: 0.4 + 0.6 * (1 - n % 40 / 40),
            "two_phases": lambda n: 0.3 if n < 30 else 1.0,
            # It was to end at one.
            "unbounded": lambda n: (n + 1) / s.span,
            # It is told of epochs, so that the first lasts long.
            "by_epoch": lambda n: min(1.0, (1 + s.batch * n // self.run.samples) / s.span),
            "to_zero": lambda n: max(0.0, 1 - n / s.span),
            # Of each update's rate, not of the first one's.
            "compound": lambda n: s.gamma ** (n * (n + 1) / 2),
        }
        if s.schedule in by_factor:
            return schedules.LambdaLR(optimizer, by_factor[s.schedule])
        if s.schedule == "marks":
            return schedules.MultiStepLR(optimizer, [s.span, 2 * s.span, 3 * s.span], s.gamma)
        if s.schedule == "upside_down":
            return schedules.ReduceLROnPlateau(optimizer, mode="max", factor=s.gamma, patience=s.span)
        if s.schedule == "warm_then_cosine":
            warm = schedules.LinearLR(optimizer, 0.05, 1.0, 20)
            cosine = schedules.CosineAnnealingLR(optimizer, LONG)
            return schedules.SequentialLR(optimizer, [warm, cosine], [20])
        return make_scheduler(optimizer, s)

    def zero_grad(self) -> None:
        """Clears gradients; of a copy alone, if the network was copied."""
        if self.spare is not None:
            self.spare.zero_grad()
        elif self.setting.clearing == "once":
            if self.iteration == 0:
                self.optimizer.zero_grad()
        else:
            super().zero_grad()

    def backward(self, loss: Tensor) -> None:
        """The gradients: kept in the weights, or asked for."""
        s = self.setting
        if s.style == "autograd":
            free = [p for p in self.model.parameters() if p.requires_grad]
            for p, grad in zip(
                free, torch.autograd.grad(loss / s.accumulate, free, allow_unused=True), strict=True
            ):
                p.grad = grad if p.grad is None or grad is None else p.grad + grad
        else:
            super().backward(loss)

    def step(self, loss: Tensor) -> bool:
        """Moves the weights, and what is done to them or noted beside it."""
        s = self.setting
        parameters = [p for p in self.model.parameters() if p.grad is not None]
        if s.noise:
            for p in parameters:
                p.grad += s.noise * torch.randn_like(p)
        if s.style == "logged":
            {
                name: (p.norm().item(), p.grad.norm().item())
                for name, p in self.model.named_parameters()
                if p.grad is not None
            }
        if s.clip_kind == "by_size" and s.clip is not None:
            # Meant for each weight, given to the norm of all.
            nn.utils.clip_grad_norm_(parameters, s.clip / sum(p.numel() for p in parameters))
        moved = super().step(loss)
        if moved and s.shrink:
            with torch.no_grad():
                for p in self.model.parameters():
                    p.mul_(1 - s.shrink)
        return moved

    def __call__(self, loss: Tensor) -> bool:
        """All of it for the loss of a batch; whether an update was done."""
        self.zero_grad()
        self.backward(loss)
        return self.step(loss)

    def ask(self, loss_of: Callable[[], Tensor]) -> bool:
        """The optimizer asks for the loss by itself."""

        def closure() -> Tensor:
            self.optimizer.zero_grad()
            loss = loss_of()
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        self.optimizer.step(closure)  # type: ignore[arg-type]
        self.iteration += 1
        self.update += 1
        return True
