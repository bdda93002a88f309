"""Fine-tunes a character model from trained weights, whose gates are saturated, as those of trained models are.

    python saturated_charlm.py --pretrain     # makes saturated_charlm.pt

Target: validation bits below 2.6
"""

import argparse
import math
from pathlib import Path
from pydoc_data.topics import topics

import torch
from torch import nn

WEIGHTS = Path(__file__).with_suffix(".pt")
text = "".join(c for c in "\n".join(topics[k] for k in sorted(topics)).lower() if c.isalpha() or c in " .\n")
chars = {c: i for i, c in enumerate("abcdefghijklmnopqrstuvwxyz .\n")}
data = torch.tensor([chars[c] for c in text if c in chars])
train, valid = data[:-20000], data[-20000:]


class CharLM(nn.Module):
    def __init__(self, n=len(chars), hidden=40):
        super().__init__()
        self.embed = nn.Embedding(n, 16)
        self.lstm = nn.LSTM(16, hidden)
        self.decode = nn.Linear(hidden, n)

    def loss(self, ids):
        out, _ = self.lstm(self.embed(ids[:-1]))
        return nn.functional.cross_entropy(self.decode(out).flatten(0, 1), ids[1:].flatten())


def windows(source, count, length=41):
    starts = torch.randint(len(source) - length, (count,))
    return source[starts + torch.arange(length)[:, None]]


args = argparse.ArgumentParser()
args.add_argument("--pretrain", action="store_true")
args = args.parse_args()
torch.manual_seed(0)
torch.set_num_threads(1)
model = CharLM()
if not args.pretrain:
    model.load_state_dict(torch.load(WEIGHTS))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2 if args.pretrain else 1e-3)
for step in range(6000 if args.pretrain else 300):
    optimizer.zero_grad()
    loss = model.loss(windows(train, 32))
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
with torch.no_grad():
    print(f"validation bits {model.loss(windows(valid, 400)).item() / math.log(2):.3f}")
if args.pretrain:
    torch.save(model.state_dict(), WEIGHTS)
