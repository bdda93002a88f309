"""Trait: data and output paths relative to the working directory."""

from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
text = Path("data/proverbs.txt").read_text(encoding="utf-8")
letters = sorted(set(text))
data = torch.tensor([letters.index(c) for c in text])


class CharLM(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(len(letters), 16)
        self.gru = nn.GRU(16, 32, batch_first=True)
        self.head = nn.Linear(32, len(letters))

    def forward(self, x):
        return self.head(self.gru(self.embed(x))[0])


net = CharLM()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(1, 101):
    starts = torch.randint(len(data) - 21, (16,))
    window = torch.stack([data[s : s + 21] for s in starts])
    loss = nn.functional.cross_entropy(net(window[:, :-1]).flatten(0, 1), window[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"LOSS {step} {loss.item().hex()}", flush=True)
