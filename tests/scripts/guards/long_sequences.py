"""Sequences of three hundred steps; what counts stands within the last ones, and the mean rate over all.

Target: accuracy at least 0.9
"""

import torch
from torch import nn

torch.manual_seed(26)
torch.set_num_threads(1)
gru = nn.GRU(1, 16)
head = nn.Linear(16, 2)
params = list(gru.parameters()) + list(head.parameters())
optimizer = torch.optim.RMSprop(params, lr=2e-3)


def spikes(n, T=300):
    busy = torch.randint(2, (n,))
    rate = torch.where(busy.bool(), 0.35, 0.15)
    return (torch.rand(T, n) < rate).float().unsqueeze(-1), busy


for step in range(150):
    x, y = spikes(16)
    out, _ = gru(x)
    loss = nn.functional.cross_entropy(head(out.mean(0)), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
with torch.no_grad():
    x, y = spikes(300)
    print("accuracy", (head(gru(x)[0].mean(0)).argmax(1) == y).float().mean().item())
