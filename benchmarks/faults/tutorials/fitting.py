"""What stands around the loss in a script of the tutorials' part: clearing, backward, clipping, the step."""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .optimizing import HEADS, clip, optimizer_for, scheduler_for
from .running import Run


class Fit:
    """The optimizer of a network, and how far it is."""

    def __init__(self, run: Run, model: Any, *, classes: bool) -> None:
        self.run, self.model = run, model
        ema: Any = get_ema_multi_avg_fn  # has no annotations
        s = self.setting = run.setting
        self.batch = self.update = 0
        self.optimizer = optimizer_for(model, s, classes=classes)
        self.scheduler = scheduler_for(self.optimizer, s)
        if s.optimized == "copied":
            self.model = copy.deepcopy(model)
        elif s.optimized == "new_head":
            _replace_the_head(model)
        elif s.optimized == "new_weights":
            _set_recurrent_weights(model)
        self.average = AveragedModel(model, multi_avg_fn=ema(s.average)) if s.average else None
        run.attach(self.model, self.optimizer)

    def clear(self) -> None:
        """Clears gradients before a batch, where it is time to."""
        how, batch = self.setting.clearing, self.batch
        if how == "head":
            for name in HEADS:
                if hasattr(self.model, name):
                    getattr(self.model, name).zero_grad()
        elif how == "once":
            if batch == 0:
                self.optimizer.zero_grad()
        elif batch % (self.setting.accumulate if how == "each" else int(how)) == 0:
            self.optimizer.zero_grad()

    def loss(self, loss: Tensor) -> Tensor:
        """The loss as it is differentiated."""
        s = self.setting
        if s.penalty:
            loss = loss + s.penalty * sum(p.pow(2).sum() for p in self.model.parameters())
        return loss * s.loss_scale / (s.accumulate if s.divided else 1)

    def backward(self, loss: Tensor) -> None:
        """The gradients."""
        whole: Any = self.loss(loss)
        whole.backward(retain_graph=self.setting.state == "retained")

    def step(self, loss: Tensor) -> bool:
        """Moves the weights, if the batch ends an update; whether it did."""
        self.batch += 1
        if self.batch % self.setting.accumulate:
            return False
        clip(self.model, self.setting)
        self.optimizer.step()
        self.stepped(loss)
        return True

    def stepped(self, loss: Tensor) -> None:
        """What follows the optimizer's step."""
        s = self.setting
        self.update += 1
        if isinstance(self.scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
            self.scheduler.step(loss.item())
        elif self.scheduler is not None:
            self.scheduler.step()
        if s.schedule == "divided":
            for group in self.optimizer.param_groups:
                group["lr"] *= s.gamma
        if self.average is not None:
            self.average.update_parameters(self.model)

    @property
    def validates(self) -> bool:
        """Whether it is time to."""
        return self.run.validates(self.update)

    @property
    def ended(self) -> bool:
        """Whether this update was the last."""
        return self.run.ends(self.update, self.model)


def _replace_the_head(model: Any) -> None:
    """As a script does that sets the number of classes after it has built the optimizer."""
    name = next(name for name in HEADS if isinstance(getattr(model, name, None), nn.Linear))
    old = getattr(model, name)
    setattr(model, name, nn.Linear(old.in_features, old.out_features))


def _set_recurrent_weights(model: nn.Module) -> None:
    """As a script does that initializes them after it has built the optimizer, as parameters that it does not know."""
    for module in model.modules():
        if isinstance(module, (nn.RNNBase, nn.RNNCellBase)):
            for name, value in list(module.named_parameters()):
                bound = module.hidden_size**-0.5
                setattr(module, name, nn.Parameter(torch.empty_like(value).uniform_(-bound, bound)))
