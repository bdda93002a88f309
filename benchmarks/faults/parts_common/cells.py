"""A cell from scratch: matrices, biases, and the equations."""

import torch
from torch import Tensor, nn

from ..sealed.recurrence import GATES
from ..setting import Setting
from .layers import State, hidden

_ACTIVATIONS = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}


class MyCell(nn.Module):
    """One step, by the equations of an Elman network, of an LSTM or of a GRU."""

    def __init__(self, inputs: int, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        rows = max(1, len(GATES[setting.cell])) * setting.hidden
        self.W_x = nn.Parameter(torch.empty(rows, inputs))
        self.W_h = nn.Parameter(torch.empty(rows, setting.hidden))
        self.b_x = nn.Parameter(torch.empty(rows))
        self.b_h = nn.Parameter(torch.empty(rows))
        bound = setting.hidden**-0.5
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor, state: State) -> State:
        """Shapes: x (B, I), state (B, H) -> the next state"""
        s, h = self.setting, hidden(state)
        given, kept = x @ self.W_x.t() + self.b_x, h @ self.W_h.t() + self.b_h
        if s.cell == "LSTM":
            i, f, g, o = (given + kept).chunk(4, dim=1)
            c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
            return torch.sigmoid(o) * torch.tanh(c), c
        if s.cell == "GRU":
            (r, z, n), (r_h, z_h, n_h) = given.chunk(3, dim=1), kept.chunk(3, dim=1)
            z = torch.sigmoid(z + z_h)
            return (1 - z) * torch.tanh(n + torch.sigmoid(r + r_h) * n_h) + z * h
        if s.relu_bias is not None:
            return torch.relu(given + kept)
        return _ACTIVATIONS[s.activation](given + kept)
