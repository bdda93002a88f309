"""The state goes on to the next chunk with its graph; PyTorch refuses the second backward pass."""

import torch
from torch import nn

torch.manual_seed(8)
torch.set_num_threads(1)
stream = torch.randn(800, 10, 1)
target = stream.unfold(0, 4, 1).mean(-1)
gru, head = nn.GRU(1, 20), nn.Linear(20, 1)  # <- layer
optimizer = torch.optim.Adam([*gru.parameters(), *head.parameters()], lr=5e-3)
state = None
for start in range(0, 784, 16):
    output, state = gru(stream[start + 3 : start + 19], state)  # <- fault
    loss = nn.functional.mse_loss(head(output)[: len(target) - start], target[start : start + 16])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
