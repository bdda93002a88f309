"""A script that translates: an encoder, a decoder with attention, the right word given always or half of the time."""

from itertools import count
from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from .optimizing import clears, clip, optimizer_for, scheduler_for, steps
from .running import Run
from .starting import start
from .wiring import State, answered, criterion, cut, hidden_of, last_layer, layer, looked_up, through, viewed

WORDS = 5


class Encoder(nn.Module):
    """Words of the source, batch first."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.embedding = nn.Embedding(task.inputs, task.embedding)
        self.rnn = layer(setting, task.embedding)
        self.dropout = nn.Dropout(setting.dropout)

    def forward(self, src: Tensor) -> tuple[Tensor, State]:
        """Shapes: src (B, T) -> outputs (B, T, H), the last state"""
        s = self.setting
        embedded = self.dropout(self.embedding(looked_up(src, s)))
        if s.view == "input":
            embedded = viewed(embedded)
        outputs, hidden = through(self.rnn, embedded, None, s)
        outputs = outputs.transpose(0, 1) if s.view == "input" else outputs
        if s.cut == "nowhere":
            return outputs, hidden
        return cut(outputs, s), tuple(cut(h, s) for h in hidden) if isinstance(hidden, tuple) else cut(
            hidden, s
        )


class Decoder(nn.Module):
    """One word of the target after another; it looks back at the source by scalar products."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting, self.begin = setting, task.outputs
        self.embedding = nn.Embedding(task.outputs + 1, task.embedding)
        self.rnn = layer(setting.changed(axes="right", view="none"), task.embedding)
        self.attn = nn.Linear(setting.hidden, setting.hidden, bias=False)
        self.concat = nn.Linear(2 * setting.hidden, setting.hidden)
        self.out = last_layer(setting, setting.hidden, task.outputs)

    def forward(self, word: Tensor, hidden: State, encoder_outputs: Tensor) -> tuple[Tensor, State]:
        """Shapes: word (B), state, (B, T, H) -> scores (B, C), the next state"""
        output, hidden = self.rnn(self.embedding(word)[:, None], hidden)
        energy = torch.bmm(self.attn(output), encoder_outputs.transpose(1, 2))
        context = torch.bmm(torch.softmax(energy, dim=-1), encoder_outputs)
        joined = torch.tanh(self.concat(torch.cat((output, context), dim=-1).squeeze(1)))
        return answered(self.out(joined), self.setting), hidden


class Seq2Seq(nn.Module):
    """Both."""

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(
        self,
        src: Tensor,
        lengths: Tensor | None = None,
        target: Tensor | None = None,
        teacher_forcing: bool = True,
    ) -> Tensor:
        """Shapes: src (B, T), target (B, 5) -> scores (B, 5, C)"""
        assert target is not None
        encoder_outputs, hidden = self.encoder(src)
        if self.decoder.setting.axes == "batch_first_missing":
            # Its state is one of places, and does not fit a batch.
            rows = torch.zeros_like(hidden_of(hidden)[:, :1]).expand(-1, len(src), -1).contiguous()
            hidden = (rows, rows.clone()) if isinstance(hidden, tuple) else rows
        word = torch.full((len(src),), self.decoder.begin)
        outputs = []
        for t in range(WORDS):
            output, hidden = self.decoder(word, hidden, encoder_outputs)
            outputs.append(output)
            word = target[:, t] if teacher_forcing else output.argmax(1).detach()
        return torch.stack(outputs, dim=1)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Seq2Seq(Encoder(task, setting), Decoder(task, setting))
    start(model, setting)
    return model


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    task, s = run.task, run.setting
    src, trg, _ = run.training_set()
    val_src, val_trg, _ = run.held_out()
    loader = run.loader(src, trg)
    model = build(task, s)
    trained = {"encoder": model.encoder, "decoder": model.decoder}.get(s.optimized, model)
    optimizer = optimizer_for(trained.parameters(), s, classes=True)
    if s.optimized == "made_anew":
        model = build(task, s)
    scheduler, loss_fn, n = scheduler_for(optimizer, s), criterion(s), 0
    run.attach(model, optimizer)
    for _epoch in count():
        model.train()
        for number, (source, target) in run.batches(loader):
            if clears(s, number):
                optimizer.zero_grad()
            output = model(source, target=target, teacher_forcing=s.forcing == 1.0 or number % 2 == 0)
            loss = loss_fn(output.reshape(-1, task.outputs), target.reshape(-1)) / s.accumulate
            loss.backward()
            if not steps(s, number):
                continue
            n += 1
            clip(model, s)
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            if run.validates(n):
                model.eval()
                with torch.no_grad():
                    scores = model(val_src, target=val_trg)
                    loss_fn(scores.reshape(-1, task.outputs), val_trg.reshape(-1))
                model.train()
            if run.ends(n, model):
                return
