"""h_n of padded names that were not packed: it has run over the padding."""

import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)


class NameClassifier(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.chars = nn.Embedding(27, 16, padding_idx=0)
        self.lstm = nn.LSTM(16, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 3)

    def forward(self, names):
        _, (h_n, _) = self.lstm(self.chars(names))
        return self.out(h_n[-1])  # <- fault


model = NameClassifier()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for step in range(150):
    names = torch.randint(1, 27, (24, 30))
    lengths = torch.randint(4, 31, (24, 1))
    labels = names.gather(1, lengths - 1).squeeze(1) % 3
    names[torch.arange(30) >= lengths] = 0
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(names), labels).backward()
    optimizer.step()
