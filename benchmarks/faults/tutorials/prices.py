"""A script that foretells a price from the days before, as notebooks on shares do: a data set of windows, a trainer."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ..setting import Setting
from ..task import Task
from .fitting import Fit
from .running import Run
from .starting import DENSE, start
from .wiring import answered, cut, given, hidden_of, layer, regressed, shaped, spoiled, through


class Windows(Dataset[tuple[Tensor, Tensor]]):
    """Ten days each."""

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.x[i], self.y[i]


class Predictor(nn.Module):
    """A recurrence, a dense layer of ReLU units, one number."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        self.rnn = layer(s, task.inputs)
        self.dropout = nn.Dropout(s.dropout)
        self.dense = nn.Sequential(nn.Linear(s.hidden, DENSE), nn.ReLU())
        self.out = nn.Linear(DENSE, task.outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: x (B, 10, 2) -> (B, 1)"""
        s = self.setting
        x = given(x, s)
        if s.length_one == "last_day":
            x = x[:, -1:]
        elif s.axes == "permuted":
            x = x.permute(1, 0, 2)
        output, state = through(self.rnn, x, None, s)
        last = hidden_of(state)[-1]
        if s.axes == "permuted":
            last = output[-1]
        elif s.axes == "forgotten":
            last = output[:, -1]
        return answered(self.out(self.dense(self.dropout(cut(last, s)))), s)


class Trainer:
    """Epochs of steps, with an optimizer that may ask for the loss itself."""

    def __init__(self, run: Run, model: Predictor) -> None:
        self.run, self.setting = run, run.setting
        self.fit = Fit(run, model, classes=False)

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Of one batch."""
        s = self.setting
        out = self.fit.model(x)
        if s.shapes == "by_hand":
            return torch.mean((out - y.flatten()) ** 2)
        return regressed(*shaped(out, y, s), s)

    def step(self, x: Tensor, y: Tensor) -> bool:
        """Whether the training goes on after it."""
        fit = self.fit
        if self.setting.style == "closure":

            def closure() -> Tensor:
                fit.optimizer.zero_grad()
                loss: Any = self.loss(x, y)
                loss.backward()
                return loss  # type: ignore[no-any-return]

            fit.stepped(fit.optimizer.step(closure))  # type: ignore[arg-type]
            return not fit.ended
        loss = self.loss(x, y)
        fit.backward(loss)
        moved = fit.step(loss)
        fit.clear()
        return not (moved and fit.ended)

    @torch.no_grad()
    def validate(self, loader: "DataLoader[tuple[Tensor, Tensor]]") -> float:
        """The mean loss on what is held out."""
        self.fit.model.eval()
        losses = [regressed(self.fit.model(x), y, self.setting).item() for x, y in loader]
        self.fit.model.train()
        return sum(losses) / len(losses)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Predictor(task, setting)
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    s = run.setting
    x, y, _ = run.training_set()
    held_x, held_y, _ = run.held_out()
    loader = DataLoader(
        Windows(x, y), s.batch, shuffle=s.order == "shuffled", generator=run.generator(1),
        drop_last=len(x) > s.batch,
    )  # fmt: skip
    held_out = DataLoader(Windows(held_x, held_y), 32)
    trainer = Trainer(run, build(run.task, s))
    first = next(iter(loader))
    while True:
        for batch in loader:
            xs, ys = first if s.order == "one_batch" else batch
            xs, ys = spoiled(xs, ys, s, trainer.fit.update + 1)
            if not trainer.step(xs, ys):
                return
            if trainer.fit.validates:
                trainer.validate(held_out)
