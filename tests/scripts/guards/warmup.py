"""A learning rate that warms up from nothing over 150 updates, then decays by a cosine.

Target: accuracy at least 0.95
"""

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

torch.manual_seed(42)
torch.set_num_threads(1)
WARMUP, TOTAL = 150, 600


def schedule(step):
    if step < WARMUP:
        return (step + 1) / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (TOTAL - WARMUP)))


class SentenceEncoder(nn.Module):
    def __init__(self, vocab=50, dim=32):
        super().__init__()
        self.emb = nn.Embedding(vocab, dim)
        self.gru = nn.GRU(dim, dim, num_layers=2, batch_first=True)
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, 2)

    def forward(self, tokens):
        hidden, _ = self.gru(self.emb(tokens))
        return self.head(self.norm(hidden.mean(dim=1)))


model = SentenceEncoder()
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.01)
scheduler = LambdaLR(optimizer, schedule)
polarity = torch.randn(50)
for step in range(TOTAL):
    tokens = torch.randint(50, (32, 20))
    labels = (polarity[tokens].sum(1) > 0).long()
    logits = model(tokens)
    loss = nn.functional.cross_entropy(logits, labels, label_smoothing=0.05)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
with torch.no_grad():
    tokens = torch.randint(50, (1000, 20))
    print("accuracy:", (model(tokens).argmax(1) == (polarity[tokens].sum(1) > 0)).float().mean().item())
