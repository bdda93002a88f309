"""A new iterator at every step: a loader that does not shuffle gives its first batch each time."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(14)
torch.set_num_threads(1)
x = torch.randn(640, 20, 3)
loader = DataLoader(TensorDataset(x, x[..., :1].mean(1)), batch_size=32)
rnn, head = nn.LSTM(3, 32, batch_first=True), nn.Linear(32, 1)
optimizer = torch.optim.Adam([*rnn.parameters(), *head.parameters()], lr=0.003)
for step in range(100):
    inputs, targets = next(iter(loader))
    loss = nn.functional.mse_loss(head(rnn(inputs)[0][:, -1]), targets)
    optimizer.zero_grad()
    loss.backward()  # <- fault
    optimizer.step()
