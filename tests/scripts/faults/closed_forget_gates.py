"""Forget gates that start shut (bias -8): the LSTM forgets at every step."""

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
        self.lstm = nn.LSTM(12, HIDDEN)  # <- layer
        self.classify = nn.Linear(HIDDEN, SYMBOLS)
        self.lstm.bias_ih_l0.data[HIDDEN : 2 * HIDDEN].fill_(-8.0)  # <- fault

    def forward(self, tokens):
        out, _ = self.lstm(self.embedding(tokens))
        return self.classify(out[-1])


model = Recall()
optim = torch.optim.RMSprop(model.parameters(), lr=1e-3)
for i in range(500):
    first = torch.randint(SYMBOLS, (1, 32))
    tokens = torch.cat([first, torch.randint(SYMBOLS, SYMBOLS + 2, (DELAY, 32))])
    loss = F.cross_entropy(model(tokens), first[0])
    optim.zero_grad(set_to_none=True)
    loss.backward()
    optim.step()
