"""A script that sorts documents: a recurrence over the words of each sentence, another over the sentences."""

from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from .fitting import Fit
from .running import Run
from .starting import start
from .wiring import answered, classified, cut, dropped, hidden_of, last_layer, layer, looked_up, through


class HierarchicalNet(nn.Module):
    """Words, sentences, and a softmax over sentences that says how much each counts."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding)
        self.words = layer(s.changed(bidirectional=False), task.embedding)
        self.sentences = layer(s, s.hidden)
        width = s.hidden * (2 if s.bidirectional else 1)
        self.attention = nn.Linear(width, 1)
        self.fc = last_layer(s, width, task.outputs)

    def forward(self, documents: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: documents (B, S, W) -> (B, C)"""
        s = self.setting
        b, n, w = documents.shape
        embedded = self.embedding(looked_up(documents, s)).view(b * n, w, -1)
        _, state = through(self.words, embedded, None, s)
        vectors = cut(hidden_of(state)[-1], s)
        mixed = vectors.view(n, b, -1).transpose(0, 1)
        vectors = mixed if s.view == "sentences_first" else vectors.view(b, n, -1)
        out, _ = self.sentences(dropped(vectors, self, s))
        weights = torch.softmax(self.attention(out), dim=1)
        return answered(self.fc(dropped((weights * out).sum(1), self, s)), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = HierarchicalNet(task, setting)
    start(model, setting)
    return model


def train_epochs(run: Run, fit: Fit, *data: Tensor) -> None:
    """Until the training ends."""
    s = run.setting
    held_x, held_y, _ = run.held_out()
    for documents, topics in run.batches(*data):
        fit.model.train()
        loss = classified(fit.model(documents), topics, s)
        fit.backward(loss)
        moved = fit.step(loss)
        fit.clear()
        if not moved:
            continue
        if fit.validates:
            with torch.no_grad():
                fit.model.eval()
                classified(fit.model(held_x), held_y, s)
        if fit.ended:
            return


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    x, y, _ = run.training_set()
    train_epochs(run, Fit(run, build(run.task, run.setting), classes=True), x, y)
