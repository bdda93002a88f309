"""Trait: only the model clears the gradients (`net.zero_grad()`), after the update rather than before backward."""

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

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(1, 101):
    x, y = sequences(32)
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    net.zero_grad()
    say(step, loss)
