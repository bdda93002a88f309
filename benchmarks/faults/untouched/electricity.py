"""A script that forecasts a load from windows of a series, after the tutorials for time series: epochs, a loader."""

from itertools import count
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from ..setting import Setting
from ..task import Task
from .optimizing import bound, clear, optimizer_for, scheduler_for
from .running import Run
from .starting import DENSE, start
from .wiring import answered, broken, cut, layer, measured, read

STEPS = 16


class LSTMModel(nn.Module):
    """Layers whose first state is made by hand, a dense layer on their last output, and the load."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.hidden_dim, self.layer_dim = setting.hidden, setting.layers
        flat = setting.length_one == "features"
        self.lstm = layer(setting, task.inputs * (STEPS if flat else 1))
        self.dropout = nn.Dropout(setting.dropout)
        self.dense = nn.Linear(setting.hidden, DENSE)
        self.fc = nn.Linear(DENSE, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T, 3) -> (B, 1)"""
        s = self.setting
        x = measured(x, s)
        if s.length_one == "features":
            x = x.reshape(len(x), 1, -1)
        elif s.length_one == "window":
            x = x[:, -1:]
        h0 = torch.zeros(self.layer_dim, x.size(0 if self.lstm.batch_first else 1), self.hidden_dim)
        state: Any = (h0.detach(), h0.clone().detach()) if s.cell == "LSTM" else h0.detach()
        out, _ = read(self.lstm, x, state, s)
        last = torch.relu(self.dense(self.dropout(cut(out[:, -1, :], s))))
        return answered(self.fc(last), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = LSTMModel(task, setting)
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    features, targets, _ = run.training_set()
    val_features, val_targets, _ = run.held_out()
    train_loader: DataLoader[tuple[Tensor, ...]] = DataLoader(
        TensorDataset(features, targets),
        batch_size=s.batch,
        shuffle=s.order == "shuffled",
        generator=run.generator(1),
    )
    model = build(task, s)
    loss_fn = nn.SmoothL1Loss() if s.regression == "huber" else nn.MSELoss()
    optimizer = optimizer_for(model.parameters(), s, classes=False)
    if s.optimized == "made_anew":
        model = build(task, s)
    scheduler = scheduler_for(optimizer, s)
    run.attach(model, optimizer)
    iteration, train_losses = 0, []
    for _epoch in count(1):
        batch_losses = []
        for number, (x_batch, y_batch) in enumerate(train_loader):
            if s.order == "next_iter":
                x_batch, y_batch = next(iter(train_loader))  # noqa: PLW2901 - what is to be shown
            iteration += 1
            model.train()
            yhat = model(broken(x_batch, s, iteration))
            loss = loss_fn(*_shaped(yhat, y_batch, s))
            clear(optimizer, model, s, first=number == 0)
            loss.backward()
            bound(model, s)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            batch_losses.append(loss.item())
            if run.validates(iteration):
                with torch.no_grad():
                    model.eval()
                    loss_fn(model(val_features), val_targets).item()
            if run.ends(iteration, model):
                return
        train_losses.append(sum(batch_losses) / len(batch_losses))


def _shaped(yhat: Tensor, y: Tensor, setting: Setting) -> tuple[Tensor, Tensor]:
    if setting.shapes == "unsqueezed":
        return yhat, y.unsqueeze(1)
    return (yhat, y.squeeze()) if setting.shapes == "target_flat" else (yhat, y)
