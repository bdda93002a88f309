"""A hand-written cell without a nonlinearity: from state to state it is one matrix."""

import torch
from torch import nn

torch.manual_seed(2)
torch.set_num_threads(1)


class LinearRNN(nn.Module):
    def __init__(self, inputs, hidden, classes):
        super().__init__()
        self.hidden = hidden
        self.i2h = nn.Linear(inputs, hidden)
        self.h2h = nn.Linear(hidden, hidden)
        self.h2o = nn.Linear(hidden, classes)

    def forward(self, x):
        h = torch.zeros(x.size(0), self.hidden)
        for x_t in x.unbind(1):
            h = self.i2h(x_t) + self.h2h(h)  # <- fault
        return self.h2o(h)


net = LinearRNN(3, 32, 3)  # <- layer
optimizer = torch.optim.Adam(net.parameters(), lr=0.005)
for step in range(200):
    x = torch.randn(32, 8, 3)
    loss = nn.functional.cross_entropy(net(x), (x[:, 0] * x[:, 1]).argmax(1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
