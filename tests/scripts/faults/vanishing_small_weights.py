"""Recurrent weights a tenth of their usual size: nothing of the first input is left after thirty steps."""

import torch
from torch import nn

torch.manual_seed(20)
torch.set_num_threads(1)
CLASSES, LAG = 4, 30


class Memory(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.rnn = nn.RNN(CLASSES + 1, hidden, batch_first=True)  # <- layer
        self.head = nn.Linear(hidden, CLASSES)
        nn.init.normal_(self.rnn.weight_hh_l0, std=0.01)  # <- fault

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


def delayed(n):
    y = torch.randint(CLASSES, (n,))
    x = torch.cat([torch.zeros(n, LAG + 1, CLASSES), 0.2 * torch.randn(n, LAG + 1, 1)], dim=2)
    x[torch.arange(n), 0, y] = 1
    return x, y


model = Memory()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for step in range(500):
    x, y = delayed(32)
    loss = nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
