"""Scripts that read a recurrence at its last step: a linear layer over it, a number or a class."""

from typing import Any

from torch import Tensor, nn
from torch.utils.data import TensorDataset

from ..parts_common.fitting import Fit
from ..parts_common.layers import Dense, call, passed_on, readings, recurrent_layer
from ..parts_common.losses import activated, classification_loss, last_layer, regression_loss
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .running import Run
from .training import train_loop

UNITS = 20


class Net(nn.Module):
    """Recurrence, a dense layer, an answer."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.rnn = recurrent_layer(setting, task.inputs)
        self.norm = nn.LayerNorm(setting.hidden) if setting.layer_norm else None
        self.drop = nn.Dropout(setting.dropout)
        self.fc1 = Dense(setting.hidden, UNITS, setting)
        self.fc = last_layer(setting, UNITS, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, I) -> (B, C)"""
        s = self.setting
        x = readings(x, self, s)
        if s.length_one == "last_alone":
            x = x[:, -1:]
        out, _ = call(self.rnn, x, None, s)
        h = passed_on(out.mean(dim=1) if s.pooling == "mean" else out[:, -1], s)
        h = h if self.norm is None else self.norm(h)
        return activated(self.fc(self.drop(self.fc1(h))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Net(task, setting)
    init_weights(model, setting)
    return model


def main(run: Run) -> None:
    """Trains on what a loader gives."""
    s = run.setting
    loss_fn = classification_loss if run.task.classes else regression_loss
    x, y, _ = run.load_data()
    loader = run.loader(TensorDataset(x, y))
    train_loop(
        Fit(run, build(run.task, s)),
        lambda: loader,
        lambda net, a, b: loss_fn(net(a), b, s),
        run.load_valid()[:2],
    )
