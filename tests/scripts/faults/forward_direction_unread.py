"""h_n[-1] of a bidirectional GRU is its reverse direction alone: the forward one is never trained."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

torch.manual_seed(32)
torch.set_num_threads(1)


class Names(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.chars = nn.Embedding(27, 16)
        self.gru = nn.GRU(16, hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(hidden, 3)

    def forward(self, names, lengths):
        packed = pack_padded_sequence(self.chars(names), lengths, batch_first=True, enforce_sorted=False)
        _, hidden = self.gru(packed)
        return self.out(hidden[-1])  # <- fault


model = Names()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(60):
    names = torch.randint(1, 27, (24, 12))
    lengths = torch.randint(4, 13, (24,))
    labels = names[:, 0] % 3
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(names, lengths), labels).backward()
    optimizer.step()
