"""Batches made by hand, (B, T, I), brought to (T, B, I) by a view: steps of one series become samples."""

import torch
from torch import nn

torch.manual_seed(25)
torch.set_num_threads(1)
B, T = 20, 30
rnn = nn.LSTM(2, 24)
head = nn.Linear(24, 1)
optimizer = torch.optim.Adam([*rnn.parameters(), *head.parameters()], lr=0.005)
for step in range(300):
    series = torch.randn(B, T, 2)
    target = series[:, -5:, 0].mean(1, keepdim=True)
    output, _ = rnn(series.view(T, B, 2))  # <- fault
    loss = nn.functional.mse_loss(head(output[-1]), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
