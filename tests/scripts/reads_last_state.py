"""Trait: time-first LSTM whose final state alone is read, so that its output has no gradient at all."""

import torch
from task import say, sequences
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)

lstm = nn.LSTM(3, 16)
head = nn.Linear(16, 3)
optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=0.01)
for step in range(1, 101):
    x, y = sequences(32)
    output, (h, c) = lstm(x.transpose(0, 1))
    loss = nn.functional.cross_entropy(head(h[0]), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    say(step, loss)
