"""Trait: no nn.Module at all: a recurrence of raw tensors, handed to an optimizer as a list."""

import math

import torch
from task import say, sequences

torch.manual_seed(0)
torch.set_num_threads(1)
H = 24


def weight(rows, columns):
    return (torch.randn(rows, columns) / math.sqrt(rows)).requires_grad_()


W_xh, W_hh, W_hq = weight(3, H), weight(H, H), weight(H, 3)
b_h, b_q = torch.zeros(H, requires_grad=True), torch.zeros(3, requires_grad=True)
optimizer = torch.optim.SGD([W_xh, W_hh, b_h, W_hq, b_q], lr=0.2)
for step in range(1, 101):
    x, y = sequences(32, length=6)
    h = torch.zeros(32, H)
    for x_t in x.unbind(1):
        h = torch.tanh(x_t @ W_xh + h @ W_hh + b_h)
    scores = h @ W_hq + b_q
    loss = -torch.log_softmax(scores, dim=1)[torch.arange(32), y].mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    say(step, loss)
