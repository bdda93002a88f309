"""Trait: a head and an LSTM that the forward pass never uses; both are given to the optimizer."""

import torch
from task import say, sequences
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 16, batch_first=True)
        self.head = nn.Linear(16, 3)
        self.spare_lstm = nn.LSTM(3, 16, batch_first=True)
        self.spare_head = nn.Linear(16, 10)

    def forward(self, x, spare=False):
        if spare:
            return self.spare_head(self.spare_lstm(x)[0][:, -1])
        return self.head(self.lstm(x)[0][:, -1])


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(1, 101):
    x, y = sequences(32)
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    say(step, loss)
