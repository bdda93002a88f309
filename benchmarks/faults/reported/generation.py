"""A script that learns to write as a text does, character by character: random chunks, a model with its decoder."""

from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from .data import CHUNK, code_of_characters
from .optimizing import clears, clip, optimizer_for, scheduler_for, steps
from .running import Run
from .starting import start
from .wiring import State, answered, criterion, cut, last_layer, layer, looked_up, through


class CharRNN(nn.Module):
    """Encoder, recurrence, decoder; encoder and decoder may share their weights."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        size = setting.hidden if setting.tied else task.embedding
        self.encoder = nn.Embedding(task.inputs, size)
        self.rnn = layer(setting, size)
        self.drop = nn.Dropout(setting.dropout)
        self.decoder: Any = last_layer(setting, setting.hidden, task.outputs)
        if setting.tied:
            self.decoder.weight = self.encoder.weight

    def forward(self, inp: Tensor, hidden: State = None) -> tuple[Tensor, State]:
        """Shapes: inp (B, T) -> (B, T, C), the last state"""
        s = self.setting
        encoded = self.encoder(looked_up(inp, s))
        output, hidden = through(self.rnn, encoded, hidden, s)
        return answered(self.decoder(self.drop(cut(output, s))), s), hidden


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = CharRNN(task, setting)
    start(model, setting)
    return model


def random_training_set(
    text: Tensor, chunk_len: int, batch_size: int, g: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Chunks (B, T), and the same one character on."""
    starts = torch.randint(0, len(text) - chunk_len - 1, (batch_size, 1), generator=g)
    chunks = text[starts + torch.arange(chunk_len + 1)]
    return chunks[:, :-1], chunks[:, 1:]


def main(run: Run) -> None:
    """Trains on one random chunk after another."""
    task, s = run.task, run.setting
    text, g = code_of_characters(), run.generator(1)
    if s.samples:
        text = text[: s.samples * 8]
    val_inp, val_target, _ = run.held_out()
    decoder = build(task, s)
    decoder_optimizer = optimizer_for(decoder.parameters(), s, classes=True)
    if s.optimized == "made_anew":
        decoder = build(task, s)
    scheduler = scheduler_for(decoder_optimizer, s)
    loss_fn = criterion(s)
    run.attach(decoder, decoder_optimizer)
    fixed = random_training_set(text, CHUNK, s.batch, g)
    update, number = 0, 0
    while True:
        shuffled = s.order == "shuffled"
        inp, target = random_training_set(text, CHUNK, s.batch, g) if shuffled else fixed
        if clears(s, number % 40):
            decoder.zero_grad()
        output, _ = decoder(inp)
        loss = loss_fn(output.reshape(-1, task.outputs), target.reshape(-1)) / s.accumulate
        loss.backward()
        number += 1
        if not steps(s, number - 1):
            continue
        update += 1
        clip(decoder, s)
        decoder_optimizer.step()
        if scheduler is not None:
            scheduler.step()
        if run.validates(update):
            decoder.eval()
            with torch.no_grad():
                loss_fn(decoder(val_inp)[0].reshape(-1, task.outputs), val_target.reshape(-1))
            decoder.train()
        if run.ends(update, decoder):
            return
