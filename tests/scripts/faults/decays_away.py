"""The weight decay of another optimizer's recipe: AdamW takes a tenth of the weights away at every step."""

import torch
from torch import nn

torch.manual_seed(23)
torch.set_num_threads(1)


class Sentiment(nn.Module):
    def __init__(self, vocabulary=60, dim=24, hidden=32):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, dim)
        self.gru = nn.GRU(dim, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, tokens):
        return self.out(self.gru(self.embedding(tokens))[1][-1]).squeeze(1)


model = Sentiment()
score = torch.randn(60)
loss_fn = nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=20.0)  # <- fault
for step in range(300):
    tokens = torch.randint(60, (32, 15))
    loss = loss_fn(model(tokens), (score[tokens].sum(1) > 0).float())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
