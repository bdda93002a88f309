"""A trained character model gets a new head: a hundredth of the head's rate for what is trained already.

The weights are those of saturated_charlm.py.

Target: accuracy at least 0.9
"""

from pathlib import Path
from pydoc_data.topics import topics

import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
ALPHABET = "abcdefghijklmnopqrstuvwxyz .\n"
LENGTH = 40


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(len(ALPHABET), 16)
        self.lstm = nn.LSTM(16, 40)


def load_encoder():
    encoder = Encoder()
    state = torch.load(Path(__file__).parent / "saturated_charlm.pt")
    encoder.load_state_dict({k: v for k, v in state.items() if not k.startswith("decode")})
    return encoder


class ShuffledOrNot(nn.Module):
    """Tells text from text whose letters changed places."""

    def __init__(self):
        super().__init__()
        self.body = load_encoder()
        self.head = nn.Linear(40, 2)

    def forward(self, ids):
        out, _ = self.body.lstm(self.body.embed(ids))
        return self.head(out.mean(0))


text = "".join(c for c in " ".join(topics.values()).lower() if c in ALPHABET)
ids = torch.tensor([ALPHABET.index(c) for c in text])


def batch(n):
    x = ids[torch.randint(len(ids) - LENGTH, (n,)) + torch.arange(LENGTH)[:, None]]
    y = torch.randint(2, (n,))
    mixed = x[torch.rand(LENGTH, n).argsort(0), torch.arange(n)]
    return torch.where(y.bool(), mixed, x), y


model = ShuffledOrNot()
optimizer = torch.optim.AdamW(
    [
        {"params": model.body.parameters(), "lr": 5e-5},
        {"params": model.head.parameters(), "lr": 5e-3},
    ]
)
for step in range(400):
    x, y = batch(32)
    loss = nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
with torch.no_grad():
    x, y = batch(1000)
    print("accuracy", (model(x).argmax(1) == y).float().mean().item())
