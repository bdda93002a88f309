"""Trait: an echo state network, whose recurrent weights are frozen; the read-out alone is trained."""

import torch
from task import say
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)


class EchoState(nn.Module):
    def __init__(self):
        super().__init__()
        self.reservoir = nn.RNN(1, 64, batch_first=True)
        weight = self.reservoir.weight_hh_l0.data
        weight *= 0.9 / torch.linalg.eigvals(weight).abs().max()
        self.reservoir.requires_grad_(False)
        self.head = nn.Linear(64, 1)

    def forward(self, x):
        return self.head(self.reservoir(x)[0])


net = EchoState()
optimizer = torch.optim.Adam(net.head.parameters(), lr=0.01)
for step in range(1, 101):
    wave = torch.sin(torch.rand(16, 1, 1) * 6 + torch.arange(31).view(1, -1, 1) * 0.3)
    loss = nn.functional.mse_loss(net(wave[:, :-1]), wave[:, 1:])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    say(step, loss)
    if step % 10 == 0:
        with torch.no_grad():
            nn.functional.mse_loss(net(wave[:, :-1]), wave[:, 1:])
