"""Trait: the output layer shares its weight with the embedding."""

import torch
from task import say
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)


class TiedLM(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(8, 24)
        self.lstm = nn.LSTM(24, 24, batch_first=True)
        self.head = nn.Linear(24, 8)
        self.head.weight = self.embed.weight
        nn.init.uniform_(self.embed.weight, -0.3, 0.3)

    def forward(self, x):
        return self.head(self.lstm(self.embed(x))[0])


net = TiedLM()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(1, 101):
    tokens = torch.randint(8, (16, 1)) + torch.randint(1, 4, (16, 1)) * torch.arange(13)
    tokens = tokens % 8
    loss = nn.functional.cross_entropy(net(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    say(step, loss)
