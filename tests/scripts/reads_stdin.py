"""Trait: the script reads its standard input: settings, with a default for each at the end of the input."""

import sys

import torch
from task import say, sequences
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)

units = int(sys.stdin.readline() or 16)
try:
    input("press Enter to train ")
except EOFError:
    print("nobody there")

lstm, head = nn.LSTM(3, units, batch_first=True), nn.Linear(units, 3)
net = nn.Sequential()
net.lstm, net.head = lstm, head
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(1, 101):
    x, y = sequences(32)
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(head(lstm(x)[0][:, -1]), y)
    loss.backward()
    optimizer.step()
    say(step, loss)
