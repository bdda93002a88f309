"""A script that foretells where people walk: encoder and decoder of cells, each answer given to the next step."""

import argparse
from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from .optimizing import bound, clear, optimizer_for, scheduler_for
from .running import Run
from .starting import start
from .wiring import answered, broken, cell, cut, detached, hidden_of, measured

AHEAD = 5


class Encoder(nn.Module):
    """Reads the places seen, one after another."""

    def __init__(self, inputs: int, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.cell = cell(setting, inputs)

    def forward(self, track: Tensor) -> Any:
        """Shapes: track (B, T, 2) -> the last state"""
        s, state = self.setting, None
        viewed = s.view == "track"
        steps = track.reshape(track.shape[1], track.shape[0], -1) if viewed else track.permute(1, 0, 2)
        with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "switched_off"):
            for number, place in enumerate(steps, 1):
                state = self.cell(place, None if s.length_one == "stateless" else state)
                if s.detach_every and number % s.detach_every == 0 and number < len(steps):
                    state = detached(state)
        return state


class Decoder(nn.Module):
    """Writes places to come."""

    def __init__(self, outputs: int, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self.cell = cell(setting, outputs)
        self.drop = nn.Dropout(setting.dropout)
        self.out = nn.Linear(setting.hidden, outputs)

    def forward(self, place: Tensor, state: Any) -> Tensor:
        """Shapes: place (B, 2), state -> (B, ahead, 2)"""
        s = self.setting
        places = []
        for _ in range(AHEAD):
            state = self.cell(place, state)
            place = place + self.out(self.drop(hidden_of(state)))
            places.append(answered(place, s))
        return torch.stack(places, dim=1)


class Seq2Seq(nn.Module):
    """Both."""

    def __init__(self, encoder: Encoder, decoder: Decoder, setting: Setting) -> None:
        super().__init__()
        self.encoder, self.decoder, self.setting = encoder, decoder, setting

    def forward(self, src: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: src (B, T, 2) -> (B, ahead, 2)"""
        s = self.setting
        src = measured(src, s)
        state = self.encoder(src)
        if s.cut == "variable":
            state = tuple(cut(part, s) for part in state) if isinstance(state, tuple) else cut(state, s)
        here: Tensor = self.decoder(torch.zeros_like(src[:, -1]), state)
        return here


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = Seq2Seq(Encoder(task.inputs, setting), Decoder(task.outputs, setting), setting)
    start(model, setting)
    return model


def train_step(
    model: Any,
    optimizer: torch.optim.Optimizer,
    x: Tensor,
    y: Tensor,
    args: argparse.Namespace,
    *,
    first: bool,
) -> float:
    """One update; its loss."""
    model.train()
    clear(optimizer, model, args.setting, first=first)
    prediction = model(x)
    loss = ((prediction - y) ** 2).mean() if args.squares else (prediction - y).abs().mean()
    loss.backward()
    bound(model, args.setting)
    optimizer.step()
    return float(loss.item())


def main(run: Run) -> None:
    """Trains with what an argument parser would have read."""
    args = argparse.Namespace(setting=run.setting, squares=run.setting.regression != "absolute", ahead=AHEAD)
    s = args.setting
    x, y, _ = run.training_set()
    x_test, y_test, _ = run.held_out()
    model = build(run.task, s)
    trained = model.decoder if s.optimized == "decoder" else model
    optimizer = optimizer_for(trained.parameters(), s, classes=False)
    if s.optimized == "made_anew":
        model = build(run.task, s)
    scheduler = scheduler_for(optimizer, s)
    run.attach(model, optimizer)
    order = run.generator(1)
    rows: list[Tensor] = []
    for step in range(1, run.updates + 1):
        first = not rows
        rows = rows or run.epoch(len(x), order)
        batch = rows.pop(0)
        train_step(model, optimizer, broken(x[batch], s, step), y[batch], args, first=first)
        if scheduler is not None:
            scheduler.step()
        if run.validates(step):
            model.eval()
            with torch.no_grad():
                ((model(x_test) - y_test) ** 2).mean().item()
        if run.ends(step, model):
            return
