"""Chunks of eight steps for something that lies twenty steps back: the gradient never gets there."""

import torch
from torch import nn

torch.manual_seed(4)
torch.set_num_threads(1)
stream = torch.randn(1000, 16, 1)
wanted = (stream.roll(20, 0) > 0).float()
lstm = nn.LSTM(1, 24)  # <- layer
head = nn.Linear(24, 1)
optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=0.01)
state = None
for start in range(24, 1000, 8):
    output, state = lstm(stream[start : start + 8], state)
    loss = nn.functional.binary_cross_entropy_with_logits(head(output), wanted[start : start + 8])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    state = tuple(s.detach() for s in state)  # <- fault
