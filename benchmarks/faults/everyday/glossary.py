"""A script that foretells words: tensors, a loader, an embedding, a recurrence, a linear layer."""

from typing import Any

from torch import Tensor, nn
from torch.utils.data import TensorDataset

from ..parts_common.fitting import Fit
from ..parts_common.layers import call, looked_up, passed_on, recurrent_layer
from ..parts_common.losses import activated, classification_loss, last_layer
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .running import Run


class WordModel(nn.Module):
    """A score for each word that may follow."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        size = setting.hidden if setting.tied else task.embedding
        self.drop = nn.Dropout(setting.dropout)
        self.embedding = nn.Embedding(task.inputs, size)
        self.rnn = recurrent_layer(setting, size)
        self.fc: Any = last_layer(setting, setting.hidden, task.outputs)
        if setting.tied:
            self.fc.weight = self.embedding.weight

    def forward(self, words: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: words (B, T) -> (B, T, C)"""
        s = self.setting
        emb = self.drop(self.embedding(looked_up(words, s)))
        output, _ = call(self.rnn, emb, None, s)
        return activated(self.fc(self.drop(passed_on(output, s))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = WordModel(task, setting)
    init_weights(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    s = run.setting
    x, y, _ = run.load_data()
    valid_x, valid_y, _ = run.load_valid()
    loader = run.loader(TensorDataset(x, y))
    fit = Fit(run, build(run.task, s))
    model = fit.model
    while True:
        fit.start_epoch()
        for words, following in loader:
            fit.zero_grad()
            loss = classification_loss(model(words), following, s)
            fit.backward(loss)
            if not fit.step(loss):
                continue
            fit.validate(lambda net: classification_loss(net(valid_x), valid_y, s))
            if fit.ended:
                return
