"""Trait: an LSTMCell called in a Python loop over time."""

import torch
from task import say, sequences
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(3, 16)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        h = c = x.new_zeros(x.size(0), 16)
        for t in range(x.size(1)):
            h, c = self.cell(x[:, t], (h, c))
        return self.head(h)


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(1, 101):
    x, y = sequences(32)
    loss = nn.functional.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    say(step, loss)
