"""Trait: truncated backpropagation through time: the state goes on from chunk to chunk, detached."""

import torch
from task import say
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 24, num_layers=2)
        self.head = nn.Linear(24, 3)

    def forward(self, x, state):
        out, state = self.lstm(x, state)
        return self.head(out), state


stream = torch.randn(1000, 16, 3)  # (T, B, I)
labels = (stream + 0.8 * stream.roll(1, dims=0) + 0.6 * stream.roll(2, dims=0)).argmax(2)
net = Tagger()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
state, step = None, 0
for start in range(0, 1000, 10):
    if state is not None:
        state = tuple(s.detach() for s in state)
    logits, state = net(stream[start : start + 10], state)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), labels[start : start + 10].flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    optimizer.step()
    step += 1
    say(step, loss)
