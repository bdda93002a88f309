"""A script that says what two readings of a plant will be: a recurrence from scratch, its matrices written out."""

from typing import Any

import torch
from torch import Tensor, nn

from ..setting import Setting
from ..task import Task
from .fitting import Fit
from .running import Run
from .starting import weight
from .wiring import State, answered, cut, detached, given, hidden_of, regressed, spoiled, zeros

_GATES = {"LSTM": "ifog", "GRU": "zrn", "RNN": "h"}


class Scratch(nn.Module):
    """`W_xi`, `W_hi`, `b_i` and so on, for each layer."""

    def __init__(self, task: Task, setting: Setting) -> None:
        super().__init__()
        s = self.setting = setting
        self.start = nn.Parameter(torch.zeros(s.hidden)) if s.learned_start else None
        held: dict[str, nn.Parameter] = {}
        for n in range(s.layers):
            for gate in _GATES[s.cell]:
                fan_in = s.hidden if n else task.inputs
                held[f"W_x{gate}{n}"] = nn.Parameter(torch.randn(fan_in, s.hidden) * fan_in**-0.5)
                held[f"W_h{gate}{n}"] = nn.Parameter(torch.randn(s.hidden, s.hidden) * 0.7 * s.hidden**-0.5)
                held[f"b_{gate}{n}"] = nn.Parameter(torch.zeros(s.hidden))
        # In a plain dictionary they are no part of the network.
        self.params: Any = held if s.optimized == "dictionary" else nn.ParameterDict(held)
        self.out = nn.Linear(s.hidden, task.outputs)

    def gate(self, name: str, n: int, x: Tensor, h: Tensor) -> Tensor:
        """What goes into one gate."""
        p = self.params
        total: Tensor = x @ p[f"W_x{name}{n}"] + h @ p[f"W_h{name}{n}"] + p[f"b_{name}{n}"]
        return total

    def step(self, n: int, x: Tensor, state: State) -> State:
        """Shapes: x (B, I), state (B, H) -> the next state"""
        s, h = self.setting, hidden_of(state)
        if s.cell == "RNN":
            after = self.gate("h", n, x, h)
            return torch.relu(after) if s.relu_bias is not None else torch.tanh(after)
        if s.cell == "GRU":
            z, r = torch.sigmoid(self.gate("z", n, x, h)), torch.sigmoid(self.gate("r", n, x, h))
            return z * h + (1 - z) * torch.tanh(self.gate("n", n, x, r * h))
        i, f, o = (torch.sigmoid(self.gate(name, n, x, h)) for name in "ifo")
        c = f * state[1] + i * torch.tanh(self.gate("g", n, x, h))
        return o * torch.tanh(c), c

    def begin(self, rows: int) -> State:
        """The first state."""
        state = zeros(self.setting, rows)
        if self.start is None:
            return state
        h = self.start.expand(rows, -1)
        return (h, state[1]) if isinstance(state, tuple) else h

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Shapes: inputs (B, T, 3) -> (B, T, 2)"""
        s = self.setting
        inputs = given(inputs, s)
        time = 0 if s.axes == "rows" else 1
        steps = inputs.unbind(time)
        states = [self.begin(len(steps[0])) for _ in range(s.layers)]
        outputs = []
        for t, x in enumerate(steps):
            if s.length_one == "forgetful":
                states = [self.begin(len(x)) for _ in range(s.layers)]
            h = x
            with torch.set_grad_enabled(torch.is_grad_enabled() and s.cut != "decorated"):
                for n in range(s.layers):
                    states[n] = self.step(n, h, states[n])
                    h = hidden_of(states[n])
            outputs.append(answered(self.out(cut(h, s)), s))
            if s.detach_every and (t + 1) % s.detach_every == 0:
                states = [detached(state) for state in states]
        return torch.stack(outputs, time)


def build(task: Task, setting: Setting) -> Any:
    """The network, with the weights that it starts from."""
    net, s = Scratch(task, setting), setting
    names = {"input": "b_i", "forget": "b_f", "output": "b_o", "update": "b_z", "all": "b_"}
    with torch.no_grad():
        for parameter in net.parameters():
            if s.init in ("everything", "matrices") and (parameter.dim() > 1 or s.init == "everything"):
                parameter.fill_(s.gain)
        for name, value in net.params.items():
            if value.dim() > 1:
                weight(value, name.startswith("W_h"), s)
            elif name.startswith(names.get(s.gate, "none")):
                value.fill_(s.gate_bias)
            elif s.relu_bias is not None:
                value.fill_(s.relu_bias)
    return net


def main(run: Run) -> None:
    """Trains epoch after epoch."""
    s = run.setting
    features, labels, _ = run.training_set()
    test_features, test_labels, _ = run.held_out()
    fit = Fit(run, build(run.task, s), classes=False)
    for x, y in run.batches(features, labels):
        X, Y = spoiled(x, y, s, fit.update + 1)
        with torch.autocast("cpu", torch.bfloat16, enabled=s.style == "bfloat16"):
            Y_hat = fit.model(X)
        loss = regressed(Y_hat.float(), Y, s)
        fit.clear()
        fit.backward(loss)
        if not fit.step(loss):
            continue
        if fit.validates:
            with torch.no_grad():
                regressed(fit.model(test_features), test_labels, s)
        if fit.ended:
            return
