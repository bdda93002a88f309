"""Twelve plain layers on top of each other, and nothing that leads around them."""

import torch
from torch import nn

torch.manual_seed(23)
torch.set_num_threads(1)


class Deep(nn.Module):
    def __init__(self, depth=12, width=24):
        super().__init__()
        self.rnn = nn.LSTM(2, width, num_layers=depth)  # <- fault
        self.outputs = nn.Linear(width, 2)

    def forward(self, x):
        return self.outputs(self.rnn(x)[0])


model = Deep()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(200):
    x = torch.randn(16, 16, 2)
    y = (x[..., 1] > x[..., 0]).long()
    loss = nn.functional.cross_entropy(model(x).view(-1, 2), y.view(-1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
