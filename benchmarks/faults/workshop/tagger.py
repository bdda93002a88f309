"""An extractor of fields: a tagger in both directions, a loader of pairs, epochs that are counted."""

from itertools import count
from typing import Any

from torch import Tensor, nn
from torch.utils.data import Dataset

from ..parts_common.layers import call, looked_up, recurrent_layer
from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .desk import Desk
from .objectives import handed_on, loss_of, said
from .running import Run
from .starting import start


class Documents(Dataset[tuple[Tensor, Tensor]]):
    """Pieces of text and their fields."""

    def __init__(self, run: Run) -> None:
        self.words, self.fields, _ = run.load_data()

    def __len__(self) -> int:
        """How many there are."""
        return len(self.words)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """One of them."""
        return self.words[index], self.fields[index]


class FieldTagger(nn.Module):
    """What stands before a word and behind it says which field it is."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding)
        self.rnn = recurrent_layer(setting, task.embedding, both=True)
        self.dropout = nn.Dropout(setting.dropout)
        self.fc = last_layer(setting, 2 * setting.hidden, task.outputs)

    def forward(self, words: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: words (B, T) -> (B, T, C)"""
        s = self.setting
        out, _ = call(self.rnn, self.embedding(looked_up(words, s)), None, s)
        return said(self.fc(self.dropout(handed_on(out, s))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = FieldTagger(task, setting)
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Trains until it has had enough."""
    s, task = run.setting, run.task
    loader = run.loader(Documents(run))
    desk = Desk(run, build(task, s))
    dev_words, dev_fields, _ = run.load_valid()
    for _epoch in count():
        desk.start_epoch()
        for words, fields in loader:
            desk.zero_grad()
            loss = loss_of(task, desk.model(words), fields, s)
            desk.backward(loss)
            if desk.step(loss):
                desk.validate(lambda model: loss_of(task, model(dev_words), dev_fields, s))
                if desk.ended:
                    return
