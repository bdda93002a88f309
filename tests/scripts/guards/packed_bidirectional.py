"""Names of very different length, packed; the last state of each direction is read from h_n.

Target: accuracy at least 0.95
"""

import random

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader

random.seed(0)
torch.manual_seed(0)
torch.set_num_threads(1)
SYLLABLES = {
    "it": "ro ni ca la ti go".split(),
    "de": "sch ber mann hof stein er".split(),
    "jp": "ka to mi yu shi ko".split(),
}
LANGUAGES = list(SYLLABLES)


def name():
    language = random.choice(LANGUAGES)
    other = SYLLABLES[random.choice(LANGUAGES)]
    parts = [random.choice(SYLLABLES[language]) for _ in range(random.randint(2, 7))]
    parts.insert(random.randrange(len(parts)), random.choice(other))
    return torch.tensor([ord(c) - 96 for c in "".join(parts)]), LANGUAGES.index(language)


def collate(batch):
    names, labels = zip(*batch)
    return pad_sequence(names, batch_first=True), torch.tensor([len(n) for n in names]), torch.tensor(labels)


class NameClassifier(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.chars = nn.Embedding(27, 16, padding_idx=0)
        self.lstm = nn.LSTM(16, hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * hidden, len(LANGUAGES))

    def forward(self, names, lengths):
        packed = pack_padded_sequence(self.chars(names), lengths, batch_first=True, enforce_sorted=False)
        _, (h_n, _) = self.lstm(packed)
        return self.out(torch.cat([h_n[0], h_n[1]], dim=1))


loader = DataLoader([name() for _ in range(1200)], batch_size=24, shuffle=True, collate_fn=collate)
names, lengths, labels = collate([name() for _ in range(300)])
model = NameClassifier()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for epoch in range(5):
    for n, l, y in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(n, l), y).backward()
        optimizer.step()
    with torch.no_grad():
        print("accuracy", (model(names, lengths).argmax(1) == labels).float().mean().item())
