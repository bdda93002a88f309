"""A script that understands utterances, as repositories of papers do: one encoder, two heads, a trainer."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from ..parts_common.losses import last_layer
from ..setting import Setting
from ..task import Task
from .criteria import IGNORED, activated, broken_loss, classified
from .data import INTENTS
from .pieces import filled_up, hidden, looked_up, recur, rnn, severed
from .running import Run
from .stepping import Stepper
from .weights import init_weights


class JointModel(nn.Module):
    """Both directions over the words; the slots are read at each of them, the intent at both ends."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embed = nn.Embedding(task.inputs, task.embedding, padding_idx=0)
        self.rnn = rnn(setting, task.embedding, both=True)
        self.dropout = nn.Dropout(setting.dropout)
        self.head_slots = last_layer(setting, 2 * setting.hidden, task.outputs)
        self.head_intent = last_layer(setting, 2 * setting.hidden, INTENTS)

    def encode(self, words: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes: words (B, T) -> (B, T, 2 * H), (2 * L, B, H)"""
        s = self.setting
        embedded = self.dropout(self.embed(looked_up(words, self, s)))
        if s.length_one == "one_by_one":
            # Every word a sequence of its own.
            out, state = recur(self.rnn, embedded.flatten(0, 1)[:, None], None, s)
            return out.view(*words.shape, -1), hidden(state)[:, :: words.shape[1]]
        if s.padding == "unpacked":
            out, state = recur(self.rnn, embedded, None, s)
            return out, hidden(state)
        lengths = torch.full_like(lengths, words.shape[1]) if s.padding == "same_length" else lengths
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        out, state = recur(self.rnn, packed, None, s)
        return pad_packed_sequence(out, batch_first=True, total_length=words.shape[1])[0], hidden(state)

    def forward(self, words: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Shapes: words (B, T), lengths (B) -> scores of slots (B, T, S), of intents (B, C)"""
        s = self.setting
        assert lengths is not None
        out, state = self.encode(filled_up(words, s), lengths)
        out = out[:, : words.shape[1]]
        out, state = severed(out, s), severed(state, s)
        last = state[-2:]
        # (2, B, H) to (B, 2 * H); by the shape alone, if it is viewed.
        ends = last.reshape(len(words), -1) if s.view == "ends" else torch.cat([last[0], last[1]], 1)
        slots = self.head_slots(self.dropout(out))
        intents = self.head_intent(self.dropout(ends))
        return activated(slots, s), activated(intents, s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = JointModel(task, setting)
    init_weights(model, setting)
    return model


class Collate:
    """Pads utterances to the longest of the batch, or to `pad_to`."""

    def __init__(self, setting: Setting) -> None:
        self.pad_to = setting.pad_to

    def __call__(self, samples: list[tuple[Tensor, Tensor, int]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Words (B, T), slots (B, T), intents (B), lengths (B)."""
        words = pad_sequence([sample[0] for sample in samples], batch_first=True)
        slots = pad_sequence([sample[1] for sample in samples], batch_first=True, padding_value=IGNORED)
        more = (0, max(0, self.pad_to - words.shape[1]))
        words, slots = nn.functional.pad(words, more), nn.functional.pad(slots, more, value=IGNORED)
        lengths = torch.tensor([len(sample[0]) for sample in samples])
        return words, slots, torch.tensor([sample[2] for sample in samples]), lengths


class Trainer:
    """Trains epoch after epoch."""

    def __init__(self, run: Run) -> None:
        self.run, self.setting = run, run.setting
        self.stepper = Stepper(run, build(run.task, run.setting))
        self.model = self.stepper.model

    def compute_loss(self, batch: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
        """Of intents and slots together."""
        words, slots, intents, lengths = batch
        slot_scores, intent_scores = self.model(words, lengths)
        loss = classified(slot_scores, slots, self.setting) + classified(intent_scores, intents, self.setting)
        return broken_loss(loss, slot_scores, self.setting, self.stepper.update + 1)

    def train_epoch(self, loader: Any) -> bool:
        """Whether another epoch follows."""
        self.model.train()
        for batch in loader:
            if self.stepper(self.compute_loss(batch)):
                if self.stepper.validates:
                    self.evaluate()
                if self.stepper.ended:
                    return False
        return True

    @torch.no_grad()
    def evaluate(self) -> float:
        """The loss on what is held out."""
        self.model.eval()
        x, y, lengths = self.run.held_out()
        loss = self.compute_loss((x, y[:, 1:], y[:, 0], lengths))  # type: ignore[arg-type]
        self.model.train()
        return loss.item()


def main(run: Run) -> None:
    """Trains until it has had enough."""
    x, y, lengths = run.training_set()
    assert lengths is not None
    samples = [
        (words[:n], targets[1 : n + 1], int(targets[0]))
        for words, targets, n in zip(x, y, lengths.tolist(), strict=True)
    ]
    loader = run.loader(samples, Collate(run.setting))
    trainer = Trainer(run)
    while trainer.train_epoch(loader):
        pass
