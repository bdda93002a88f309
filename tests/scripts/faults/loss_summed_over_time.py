"""The losses of all steps are added up: gradient and update grow with the length of the sequences."""

import torch
from torch import nn

torch.manual_seed(5)
torch.set_num_threads(1)
cell = nn.GRUCell(4, 16)
head = nn.Linear(16, 3)
optimizer = torch.optim.SGD([*cell.parameters(), *head.parameters()], lr=0.02)
for update in range(60):
    length = int(torch.randint(5, 40, ()))
    x = torch.randn(16, length, 4)
    y = (x[..., 0] > 0).long() + (x[..., 1] > 1).long()
    h = torch.zeros(16, 16)
    loss = 0.0
    for t in range(length):
        h = cell(x[:, t], h)
        loss = loss + nn.functional.cross_entropy(head(h), y[:, t])  # <- fault
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
