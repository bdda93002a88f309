"""Trait: the script changes its working directory and replaces sys.stdout before it trains."""

import os
import sys
import tempfile

import torch
from task import say, sequences
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)


class Tee:
    def __init__(self, stream):
        self.stream = stream

    def write(self, text):
        return self.stream.write(text)

    def flush(self):
        self.stream.flush()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 16, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


sys.stdout = Tee(sys.stdout)
with tempfile.TemporaryDirectory() as folder:
    home = os.getcwd()
    os.chdir(folder)
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for step in range(1, 101):
        x, y = sequences(32)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        say(step, loss)
    torch.save(net.state_dict(), "last.pt")
    os.chdir(home)
