"""Trait: the model goes through torch.jit.script."""

import warnings

import torch
from task import say, sequences
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)

# torch announces that TorchScript is deprecated; the scripts that use it run on.
warnings.filterwarnings("ignore", category=DeprecationWarning)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 16, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


net = torch.jit.script(Net())
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(1, 101):
    x, y = sequences(32)
    loss = nn.functional.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    say(step, loss)
