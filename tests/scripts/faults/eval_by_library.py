"""A part that comes in evaluation mode, as libraries return what they load, and the training never says otherwise."""

import torch
from torch import nn
from torch.nn import functional

torch.manual_seed(12)
torch.set_num_threads(1)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 16)
        self.rnn = nn.LSTM(16, 32, num_layers=2, dropout=0.3, batch_first=True)
        self.out = nn.Linear(32, 5)

    def forward(self, ids):
        out, _ = self.rnn(functional.dropout(self.embedding(ids), 0.2, self.training))
        return self.out(out)


def load():
    return Tagger().eval()  # <- fault


model = load()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for step in range(60):
    ids = torch.randint(20, (32, 15))
    loss = functional.cross_entropy(model(ids).transpose(1, 2), (ids + ids.roll(1, 1)) % 5)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
