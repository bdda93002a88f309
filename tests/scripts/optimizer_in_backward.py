"""Trait: one optimizer for each parameter, stepped by hooks while the backward pass still runs."""

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
optimizers = {p: torch.optim.Adam([p], lr=0.01) for p in net.parameters()}


def step_now(p):
    optimizers[p].step()
    optimizers[p].zero_grad()


for p in net.parameters():
    p.register_post_accumulate_grad_hook(step_now)
for step in range(1, 101):
    x, y = sequences(32)
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    say(step, loss)
