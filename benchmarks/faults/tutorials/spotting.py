"""A script that spots words in frames of sound: a convolution, a recurrence over what it found, a mean over time."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..setting import Setting
from ..task import Task
from .fitting import Fit
from .running import Run
from .starting import start
from .wiring import answered, classified, cut, given, last_layer, layer, through

_CHANNELS = 16


class KeywordNet(nn.Module):
    """Frames (B, T, bands) in, a score for each word out."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        self.conv = nn.Conv1d(task.inputs, _CHANNELS, kernel_size=3, padding=1)
        self.gru = layer(s, _CHANNELS)
        width = s.hidden * (2 if s.bidirectional else 1)
        self.norm = nn.LayerNorm(width) if s.layer_norm else nn.Identity()
        self.dropout = nn.Dropout(s.dropout)
        self.fc = last_layer(s, width, task.outputs)

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: frames (B, T, 10), lengths (B) -> (B, C)"""
        s = self.setting
        assert lengths is not None
        frames = given(frames, s)
        features = F.relu(self.conv(frames.transpose(1, 2)))
        # (B, C, T) to (B, T, C); by the shape alone, if it is viewed.
        viewed = features.view(len(frames), -1, _CHANNELS)
        features = viewed if s.view == "channels" else features.transpose(1, 2)
        out, _ = through(self.gru, features, None, s)
        out = self.norm(cut(out, s))
        if s.padding == "averaged":
            pooled = out.mean(1)
        else:
            mask = (torch.arange(out.shape[1]) < lengths[:, None]).unsqueeze(-1)
            pooled = (out * mask).sum(1) / lengths[:, None]
        return answered(self.fc(self.dropout(pooled)), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = KeywordNet(task, setting)
    start(model, setting)
    return model


def padded(frames: Tensor, setting: Setting) -> Tensor:
    """With silence behind, up to the length that all files get."""
    return F.pad(frames, (0, 0, 0, max(0, setting.pad_to - frames.shape[1])))


def evaluate(model: nn.Module, held_out: tuple[Tensor, ...], setting: Setting) -> float:
    """The loss on what is held out."""
    model.eval()
    with torch.inference_mode():
        x, y, lengths = held_out
        loss = classified(model(x, lengths), y, setting).item()
    model.train()
    return loss


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    x, y, lengths = run.training_set()
    held_out = run.held_out()
    assert lengths is not None
    fit = Fit(run, build(task, s), classes=True)
    for frames, words, n in run.batches(padded(x, s), y, lengths):
        fit.clear()
        scores = fit.model(frames, n)
        loss = classified(scores, words, s)
        fit.backward(loss)
        if fit.step(loss):
            if fit.validates:
                evaluate(fit.model, held_out, s)  # type: ignore[arg-type]
            if fit.ended:
                return
