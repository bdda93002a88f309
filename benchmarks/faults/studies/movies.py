"""A script that tells good reviews from bad ones, as repositories on sentiment do: a data set, a collate function, a
classifier, train and evaluate."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .criteria import activated, broken_loss, classified
from .pieces import filled_up, looked_up, recur, rnn, severed, viewed
from .pieces import hidden as shown
from .running import Run
from .stepping import Stepper
from .weights import init_weights

Review = tuple[Tensor, int]


class ReviewDataset(Dataset[Review]):
    """Words, and whether they are good."""

    def __init__(self, x: Tensor, y: Tensor, lengths: Tensor) -> None:
        self.texts = [words[:n] for words, n in zip(x, lengths.tolist(), strict=True)]
        self.labels = y.tolist()

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> Review:
        return self.texts[index], self.labels[index]


class SentimentClassifier(nn.Module):
    """The state after the last word, or after the last and before the first, tells it."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        directions = 2 if setting.bidirectional else 1
        self.embedding = nn.Embedding(task.inputs, task.embedding, padding_idx=0)
        self.rnn = rnn(setting, task.embedding, batch_first=setting.view != "viewed")
        self.dropout = nn.Dropout(setting.dropout)
        self.head = last_layer(setting, directions * setting.hidden, task.outputs)

    def read(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Shapes: embedded (B, T, E) -> what was read of each review (B, D * H)"""
        s, rows = self.setting, torch.arange(len(embedded))
        if s.bidirectional:
            return self.both_ends(embedded, lengths)
        if s.view == "viewed":
            # (B, T, E) read as (T, B, E), and back.
            output, state = recur(self.rnn, viewed(embedded), None, s)
            output = output.transpose(0, 1)
        elif s.length_one == "one_by_one":
            output, state = recur(self.rnn, embedded.reshape(-1, 1, embedded.shape[-1]), None, s)
            output = output.reshape(*embedded.shape[:2], -1)
        else:
            output, state = recur(self.rnn, embedded, None, s)
        if s.padding == "unpacked":
            return shown(state)[-1]
        if s.padding == "averaged":
            return output.mean(dim=1)  # type: ignore[no-any-return]
        if s.padding == "same_length":
            # That of the padded ones, for all.
            lengths = torch.full_like(lengths, embedded.shape[1])
        return output[rows, lengths - 1]  # type: ignore[no-any-return]

    def both_ends(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Shapes: embedded (B, T, E) -> (B, 2 * H)"""
        s, rows = self.setting, torch.arange(len(embedded))
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        output, state = recur(self.rnn, packed, None, s)
        if s.view == "ends":
            # (2, B, H) to (B, 2 * H), by the shape alone.
            return shown(state)[-2:].reshape(len(embedded), -1)
        output, _ = pad_packed_sequence(output, batch_first=True)
        forward, backward = output.chunk(2, dim=-1)
        return torch.cat([forward[rows, lengths - 1], backward[:, 0]], dim=1)

    def forward(self, texts: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: texts (B, T), lengths (B) -> (B, 2)"""
        s = self.setting
        assert lengths is not None
        embedded = self.dropout(self.embedding(looked_up(filled_up(texts, s), self, s)))
        return activated(self.head(self.dropout(severed(self.read(embedded, lengths), s))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = SentimentClassifier(task, setting)
    init_weights(model, setting)
    return model


class PadCollate:
    """Reviews of a batch side by side, in the order of their lengths, as packing wanted it once."""

    def __init__(self, setting: Setting) -> None:
        self.pad_to = setting.pad_to

    def __call__(self, batch: list[Review]) -> tuple[Tensor, Tensor, Tensor]:
        """Words (B, T), labels (B), lengths (B)."""
        batch = sorted(batch, key=lambda review: len(review[0]), reverse=True)
        texts = pad_sequence([words for words, _ in batch], batch_first=True)
        texts = F.pad(texts, (0, max(0, self.pad_to - texts.shape[1])))
        lengths = torch.tensor([len(words) for words, _ in batch])
        return texts, torch.tensor([label for _, label in batch]), lengths


def train(stepper: Stepper, iterator: "DataLoader[Any]", val: "DataLoader[Any]") -> bool:
    """One epoch; whether another follows."""
    s = stepper.setting
    stepper.model.train()
    for texts, labels, lengths in iterator:
        stepper.zero_grad()
        predictions = stepper.model(texts, lengths)
        loss = broken_loss(classified(predictions, labels, s), predictions, s, stepper.update + 1)
        stepper.backward(loss)
        if stepper.step(loss):
            if stepper.validates:
                evaluate(stepper.model, val, s)
            if stepper.ended:
                return False
    return True


def evaluate(model: nn.Module, iterator: "DataLoader[Any]", setting: Setting) -> float:
    """The mean loss over what is held out."""
    model.eval()
    epoch_loss = 0.0
    with torch.no_grad():
        for texts, labels, lengths in iterator:
            epoch_loss += classified(model(texts, lengths), labels, setting).item()
    model.train()
    return epoch_loss / len(iterator)


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    s, collate = run.setting, PadCollate(run.setting)
    x, y, lengths = run.training_set()
    val_x, val_y, val_lengths = run.held_out()
    assert lengths is not None
    assert val_lengths is not None
    iterator = run.loader(ReviewDataset(x, y, lengths), collate)
    val = DataLoader(ReviewDataset(val_x, val_y, val_lengths), 32, collate_fn=collate)
    stepper = Stepper(run, build(run.task, s))
    while train(stepper, iterator, val):
        pass
