"""An echo state network: recurrent and input weights stay as drawn, the read-out alone learns.

Target: normalized error below 0.1
"""

import torch
from torch import nn

torch.manual_seed(2)
torch.set_num_threads(1)


class Reservoir(nn.Module):
    def __init__(self, size=120, radius=0.9):
        super().__init__()
        self.rnn = nn.RNN(1, size, bias=False)
        with torch.no_grad():
            W = torch.randn(size, size) * (torch.rand(size, size) < 0.1)
            self.rnn.weight_hh_l0.copy_(W * radius / torch.linalg.eigvals(W).abs().max())
            self.rnn.weight_ih_l0.uniform_(-0.5, 0.5)
        self.rnn.requires_grad_(False)
        self.readout = nn.Linear(size, 1)

    def forward(self, u):
        states, _ = self.rnn(u)
        return self.readout(states)


def mixture(t):  # of incommensurate waves, to be foreseen three steps ahead
    return torch.sin(0.2 * t) + 0.5 * torch.sin(0.311 * t) + 0.3 * torch.cos(0.42 * t)


esn = Reservoir()
opt = torch.optim.Adam([p for p in esn.parameters() if p.requires_grad], lr=0.01)
for step in range(1000):
    t = torch.arange(120.0)[:, None] + torch.rand(1, 8) * 500
    prediction = esn(mixture(t)[:, :, None])[20:, :, 0]
    wanted = mixture(t + 3)[20:]
    loss = (prediction - wanted).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
print("normalized error", (loss / wanted.var()).sqrt().item())
