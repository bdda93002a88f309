"""A ReLU recurrence of gain 3 overflows within long sequences: infinity first, then NaN."""

import torch
from torch import nn

torch.manual_seed(26)
torch.set_num_threads(1)
rnn = nn.RNN(1, 32, nonlinearity="relu")
head = nn.Linear(32, 2)
with torch.no_grad():
    rnn.weight_hh_l0.copy_(3 * torch.eye(32))  # <- fault
optimizer = torch.optim.SGD([*rnn.parameters(), *head.parameters()], lr=1e-3)
for step in range(60):
    x = torch.rand(120, 16, 1)
    y = (x.mean(0) > 0.5).long().squeeze(1)
    loss = nn.functional.cross_entropy(head(rnn(x)[0][-1]), y)  # <- call
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
