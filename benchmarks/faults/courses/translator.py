"""The assignment of Pig Latin: an encoder, a decoder of one cell that goes on from its state, and the right letters."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from ..parts_common.fitting import Fit
from ..parts_common.layers import (
    State,
    call,
    hidden,
    looked_up,
    passed_on,
    recurrent_cell,
    recurrent_layer,
    repackage_hidden,
)
from ..parts_common.losses import activated, classification_loss, last_layer
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .running import Run
from .training import train_loop


class Encoder(nn.Module):
    """The last state over what is read."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding)
        self.rnn = recurrent_layer(setting, task.embedding)

    def forward(self, x: Tensor) -> State:
        """Shapes: x (B, T) -> the state (B, H) of the last layer"""
        s = self.setting
        _, state = call(self.rnn, self.embedding(looked_up(x, s)), None, s)
        parts = [passed_on(part[-1], s) for part in (state if isinstance(state, tuple) else [state])]
        return tuple(parts) if isinstance(state, tuple) else parts[0]


class Decoder(nn.Module):
    """A letter after the other."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.outputs + 1, task.embedding)
        self.cell = recurrent_cell(setting, task.embedding)
        self.drop = nn.Dropout(setting.dropout)
        self.fc = last_layer(setting, setting.hidden, task.outputs)

    def forward(self, token: Tensor, state: State) -> tuple[Tensor, State]:
        """Shapes: token (B) -> scores (B, C), the state that follows"""
        state = self.cell(self.drop(self.embedding(token)), state)
        return activated(self.fc(self.drop(hidden(state))), self.setting), state


class PigLatin(nn.Module):
    """Both."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting, self.start = setting, task.outputs
        self.encoder, self.decoder = Encoder(task, setting), Decoder(task, setting)

    def forward(self, x: Tensor, lengths: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Shapes: x (B, T), target (B, T') -> (B, T', C)"""
        s = self.setting
        assert target is not None
        state, token, outputs = self.encoder(x), torch.full((len(x),), self.start), []
        for right in target.unbind(1):
            scores, state = self.decoder(token, state)
            outputs.append(scores)
            given = self.training and (s.forcing == 1.0 or float(torch.rand(())) < s.forcing)
            token = right if given else scores.detach().argmax(1)
            if s.detach_every:
                state = repackage_hidden(state)
        if s.view == "stacked":
            # (T', B, C), taken for (B, T', C).
            return torch.stack(outputs).view(len(x), len(outputs), -1)
        return torch.stack(outputs, dim=1)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = PigLatin(task, setting)
    init_weights(model, setting)
    return model


def main(run: Run) -> None:
    """Trains on what a loader gives."""
    s = run.setting
    x, y, _ = run.load_data()
    loader = run.loader(TensorDataset(x, y))
    train_loop(
        Fit(run, build(run.task, s)),
        lambda: loader,
        lambda net, a, b: classification_loss(net(a, target=b), b, s),
        run.load_valid()[:2],
    )
