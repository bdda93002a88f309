"""The logarithm of a probability that has become zero: one sure and wrong answer makes the loss infinite."""

import torch
from torch import nn

torch.manual_seed(34)
torch.set_num_threads(1)
rnn = nn.GRU(3, 16, batch_first=True)
head = nn.Linear(16, 3)
optimizer = torch.optim.Adam([*rnn.parameters(), *head.parameters()], lr=0.01)
for step in range(60):
    x = torch.randn(16, 10, 3)
    y = x.sum(1).argmax(1)
    sharpness = 1 if step < 20 else 1000
    p = torch.softmax(sharpness * head(rnn(x)[0][:, -1]), 1)
    right = p[torch.arange(16), y]
    loss = -torch.log(right).mean()  # <- fault
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
