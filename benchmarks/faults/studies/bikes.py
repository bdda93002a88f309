"""A script that foretells how many bikes are rented, as course projects do: a data set, a configuration, epochs."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ..parts_common.layers import Dense
from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .criteria import activated, broken_batch, broken_loss, regressed, shaped
from .pieces import measured, recur, rnn, severed
from .running import Run
from .stepping import Stepper
from .weights import init_weights


@dataclass
class Config:
    """What is not in the setting."""

    units: int = 20
    held_out_batch: int = 32


class Demand(Dataset[tuple[Tensor, Tensor]]):
    """Ten hours each, and the one that follows."""

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.x[i], self.y[i]


class Forecaster(nn.Module):
    """The last output of a recurrence, a dense layer, one number."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s, config = setting, Config()
        self.setting = s
        self.rnn = rnn(s, task.inputs)
        self.dropout = nn.Dropout(s.dropout)
        self.dense = Dense(s.hidden, config.units, s)
        self.head = last_layer(s, config.units, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, 10, 5) -> (B, 1)"""
        s = self.setting
        x = measured(x, self, s)
        rows, hours, features = x.shape
        if s.length_one == "last_alone":
            x = x[:, -1:]
        elif s.view == "viewed":
            # Time first was meant, and the numbers stay where they were.
            x = x.reshape(hours, rows, features).transpose(0, 1)
        elif s.axes == "permuted":
            x = x.permute(1, 0, 2)
        out, _ = recur(self.rnn, x, None, s)
        last = out[-1] if s.axes == "permuted" else out[:, -1]
        return activated(self.head(self.dense(self.dropout(severed(last, s)))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Forecaster(task, setting)
    init_weights(model, setting)
    return model


def train_one_epoch(loader: "DataLoader[Any]", held_out: "DataLoader[Any]", stepper: Stepper) -> bool:
    """Whether another one follows."""
    s = stepper.setting
    stepper.model.train()
    for batch in loader:
        x, y = broken_batch(batch[0], batch[1], s, stepper.update + 1)

        def closure(x: Tensor = x, y: Tensor = y) -> Any:
            stepper.optimizer.zero_grad()
            loss = regressed(*shaped(stepper.model(x), y, s), s)
            stepper.backward(loss)
            return loss

        if s.style == "closure":
            stepper.ask(closure)
        else:
            out = stepper.model(x)
            loss = regressed(*shaped(out, y, s), s)
            if not stepper(broken_loss(loss, out, s, stepper.update + 1)):
                continue
        if stepper.validates:
            evaluate(held_out, stepper)
        if stepper.ended:
            return False
    return True


@torch.no_grad()
def evaluate(loader: "DataLoader[Any]", stepper: Stepper) -> float:
    """The mean loss on what is held out."""
    stepper.model.eval()
    losses = [regressed(stepper.model(x), y, stepper.setting).item() for x, y in loader]
    stepper.model.train()
    return sum(losses) / len(losses)


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    x, y, _ = run.training_set()
    held_x, held_y, _ = run.held_out()
    held_out = DataLoader(Demand(held_x, held_y), Config().held_out_batch)
    loader = run.loader(Demand(x, y))
    stepper = Stepper(run, build(run.task, run.setting))
    while train_one_epoch(loader, held_out, stepper):
        pass
