"""A hand-written cell that adds an unbounded step to its state, h + relu(W h + U x): it doubles and doubles."""

import torch
from torch import nn

torch.manual_seed(30)
torch.set_num_threads(1)


class ResidualCell(nn.Module):
    def __init__(self, inputs, hidden):
        super().__init__()
        self.W = nn.Linear(hidden, hidden)
        self.U = nn.Linear(inputs, hidden, bias=False)

    def forward(self, x, h):
        return h + torch.relu(self.W(h) + self.U(x))  # <- fault


class ResidualRNN(nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.hidden = hidden
        self.cell = ResidualCell(inputs, hidden)  # <- layer
        self.readout = nn.Linear(hidden, outputs)
        nn.init.orthogonal_(self.cell.W.weight)

    def forward(self, xs):
        h = xs.new_zeros(xs.size(0), self.hidden)
        for x in xs.unbind(dim=1):
            h = self.cell(x, h)
        return self.readout(h)


model = ResidualRNN(2, 32, 4)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for _ in range(300):
    x = torch.randn(32, 30, 2)
    y = (x.sum(1)[:, 0] > 0).long() * 2 + (x.sum(1)[:, 1] > 0).long()
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
