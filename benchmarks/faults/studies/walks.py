"""A script that foretells where people walk, as repositories on trajectories do: an encoder of what was seen, a decoder
that goes on from its own steps."""

from typing import Any

import torch
from torch import Tensor, nn

from ..parts_common.layers import Dense
from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .corpora import FORESEEN
from .criteria import activated, broken_batch, broken_loss, regressed, shaped
from .pieces import State, cell, detach, measured, recur, rnn, severed
from .pieces import hidden as shown
from .running import Run
from .stepping import Stepper
from .weights import init_weights

_DENSE = 18


class Encoder(nn.Module):
    """Reads the steps that were observed."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.rnn = rnn(setting, task.inputs, batch_first=setting.view != "viewed")

    def forward(self, observed: Tensor) -> Tensor:
        """Shapes: observed (B, T, 2) -> what was read last (B, H)"""
        s = self.setting
        if s.length_one == "last_alone":
            observed = observed[:, -1:]
        if s.view == "viewed":
            # (B, T, 2) read as (T, B, 2).
            return recur(self.rnn, observed.reshape(-1, len(observed), 2), None, s)[0][-1]  # type: ignore[no-any-return]
        return recur(self.rnn, observed, None, s)[0][:, -1]  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """Goes on, one step after the other: each is the input of the next."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.cell = cell(setting, task.inputs)
        self.dense = Dense(setting.hidden, _DENSE, setting)
        self.out = last_layer(setting, _DENSE, task.outputs)

    def begin(self, context: Tensor) -> State:
        """The state that the encoder hands over."""
        return (context, torch.zeros_like(context)) if self.setting.cell == "LSTM" else context

    def forward(self, step: Tensor, context: Tensor, right: Tensor | None = None) -> Tensor:
        """Shapes: step (B, 2), context (B, H), right (B, F, 2) -> (F, B, 2)"""
        s, state, steps = self.setting, self.begin(context), []
        for t in range(FORESEEN):
            state = self.cell(step, state)
            made = activated(self.out(self.dense(severed(shown(state), s))), s)
            steps.append(made)
            # Of its own steps alone, unless a share of right ones is asked for.
            told = s.forcing < 1 and float(torch.rand(())) < s.forcing
            step = right[:, t] if told and right is not None else made
            if s.detach_every and (t + 1) % s.detach_every == 0:
                state, step = detach(state), step.detach()
        return torch.stack(steps)


class Seq2Seq(nn.Module):
    """Encoder and decoder."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.encoder, self.decoder = Encoder(task, setting), Decoder(task, setting)
        self.dropout = nn.Dropout(setting.dropout)

    def forward(self, observed: Tensor, lengths: Tensor | None = None, right: Tensor | None = None) -> Tensor:
        """Shapes: observed (B, T, 2) -> (B, F, 2)"""
        s = self.setting
        observed = measured(observed, self, s)
        context = self.dropout(self.encoder(observed))
        steps = self.decoder(observed[:, -1], context, right)
        # (F, B, 2) to (B, F, 2); by the shape alone, if it is viewed.
        future: Tensor = steps.reshape(len(observed), -1, 2) if s.view == "stacked" else steps.transpose(0, 1)
        return future


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Seq2Seq(task, setting)
    init_weights(model, setting)
    return model


class Solver:
    """What knows the data and the network, and trains."""

    def __init__(self, run: Run) -> None:
        self.run, self.setting = run, run.setting
        self.stepper = Stepper(run, build(run.task, run.setting))
        self.model = self.stepper.model

    def loss(self, observed: Tensor, future: Tensor, *, training: bool) -> Tensor:
        """Of the steps foretold."""
        s, update = self.setting, self.stepper.update + 1
        if not training:
            return regressed(self.model(observed), future, s)
        observed, future = broken_batch(observed, future, s, update)
        made = self.model(observed, right=future)
        return broken_loss(regressed(*shaped(made, future, s), s), made, s, update)

    def fit(self) -> None:
        """Trains epoch after epoch."""
        observed, future, _ = self.run.training_set()
        val_observed, val_future, _ = self.run.held_out()
        for rows in self.run.indices(len(observed)):
            if not self.stepper(self.loss(observed[rows], future[rows], training=True)):
                continue
            if self.stepper.validates:
                self.model.eval()
                with torch.no_grad():
                    self.loss(val_observed, val_future, training=False)
                self.model.train()
            if self.stepper.ended:
                return


def main(run: Run) -> None:
    """Trains it."""
    Solver(run).fit()
