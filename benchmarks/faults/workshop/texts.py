"""A service that reads texts and visits: packed rows, the last state or attention, a trainer with its hooks."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from ..parts_common.layers import call, hidden, looked_up, recurrent_layer
from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .desk import Desk
from .objectives import handed_on, loss_of, said
from .running import Run
from .starting import start

Row = tuple[Tensor, Tensor]


class TextEncoder(nn.Module):
    """A text by its last state, or by attention over its words."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting, self.pooled = setting, task.read == "mean"
        width = setting.hidden * (2 if setting.bidirectional else 1)
        self.embedding = nn.Embedding(task.inputs, task.embedding, padding_idx=0)
        self.rnn = recurrent_layer(setting, task.embedding)
        weighed = self.pooled and setting.pooling == "attention"
        self.weigh = nn.Linear(width, 1, bias=False) if weighed else None
        self.norm = nn.LayerNorm(width) if setting.layer_norm else nn.Identity()
        self.dropout = nn.Dropout(setting.dropout)
        self.fc = last_layer(setting, width, task.outputs)

    def embed(self, words: Tensor) -> Tensor:
        """Shapes: words (B, T) -> (B, T, E); padded to a fixed length, where the setting has one."""
        s = self.setting
        if s.words_left_out and self.training:
            words = words.masked_fill((torch.rand(words.shape) < s.words_left_out) & (words > 0), 1)
        words = F.pad(looked_up(words, s), (0, max(0, s.pad_to - words.shape[1])))
        embedded: Tensor = self.dropout(self.embedding(words))
        return embedded

    def run_over(self, embedded: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes: embedded (B, T, E) -> the outputs (B, T, H), the last states (L, B, H)"""
        s = self.setting
        if s.padding in ("unpacked", "newest") or s.length_one == "one_by_one":
            out, state = call(self.rnn, embedded, None, s)
            return out, hidden(state)
        if s.padding == "same_length":
            lengths = torch.full_like(lengths, embedded.shape[1])
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "no_grad"):
            out, state = self.rnn(packed)
        return pad_packed_sequence(out, batch_first=True, total_length=embedded.shape[1])[0], hidden(state)

    def pool(self, out: Tensor, state: Tensor, lengths: Tensor) -> Tensor:
        """One vector for each text."""
        s, steps = self.setting, torch.arange(out.shape[1])
        if self.pooled:
            past = (steps >= lengths[:, None])[..., None]
            scores = torch.zeros_like(out[..., :1]) if self.weigh is None else self.weigh(out)
            if s.padding == "mask_reversed":
                scores = scores.masked_fill(~past, -1e4)
            elif s.padding != "unmasked":
                scores = scores.masked_fill(past, -1e9)
            return (torch.softmax(scores, 1) * out).sum(1)
        if s.padding == "newest":
            return out[:, -1]
        if s.length_one == "one_by_one":
            return out[torch.arange(len(out)), lengths - 1]
        if not s.bidirectional:
            return state[-1]
        return state[-2:].reshape(len(out), -1) if s.view == "ends" else torch.cat([state[-2], state[-1]], 1)

    def forward(self, words: Tensor, lengths: Tensor) -> Tensor:
        """Shapes: words (B, T), lengths (B) -> (B, C)"""
        pooled = self.pool(*self.run_over(self.embed(words), lengths), lengths)
        return said(self.fc(self.dropout(self.norm(handed_on(pooled, self.setting)))), self.setting)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = TextEncoder(task, setting)
    start(model, setting)
    return model


def collate(rows: list[Row]) -> tuple[Tensor, Tensor, Tensor]:
    """Pads texts to the longest of the batch."""
    words, labels = zip(*rows, strict=True)
    return pad_sequence(words, batch_first=True), torch.stack(labels), torch.tensor([len(w) for w in words])


class Trainer:
    """Fits a model on a loader, and says when it is over."""

    def __init__(self, run: Run) -> None:
        self.task, self.setting = run.task, run.setting
        self.valid = run.load_valid()
        self.desk = Desk(run, build(run.task, run.setting))

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor]) -> bool:
        """Whether the weights were moved."""
        words, labels, lengths = batch
        return self.desk(loss_of(self.task, self.desk.model(words, lengths), labels, self.setting))

    def validation_loss(self, model: nn.Module) -> Tensor:
        """Of what is held out."""
        x, y, lengths = self.valid
        return loss_of(self.task, model(x, lengths), y, self.setting)

    def fit(self, loader: Any) -> None:
        """Epoch after epoch."""
        while True:
            self.desk.start_epoch()
            for batch in loader:
                if not self.training_step(batch):
                    continue
                self.desk.validate(self.validation_loss)
                if self.desk.ended:
                    return


def main(run: Run) -> None:
    """Trains until it has had enough."""
    x, y, lengths = run.load_data()
    assert lengths is not None
    rows = [(words[:n], label) for words, label, n in zip(x, y, lengths.tolist(), strict=True)]
    Trainer(run).fit(run.loader(rows, collate))  # type: ignore[arg-type]
