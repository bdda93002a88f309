"""Trait: the model goes through torch.compile; the backend is an argument."""

import argparse

import torch
from task import say, sequences
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)

parser = argparse.ArgumentParser()
parser.add_argument("--backend", default="aot_eager")
backend = parser.parse_args().backend


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 16, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


net = Net()
forward = torch.compile(net, backend=backend)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(1, 101):
    x, y = sequences(32)
    loss = nn.functional.cross_entropy(forward(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    say(step, loss)
