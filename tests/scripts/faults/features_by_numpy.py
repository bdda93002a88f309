"""Features of the LSTM pass through numpy on their way to the head, which alone can learn."""

import torch
from torch import nn

torch.manual_seed(33)
torch.set_num_threads(1)
rnn = nn.LSTM(3, 16, batch_first=True)
head = nn.Linear(16, 1)
optimizer = torch.optim.Adam([*rnn.parameters(), *head.parameters()], lr=0.01)
for step in range(60):
    x = torch.randn(16, 10, 3)
    y = x[:, -3:, 0].sum(1, keepdim=True)
    out, _ = rnn(x)
    features = out[:, -1].detach().numpy()  # <- fault
    loss = nn.functional.mse_loss(head(torch.from_numpy(features)), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
