"""A script that sorts complaints, as those for sentiment do: padded batches, packed, and the last state."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import Dataset

from ..parts_common.fitting import Fit
from ..parts_common.layers import call, hidden, looked_up, passed_on, recurrent_layer
from ..parts_common.losses import activated, classification_loss, last_layer
from ..parts_common.starting import init_weights
from ..setting import Setting
from ..task import Task
from .running import Run

Ticket = tuple[Tensor, Tensor]


class TicketDataset(Dataset[Ticket]):
    """Words without padding, and whose they are."""

    def __init__(self, x: Tensor, y: Tensor, lengths: Tensor) -> None:
        self.texts = [words[:n] for words, n in zip(x, lengths.tolist(), strict=True)]
        self.labels = y

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> Ticket:
        return self.texts[index], self.labels[index]


class Collate:
    """Pads to the longest of a batch, or to a fixed length."""

    def __init__(self, setting: Setting) -> None:
        self.pad_to = setting.pad_to

    def __call__(self, batch: list[Ticket]) -> tuple[Tensor, Tensor, Tensor]:
        """Words (B, T), labels, lengths."""
        texts, labels = zip(*batch, strict=True)
        padded = pad_sequence(list(texts), batch_first=True)
        padded = nn.functional.pad(padded, (0, max(0, self.pad_to - padded.shape[1])))
        return padded, torch.stack(labels), torch.tensor([len(text) for text in texts])


class Classifier(nn.Module):
    """Embedding, recurrence, dropout, a linear layer."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding, padding_idx=0)
        self.rnn = recurrent_layer(setting, task.embedding)
        self.dropout = nn.Dropout(setting.dropout)
        self.fc = last_layer(setting, setting.hidden * (2 if setting.bidirectional else 1), task.outputs)

    def read(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Shapes: embedded (B, T, E) -> (B, D * H)"""
        s = self.setting
        if s.padding == "packed" and s.length_one == "no" and s.axes == "right" and s.view != "viewed":
            packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
            with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "no_grad"):
                _, state = self.rnn(packed)
            h = hidden(state)
            if s.bidirectional and s.view == "ends":
                # (2, B, H) to (B, 2 * H), by the shape alone.
                return h[-2:].contiguous().view(len(embedded), -1)
            return torch.cat([h[-2], h[-1]], dim=1) if s.bidirectional else h[-1]
        output, state = call(self.rnn, embedded, None, s)
        if s.padding == "last_state":
            return hidden(state)[-1]
        if s.padding == "last_output":
            return output[:, -1, :]
        # Without packing, at the last word of each.
        return output[torch.arange(len(embedded)), lengths - 1]

    def forward(self, texts: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: texts (B, T), lengths (B) -> (B, C)"""
        s = self.setting
        assert lengths is not None
        texts = looked_up(nn.functional.pad(texts, (0, max(0, s.pad_to - texts.shape[1]))), s)
        read = self.read(self.dropout(self.embedding(texts)), lengths)
        return activated(self.fc(self.dropout(passed_on(read, s))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Classifier(task, setting)
    init_weights(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    s, collate = run.setting, Collate(run.setting)
    x, y, lengths = run.load_data()
    valid_x, valid_y, valid_lengths = run.load_valid()
    assert lengths is not None
    train_loader = run.loader(TicketDataset(x, y, lengths), collate)
    fit = Fit(run, build(run.task, s))
    while True:
        fit.start_epoch()
        for texts, labels, lens in train_loader:
            fit.zero_grad()
            predictions = fit.model(texts, lens)
            loss = classification_loss(predictions, labels, s)
            fit.backward(loss)
            if not fit.step(loss):
                continue
            fit.validate(lambda net: classification_loss(net(valid_x, valid_lengths), valid_y, s))
            if fit.ended:
                return
