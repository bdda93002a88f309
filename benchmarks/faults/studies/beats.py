"""A script that sorts heart beats, as repositories of cells from scratch do: gates from two linear layers, stacked."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ..parts_common.layers import Dense
from ..parts_common.losses import last_layer
from ..sealed.recurrence import GATES
from ..setting import Setting
from ..task import Task
from .criteria import activated, broken_batch, broken_loss, classified
from .pieces import State, detach, measured, severed, viewed, zero_state
from .pieces import hidden as shown
from .running import Run
from .stepping import Stepper
from .weights import init_matrix, init_weights

_DENSE = 20
_ACTIVATIONS = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "linear": lambda x: x}


class Cell(nn.Module):
    """One step of a plain recurrence, of a GRU or of an LSTM; the gates stand as torch has them."""

    def __init__(self, inputs: int, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        gates = max(1, len(GATES[setting.cell]))
        self.x2h = nn.Linear(inputs, gates * setting.hidden)
        self.h2h = nn.Linear(setting.hidden, gates * setting.hidden)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """All weights within 1 / sqrt(H); then what the setting has."""
        s, bound = self.setting, self.setting.hidden**-0.5
        for weight in self.parameters():
            weight.uniform_(-bound, bound)
        init_matrix(self.x2h.weight, s, recurrent=False)
        init_matrix(self.h2h.weight, s, recurrent=True)
        for index, gate in enumerate(GATES[s.cell]):
            if s.gate in (gate, "all"):
                self.x2h.bias[index * s.hidden : (index + 1) * s.hidden] = s.gate_bias
        if s.relu_bias is not None:
            self.x2h.bias.fill_(s.relu_bias)

    def forward(self, x: Tensor, state: State) -> State:
        """Shapes: x (B, I), state (B, H) -> the next state"""
        s, h = self.setting, shown(state)
        if s.cell == "LSTM":
            i, f, g, o = (self.x2h(x) + self.h2h(h)).chunk(4, dim=1)
            c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
            return torch.sigmoid(o) * torch.tanh(c), c
        if s.cell == "GRU":
            x_r, x_z, x_n = self.x2h(x).chunk(3, dim=1)
            h_r, h_z, h_n = self.h2h(h).chunk(3, dim=1)
            z = torch.sigmoid(x_z + h_z)
            return z * h + (1 - z) * torch.tanh(x_n + torch.sigmoid(x_r + h_r) * h_n)
        total = self.x2h(x) + self.h2h(h)
        return torch.relu(total) if s.relu_bias is not None else _ACTIVATIONS[s.activation](total)


class BeatClassifier(nn.Module):
    """Cells on top of each other, a dense layer, a score for each kind of beat."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        cells = [Cell(setting.hidden if n else task.inputs, setting) for n in range(setting.layers)]
        # What is in a plain list is no part of the network.
        self.cells: Any = cells if setting.optimized == "list" else nn.ModuleList(cells)
        self.h0 = nn.Parameter(torch.zeros(setting.hidden)) if setting.learned_start else None
        self.norm = nn.LayerNorm(setting.hidden) if setting.layer_norm else nn.Identity()
        self.dropout = nn.Dropout(setting.dropout)
        self.dense = Dense(setting.hidden, _DENSE, setting)
        self.head = last_layer(setting, _DENSE, task.outputs)

    def start(self, rows: int) -> State:
        """The first state of a cell."""
        state = zero_state(self.setting, rows)
        if self.h0 is None:
            return state
        h = self.h0.expand(rows, -1)
        return (h, state[1]) if isinstance(state, tuple) else h

    def steps(self, leads: Tensor) -> tuple[Tensor, ...]:
        """What is looped over: time, if nothing goes wrong."""
        s = self.setting
        if s.view == "viewed":
            return viewed(leads).unbind(0)
        return leads.unbind(0 if s.axes == "over_rows" else 1)

    def encode(self, leads: Tensor) -> Tensor:
        """Shapes: leads (B, T, 2) -> the last state (B, H)"""
        s, steps = self.setting, self.steps(leads)
        states = [self.start(len(steps[0])) for _ in range(s.layers)]
        outs = []
        for t, x in enumerate(steps, 1):
            if s.length_one == "forgets":
                states = [self.start(len(x)) for _ in range(s.layers)]
            for n, cell in enumerate(self.cells):
                states[n] = cell(x, states[n])
                x = shown(states[n])  # noqa: PLW2901 - the next layer's input
            outs.append(x)
            if s.detach_every and t % s.detach_every == 0 and t < len(steps):
                states = [detach(state) for state in states]
        if s.axes == "over_rows":
            return torch.stack(outs)[:, -1]
        return torch.stack(outs, 1).mean(1) if s.pooling == "mean" else outs[-1]

    def forward(self, leads: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: leads (B, T, 2) -> (B, C)"""
        s = self.setting
        leads = measured(leads, self, s)
        with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "no_grad"):
            h = self.encode(leads)
        return activated(self.head(self.dense(self.dropout(self.norm(severed(h, s))))), s)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    model = BeatClassifier(task, setting)
    init_weights(model, setting)
    return model


def batches(run: Run) -> Iterator[tuple[Tensor, Tensor]]:
    """Leads and kinds, by their rows."""
    leads, kinds, _ = run.training_set()
    for rows in run.indices(len(leads)):
        yield leads[rows], kinds[rows]


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    s = run.setting
    test_leads, test_kinds, _ = run.held_out()
    optimize = Stepper(run, build(run.task, s))
    model = optimize.model
    for leads, kinds in batches(run):
        x, y = broken_batch(leads, kinds, s, optimize.update + 1)
        with torch.autocast("cpu", torch.bfloat16, enabled=s.style == "bfloat16"):
            scores = model(x)
        loss = broken_loss(classified(scores.float(), y, s), scores, s, optimize.update + 1)
        if not optimize(loss):
            continue
        if optimize.validates:
            model.eval()
            with torch.inference_mode():
                classified(model(test_leads), test_kinds, s)
            model.train()
        if optimize.ended:
            return
