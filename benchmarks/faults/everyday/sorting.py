"""A script that sorts digits: an encoder whose last state a decoder goes on from, step by step."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from ..parts_common.fitting import Fit
from ..parts_common.layers import State, call, looked_up, passed_on, recurrent_layer, repackage_hidden
from ..parts_common.losses import activated, classification_loss, last_layer
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .running import Run


class Encoder(nn.Module):
    """The last state of a recurrence over what is read."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding)
        self.rnn = recurrent_layer(setting, task.embedding)
        self.dropout = nn.Dropout(setting.dropout)

    def forward(self, src: Tensor) -> State:
        """Shapes: src (B, T) -> the state of each layer"""
        s = self.setting
        _, state = call(self.rnn, self.dropout(self.embedding(looked_up(src, s))), None, s)
        if isinstance(state, tuple):
            return tuple(passed_on(part, s) for part in state)
        return passed_on(state, s)


class Decoder(nn.Module):
    """One step of what is written."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.outputs + 1, task.embedding)
        self.rnn = recurrent_layer(
            setting.changed(axes="right", length_one="no", view="none"), task.embedding
        )
        self.dropout = nn.Dropout(setting.dropout)
        self.fc = last_layer(setting, setting.hidden, task.outputs)

    def forward(self, token: Tensor, state: State) -> tuple[Tensor, State]:
        """Shapes: token (B) -> scores (B, C), the state that follows"""
        out, state = self.rnn(self.dropout(self.embedding(token[:, None])), state)
        return activated(self.fc(self.dropout(out[:, 0])), self.setting), state


class Seq2Seq(nn.Module):
    """Both; the right tokens are given to the decoder now and then, and in training alone."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting, self.steps, self.sos = setting, 0, task.outputs
        self.encoder, self.decoder = Encoder(task, setting), Decoder(task, setting)

    def forward(self, src: Tensor, lengths: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Shapes: src (B, T), target (B, T) -> (B, T, C)"""
        s = self.setting
        assert target is not None
        state = self.encoder(src)
        token = torch.full((len(src),), self.sos)
        outputs = []
        for t in range(target.shape[1]):
            out, state = self.decoder(token, state)
            outputs.append(out)
            teacher = self.training and (s.forcing == 1.0 or float(torch.rand(())) < s.forcing)
            token = target[:, t] if teacher else out.argmax(1)
            if s.detach_every:
                state = repackage_hidden(state)
        if s.view == "stacked":
            # (T, B, C), taken for (B, T, C).
            return torch.stack(outputs).view(len(src), len(outputs), -1)
        return torch.stack(outputs, dim=1)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Seq2Seq(task, setting)
    init_weights(model, setting)
    return model


def train(fit: Fit, iterator: Any, valid: tuple[Tensor, Tensor]) -> bool:
    """One epoch; whether another one follows."""
    s = fit.setting
    fit.start_epoch()
    for src, trg in iterator:
        fit.zero_grad()
        output = fit.model(src, target=trg)
        loss = classification_loss(output.reshape(-1, output.shape[-1]), trg.reshape(-1), s)
        fit.backward(loss)
        if not fit.step(loss):
            continue
        fit.validate(lambda net: classification_loss(net(valid[0], target=valid[1]), valid[1], s))
        if fit.ended:
            return False
    return True


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    x, y, _ = run.load_data()
    valid_x, valid_y, _ = run.load_valid()
    iterator = run.loader(TensorDataset(x, y))
    fit = Fit(run, build(run.task, run.setting))
    while train(fit, iterator, (valid_x, valid_y)):
        pass
