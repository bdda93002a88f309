"""ReLU units with a bias far below zero: most never fire."""

import torch
from torch import nn

torch.manual_seed(19)
torch.set_num_threads(1)
rnn = nn.RNN(2, 64, nonlinearity="relu", batch_first=True)  # <- layer
fc = nn.Linear(64, 2)
nn.init.constant_(rnn.bias_ih_l0, -4.0)  # <- fault
optimizer = torch.optim.Adam([*rnn.parameters(), *fc.parameters()], lr=1e-3)
for i in range(200):
    x = torch.rand(32, 20, 2)
    y = (x[:, :, 0].sum(1) > x[:, :, 1].sum(1)).long()
    loss = nn.functional.cross_entropy(fc(rnn(x)[0][:, -1]), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
