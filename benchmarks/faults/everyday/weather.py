"""A script that forecasts, as notebooks do: a table of readings, windows that slide over it, and the last output."""

from typing import Any

from torch import Tensor, nn
from torch.utils.data import TensorDataset

from ..parts_common.fitting import Fit
from ..parts_common.layers import Dense, call, passed_on, readings, recurrent_layer
from ..parts_common.losses import activated, last_layer, regression_loss
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .running import Run

UNITS = 24


class LSTMForecaster(nn.Module):
    """Recurrence, a dense layer, one number."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.rnn = recurrent_layer(setting, task.inputs)
        self.norm = nn.LayerNorm(setting.hidden) if setting.layer_norm else None
        self.dropout = nn.Dropout(setting.dropout)
        self.dense = Dense(setting.hidden, UNITS, setting)
        self.fc = last_layer(setting, UNITS, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, 3) -> (B, 1)"""
        s = self.setting
        x = readings(x, self, s)
        if s.length_one == "last_alone":
            x = x[:, -1:]
        out, _ = call(self.rnn, x, None, s)
        out = passed_on(out[:, -1, :], s)
        out = out if self.norm is None else self.norm(out)
        return activated(self.fc(self.dense(self.dropout(out))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = LSTMForecaster(task, setting)
    init_weights(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    s = run.setting
    x_train, y_train, _ = run.load_data()
    x_valid, y_valid, _ = run.load_valid()
    loader = run.loader(TensorDataset(x_train, y_train))
    fit = Fit(run, build(run.task, s))
    model = fit.model
    while True:
        fit.start_epoch()
        for x, y in loader:
            fit.zero_grad()
            y_pred = model(x)
            loss = regression_loss(y_pred, y, s)
            fit.backward(loss)
            if not fit.step(loss):
                continue
            fit.validate(lambda net: regression_loss(net(x_valid), y_valid, s))
            if fit.ended:
                return
