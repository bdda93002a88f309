"""Trait: two optimizers that take turns: a discriminator and a generator of short waves."""

import torch
from task import say
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(4, 16, batch_first=True)
        self.head = nn.Linear(16, 1)

    def forward(self, noise):
        return self.head(self.gru(noise)[0])


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 16, batch_first=True)
        self.head = nn.Linear(16, 1)

    def forward(self, wave):
        return self.head(self.gru(wave)[0][:, -1])


def waves(count):
    return torch.sin(torch.arange(12) * 0.6 + torch.rand(count, 1) * 6.28)[..., None]


generator, discriminator = Generator(), Discriminator()
g_optimizer = torch.optim.Adam(generator.parameters(), lr=0.005)
d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=0.005)
bce = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(32, 1), torch.zeros(32, 1)
for step in range(1, 101):
    real, fake = waves(32), generator(torch.randn(32, 12, 4))
    d_optimizer.zero_grad()
    d_loss = (bce(discriminator(real), ones) + bce(discriminator(fake.detach()), zeros)) / 2
    d_loss.backward()
    d_optimizer.step()
    g_optimizer.zero_grad()
    g_loss = bce(discriminator(fake), ones)
    g_loss.backward()
    g_optimizer.step()
    say(2 * step - 1, d_loss)
    say(2 * step, g_loss)
