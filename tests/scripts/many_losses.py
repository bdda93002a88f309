"""Trait: one loss call for each character in a Python loop, then one backward pass for the sum."""

import torch
from task import say
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)


class CharRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(6, 16)
        self.gru = nn.GRU(16, 32)
        self.head = nn.Linear(32, 6)

    def forward(self, letter, state):
        out, state = self.gru(self.embed(letter).view(1, -1, 16), state)
        return self.head(out[0]), state


net = CharRNN()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
criterion = nn.CrossEntropyLoss()
for step in range(1, 91):
    start, stride = torch.randint(6, (2, 16))
    word = (start + stride * torch.arange(11)[:, None]) % 6  # the stride must be inferred and remembered
    state, loss = None, 0
    for t in range(10):
        logits, state = net(word[t], state)
        loss = loss + criterion(logits, word[t + 1])
    optimizer.zero_grad()
    (loss / 10).backward()
    optimizer.step()
    say(step, loss)
