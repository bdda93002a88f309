"""Scripts that answer at every step of a row of symbols, which a recurrence reads in one direction or in both."""

from typing import Any

from torch import Tensor, nn
from torch.utils.data import TensorDataset

from ..parts_common.fitting import Fit
from ..parts_common.layers import call, looked_up, passed_on, recurrent_layer
from ..parts_common.losses import activated, classification_loss, last_layer
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .planting import BOTH_WAYS
from .running import Run
from .training import train_loop


class StepNet(nn.Module):
    """Embedding, recurrence, a score for each class at each step."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting, both = setting, task.name in BOTH_WAYS
        self.embedding = nn.Embedding(task.inputs, task.embedding)
        self.rnn = recurrent_layer(setting, task.embedding, both=both)
        self.norm = nn.LayerNorm(setting.hidden * (1 + both)) if setting.layer_norm else None
        self.drop = nn.Dropout(setting.dropout)
        self.fc = last_layer(setting, setting.hidden * (1 + both), task.outputs)

    def forward(self, symbols: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: symbols (B, T) -> (B, T, C)"""
        s = self.setting
        out, _ = call(self.rnn, self.drop(self.embedding(looked_up(symbols, s))), None, s)
        out = passed_on(out, s)
        out = out if self.norm is None else self.norm(out)
        return activated(self.fc(self.drop(out)), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = StepNet(task, setting)
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
        lambda net, a, b: classification_loss(net(a), b, s),
        run.load_valid()[:2],
    )
