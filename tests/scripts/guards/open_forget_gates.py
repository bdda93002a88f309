"""Forget gates that start wide open (bias +5), so that an LSTM remembers the first symbol for forty steps.

Target: accuracy at least 0.97
"""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(3)
torch.set_num_threads(1)
SYMBOLS, DELAY, HIDDEN = 6, 40, 32


class Recall(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS + 2, 12)
        self.lstm = nn.LSTM(12, HIDDEN)
        self.classify = nn.Linear(HIDDEN, SYMBOLS)
        for name, p in self.lstm.named_parameters():
            if "bias" in name:
                nn.init.zeros_(p)
            if "bias_ih" in name:
                p.data[HIDDEN : 2 * HIDDEN].fill_(5.0)

    def forward(self, tokens):
        out, _ = self.lstm(self.embedding(tokens))
        return self.classify(out[-1])


def sample(n):
    first = torch.randint(SYMBOLS, (1, n))
    noise = torch.randint(SYMBOLS, SYMBOLS + 2, (DELAY, n))
    return torch.cat([first, noise]), first[0]


model = Recall()
optim = torch.optim.RMSprop(model.parameters(), lr=1e-3)
hits = []
for i in range(500):
    tokens, target = sample(32)
    scores = model(tokens)
    loss = F.cross_entropy(scores, target)
    optim.zero_grad(set_to_none=True)
    loss.backward()
    optim.step()
    hits.append((scores.argmax(1) == target).float().mean().item())
    if i % 100 == 99:
        print("update", i + 1, "loss", round(loss.item(), 4), "accuracy", sum(hits[-50:]) / 50)
