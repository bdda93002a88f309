"""A script that tells manoeuvres apart by what a sensor said: a data set, a loader, many to one."""

from typing import Any

from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ..parts_common.fitting import Fit
from ..parts_common.layers import Dense, call, passed_on, readings, recurrent_layer
from ..parts_common.losses import activated, classification_loss, last_layer
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .running import Run

UNITS = 28


class SensorDataset(Dataset[tuple[Tensor, Tensor]]):
    """Readings of a manoeuvre, and its kind."""

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.x[i], self.y[i]


class ManeuverNet(nn.Module):
    """Recurrence, a dense layer with ReLU, a score for each kind."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        if setting.optimized == "list":
            # What is in a plain list is no part of the network.
            self.rnns = [recurrent_layer(setting, task.inputs)]
        else:
            self.rnn = recurrent_layer(setting, task.inputs)
        self.norm = nn.LayerNorm(setting.hidden) if setting.layer_norm else None
        self.dense = Dense(setting.hidden, UNITS, setting)
        self.drop = nn.Dropout(setting.dropout)
        self.fc = last_layer(setting, UNITS, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, 3) -> (B, C)"""
        s = self.setting
        x = readings(x, self, s)
        if s.length_one == "last_alone":
            x = x[:, -1:]
        out, _ = call(self.rnns[0] if s.optimized == "list" else self.rnn, x, None, s)
        pooled = out.mean(dim=1) if s.pooling == "mean" else out[:, -1]
        pooled = passed_on(pooled, s)
        pooled = pooled if self.norm is None else self.norm(pooled)
        return activated(self.fc(self.drop(self.dense(pooled))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = ManeuverNet(task, setting)
    init_weights(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    s = run.setting
    x, y, _ = run.load_data()
    valid_x, valid_y, _ = run.load_valid()
    train_loader = run.loader(SensorDataset(x, y))
    valid_loader = DataLoader(SensorDataset(valid_x, valid_y), batch_size=64)
    fit = Fit(run, build(run.task, s))

    def valid_loss(net: nn.Module) -> Tensor:
        losses = [classification_loss(net(a), b, s) for a, b in valid_loader]
        return sum(losses, start=losses[0] * 0) / len(losses)

    while True:
        fit.start_epoch()
        for data, labels in train_loader:
            fit.zero_grad()
            loss = classification_loss(fit.model(data), labels, s)
            fit.backward(loss)
            if not fit.step(loss):
                continue
            fit.validate(valid_loss)
            if fit.ended:
                return
