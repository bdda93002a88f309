"""A hand-written cell with a sigmoid, whose slope is at most a quarter: the gradient is gone after a few steps."""

import torch
from torch import nn

torch.manual_seed(2)
torch.set_num_threads(1)


class SigmoidRNN(nn.Module):
    def __init__(self, inputs, hidden, classes):
        super().__init__()
        self.hidden = hidden
        self.i2h = nn.Linear(inputs, hidden)
        self.h2h = nn.Linear(hidden, hidden)
        self.h2o = nn.Linear(hidden, classes)

    def forward(self, x):
        h = torch.zeros(x.size(0), self.hidden)
        for t in range(x.size(1)):
            h = torch.sigmoid(self.i2h(x[:, t]) + self.h2h(h))  # <- fault
        return self.h2o(h)


model = SigmoidRNN(5, 32, 4)  # <- layer
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(300):
    y = torch.randint(4, (32,))
    x = torch.zeros(32, 26, 5)
    x[:, :, 4] = torch.randn(32, 26)
    x[torch.arange(32), 0, y] = 1
    loss = nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
