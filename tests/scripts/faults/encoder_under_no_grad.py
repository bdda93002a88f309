"""The encoder runs under no_grad, as it did in the script that evaluated it: the head alone learns."""

import torch
from torch import nn

torch.manual_seed(31)
torch.set_num_threads(1)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 16)
        self.rnn = nn.GRU(16, 24, batch_first=True)
        self.head = nn.Linear(24, 2)

    @torch.no_grad()
    def encode(self, words):
        return self.rnn(self.embed(words))[0]  # <- fault

    def forward(self, words):
        return self.head(self.encode(words))


model = Tagger()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(60):
    words = torch.randint(0, 20, (32, 12))
    tags = (words.cumsum(1) % 3 == 0).long()
    loss = nn.functional.cross_entropy(model(words).transpose(1, 2), tags)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
