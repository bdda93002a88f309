"""What moves the weights in a script."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .optimizing import clip_gradients, make_optimizer, make_scheduler
from .running import FileRun
from .scripts import build


class Fit:
    """A network and its optimizer. The network may be another one than was given: take `model`."""

    def __init__(self, run: FileRun, model: Any) -> None:
        s = self.setting = run.setting
        self.run, self.model = run, model
        self.iteration = self.update = 0
        self.best = float("inf")
        self.kept: dict[str, Tensor] = {}
        self.optimizer = make_optimizer(model, s, classes=run.task.classes)
        if s.optimized == "second_network":
            # The optimizer has the parameters of the first one.
            self.model = build(run.task, s)
        self.scheduler = self.schedule()
        self.averaged = torch.optim.swa_utils.AveragedModel(self.model) if s.average else None
        run.attach(self.model, self.optimizer)

    def schedule(self) -> Any:
        """What changes the rate from update to update; None without."""
        return make_scheduler(self.optimizer, self.setting)

    def start_epoch(self) -> None:
        """What is done before the batches of an epoch."""
        self.model.train()
        if self.setting.clearing == "epoch":
            self.optimizer.zero_grad()

    def zero_grad(self) -> None:
        """Clears gradients, where the setting does."""
        how = self.setting.clearing
        every = self.setting.accumulate if how == "each" else 0 if how in ("never", "epoch") else int(how)
        if every and self.iteration % every == 0:
            self.optimizer.zero_grad()

    def backward(self, loss: Tensor) -> None:
        """The gradients."""
        s = self.setting
        if s.penalty:
            if s.penalty_kind == "absolute":
                loss = loss + s.penalty * sum(p.abs().sum() for p in self.model.parameters())
            else:
                loss = loss + s.penalty * sum(p.pow(2).sum() for p in self.model.parameters())
        loss = loss * s.loss_scale
        if s.divided:
            loss = loss / s.accumulate
        loss.backward(retain_graph=s.state == "retained")  # type: ignore[no-untyped-call]

    def step(self, loss: Tensor) -> bool:
        """Moves the weights, if it is time to; whether it was."""
        self.iteration += 1
        if self.iteration % self.setting.accumulate:
            return False
        clip_gradients(self.model, self.setting)
        self.optimizer.step()
        self.update += 1
        if isinstance(self.scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
            self.scheduler.step(loss.item())
        elif self.scheduler is not None:
            self.scheduler.step()
        if self.averaged is not None:
            self.averaged.update_parameters(self.model)
        return True

    def validate(self, loss_of: Callable[[nn.Module], Tensor]) -> None:
        """The loss on what is held out, if it is time to; the best weights are kept, where the run may stop early."""
        every = self.setting.validate_every
        if not every or self.update % every:
            return
        self.model.eval()
        with torch.no_grad():
            loss = float(loss_of(self.model))
        self.model.train()
        if self.setting.style == "early_stopping" and loss < self.best:
            self.best, self.kept = loss, copy.deepcopy(self.model.state_dict())

    @property
    def ended(self) -> bool:
        """Whether this update was the last: asked once after each."""
        return self.run.watch(self.update, self.model) or self.update >= self.run.updates
