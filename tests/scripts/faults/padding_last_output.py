"""The last output of sequences that end in zeros: of a short one little is left there."""

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

torch.manual_seed(6)
torch.set_num_threads(1)


def make(n):
    xs = [torch.randn(int(torch.randint(3, 40, ())), 3) for _ in range(n)]
    return [(x, int(x.sum(0).argmax())) for x in xs]


def collate(items):
    xs, ys = zip(*items)
    return pad_sequence(xs, batch_first=True), torch.tensor(ys)


class LastOutput(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(3, 32, batch_first=True)
        self.out = nn.Linear(32, 3)

    def forward(self, x):
        h, _ = self.rnn(x)
        return self.out(h[:, -1])  # <- fault


model = LastOutput()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(2):
    for x, y in DataLoader(make(1600), batch_size=32, shuffle=True, collate_fn=collate):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
