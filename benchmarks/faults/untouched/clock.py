"""A script that writes times of day in digits, after torch's tutorial on translation: attention after Bahdanau."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..setting import Setting
from ..task import Task
from .optimizing import bound, clear, optimizer_for, scheduler_for
from .running import Run
from .starting import start
from .wiring import answered, cell, criterion, cut, hidden_of, layer, looked_up, read

DIGITS = 4


class EncoderRNN(nn.Module):
    """Words in time, (T, B) as the layers have it."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding)
        self.dropout = nn.Dropout(setting.dropout)
        self.rnn = layer(setting.changed(axes="batch_first_missing"), task.embedding)

    def forward(self, words: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes: words (B, T) -> outputs (B, T, H), the last state (B, H)"""
        s = self.setting
        embedded = self.dropout(self.embedding(looked_up(words, s)))
        if s.view == "words":
            embedded = embedded.view(embedded.shape[1], embedded.shape[0], -1)
        elif s.axes != "not_transposed":
            embedded = embedded.transpose(0, 1)
        output, state = read(self.rnn, embedded, None, s)
        if s.axes == "not_transposed":
            return cut(output, s), cut(output[:, -1], s)
        rows_first = output.reshape(*words.shape, -1) if s.view == "memory" else output.transpose(0, 1)
        return cut(rows_first, s), cut(hidden_of(state)[-1], s)


class BahdanauAttention(nn.Module):
    """Which words to look at."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.Wa, self.Ua, self.Va = nn.Linear(size, size), nn.Linear(size, size), nn.Linear(size, 1)

    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        """Shapes: query (B, H), keys (B, T, H) -> (B, H)"""
        scores = self.Va(torch.tanh(self.Wa(query)[:, None] + self.Ua(keys))).squeeze(2)
        weights = F.softmax(scores, dim=-1)
        return torch.bmm(weights[:, None], keys).squeeze(1)


class AttnDecoderRNN(nn.Module):
    """One digit after another, the right one given to the next step."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting, self.begin = setting, task.outputs
        self.embedding = nn.Embedding(task.outputs + 1, task.embedding)
        self.attention = BahdanauAttention(setting.hidden)
        self.cell = cell(setting, task.embedding + setting.hidden)
        self.out = nn.Linear(setting.hidden, task.outputs)

    def forward(self, keys: Tensor, hidden: Tensor, target: Tensor | None) -> Tensor:
        """Shapes: keys (B, T, H), hidden (B, H), digits (B, 4) -> scores (B, 4, C); without digits its own are given"""
        s = self.setting
        given = torch.full((len(keys),), self.begin)
        state: Any = (hidden, torch.zeros_like(hidden)) if s.cell == "LSTM" else hidden
        scores = []
        for digit in range(DIGITS):
            if s.length_one == "stateless":
                state = (hidden, torch.zeros_like(hidden)) if s.cell == "LSTM" else hidden
            context = self.attention(hidden_of(state), keys)
            state = self.cell(torch.cat((self.embedding(given), context), dim=1), state)
            scores.append(answered(self.out(hidden_of(state)), s))
            given = scores[-1].argmax(-1).detach() if target is None else target[:, digit]
        return torch.stack(scores, dim=1)


class Translator(nn.Module):
    """Encoder and decoder."""

    def __init__(self, encoder: EncoderRNN, decoder: AttnDecoderRNN) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, words: Tensor, lengths: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Shapes: words (B, T) -> scores (B, 4, C)"""
        encoder_outputs, encoder_hidden = self.encoder(words)
        scores: Tensor = self.decoder(encoder_outputs, encoder_hidden, target)
        return scores


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Translator(EncoderRNN(task, setting), AttnDecoderRNN(task, setting))
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch, encoder and decoder in one optimizer."""
    task, s = run.task, run.setting
    words, digits, _ = run.training_set()
    val_words, val_digits, _ = run.held_out()
    order, loss_fn, n = run.generator(1), criterion(s), 0
    model = build(task, s)
    encoder, decoder = model.encoder, model.decoder
    parts = [*encoder.parameters(), *decoder.parameters()]
    if s.optimized == "decoder":
        parts = list(decoder.parameters())
    optimizer = optimizer_for(parts, s, classes=True)
    if s.optimized == "made_anew":
        model = build(task, s)
        encoder, decoder = model.encoder, model.decoder
    scheduler = scheduler_for(optimizer, s)
    run.attach(model, optimizer)
    while True:
        for number, rows in enumerate(run.epoch(len(words), order)):
            n += 1
            encoder.train()
            decoder.train()
            clear(optimizer, model, s, first=number == 0)
            input_tensor, target_tensor = words[rows], digits[rows]
            encoder_outputs, encoder_hidden = encoder(input_tensor)
            # At every other batch the decoder has to get along with its own digits.
            forced = target_tensor if n % 2 or s.forcing == 1.0 else None
            decoder_outputs = decoder(encoder_outputs, encoder_hidden, forced)
            loss: Any = torch.zeros(())
            for digit in range(DIGITS):
                loss = loss + loss_fn(decoder_outputs[:, digit], target_tensor[:, digit])
            (loss / DIGITS).backward()
            bound(model, s)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            if run.validates(n):
                model.eval()
                with torch.no_grad():
                    out = model(val_words, None, val_digits)
                    loss_fn(out.reshape(-1, task.outputs), val_digits.reshape(-1))
            if run.ends(n, model):
                return
