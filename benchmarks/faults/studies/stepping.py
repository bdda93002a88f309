"""What moves the weights in a script of the studies' part: clearing, backward, clipping, the step and what follows."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .networks import build
from .optimizers import clip, make_optimizer, make_scheduler
from .running import Run


class Stepper:
    """The optimizer of a network, and how far it is. The network may be another one afterwards: take `model`."""

    def __init__(self, run: Run, model: Any) -> None:
        s = self.setting = run.setting
        self.run, self.model = run, model
        self.batch = self.update = 0
        self.optimizer = make_optimizer(model, s, classes=run.task.classes)
        self.scheduler = make_scheduler(self.optimizer, s)
        if s.optimized == "second_network":
            self.model = build(run.task, s)
        elif s.optimized == "rebuilt":
            _rebuild(self.model)
        self.shadow = [p.detach().clone() for p in self.model.parameters()] if s.average else []
        run.attach(self.model, self.optimizer)

    def __call__(self, loss: Tensor) -> bool:
        """All of it for the loss of a batch; whether an update was done."""
        self.zero_grad()
        self.backward(loss)
        return self.step(loss)

    def zero_grad(self) -> None:
        """Clears gradients, where it is time to."""
        how = self.setting.clearing
        if how == "once":
            if self.batch == 0:
                self.optimizer.zero_grad()
        elif how == "first_module":
            next(self.model.children()).zero_grad()
        elif how == "to_zero":
            if self.batch % self.setting.accumulate == 0:
                self.optimizer.zero_grad(set_to_none=False)
        elif self.batch % (self.setting.accumulate if how == "each" else int(how)) == 0:
            self.optimizer.zero_grad()

    def backward(self, loss: Tensor) -> None:
        """The gradients."""
        s = self.setting
        if s.penalty:
            weights = [p for p in self.model.parameters() if p.dim() > 1]
            sizes = [p.abs().sum() if s.penalty_kind == "absolute" else p.pow(2).sum() for p in weights]
            loss = loss + s.penalty * torch.stack(sizes).sum()
        loss = loss * s.loss_scale / (s.accumulate if s.divided else 1)
        if s.style == "autograd":
            free = [p for p in self.model.parameters() if p.requires_grad]
            for p, gradient in zip(free, torch.autograd.grad(loss, free, allow_unused=True), strict=True):
                p.grad = gradient if p.grad is None or gradient is None else p.grad + gradient
            return
        loss.backward(retain_graph=s.state == "retained")  # type: ignore[no-untyped-call]

    def step(self, loss: Tensor) -> bool:
        """Moves the weights, if the batch ends an update; whether it did."""
        self.batch += 1
        if self.batch % self.setting.accumulate:
            return False
        clip(self.model, self.setting)
        self.optimizer.step()
        self._stepped(loss)
        return True

    def ask(self, closure: Callable[[], Any]) -> None:
        """The optimizer asks for the loss by itself, which clears and differentiates."""
        loss: Any = self.optimizer.step(closure)
        self.batch += 1
        self._stepped(loss)

    def _stepped(self, loss: Tensor) -> None:
        self.update += 1
        if isinstance(self.scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
            self.scheduler.step(loss.item())
        elif self.scheduler is not None:
            self.scheduler.step()
        with torch.no_grad():
            for kept, p in zip(self.shadow, self.model.parameters(), strict=False):
                kept.lerp_(p, 1 - self.setting.average)

    @property
    def validates(self) -> bool:
        """Whether it is time to."""
        every = self.setting.validate_every
        return bool(every) and self.update % every == 0

    @property
    def ended(self) -> bool:
        """Whether this update was the last: asked once after each."""
        return self.run.watch(self.update, self.model) or self.update >= self.run.updates


def _rebuild(model: nn.Module) -> None:
    """As a script does that sets up its recurrences once more after it has built the optimizer."""
    for module in model.modules():
        if isinstance(module, (nn.RNNBase, nn.RNNCellBase)):
            bound = module.hidden_size**-0.5
            for name, value in list(module.named_parameters()):
                setattr(module, name, nn.Parameter(torch.empty_like(value).uniform_(-bound, bound)))
