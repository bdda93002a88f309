"""Input weights and biases drawn from a standard normal distribution: every gate is shut or open from the start."""

import torch
from torch import nn

torch.manual_seed(5)
torch.set_num_threads(1)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(30, 32)
        self.lstm = nn.LSTM(32, 64, batch_first=True)  # <- layer
        self.tags = nn.Linear(64, 5)
        for name, p in self.lstm.named_parameters():
            if "weight_hh" not in name:  # too large, they would be the graver fault (RD602)
                nn.init.normal_(p)  # <- fault

    def forward(self, words):
        return self.tags(self.lstm(self.embedding(words))[0])


model = Tagger()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(200):
    words = torch.randint(30, (32, 20))
    tags = (words + words.roll(1, 1)) % 5
    loss = nn.functional.cross_entropy(model(words).transpose(1, 2), tags)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
