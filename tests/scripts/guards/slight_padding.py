"""One sequence in five is a step or two short: the last output of these has seen a little padding, and learns in spite of it.

Target: accuracy at least 0.95
"""

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

torch.manual_seed(6)
torch.set_num_threads(1)


def make(n):
    data = []
    for _ in range(n):
        short = int(torch.randint(1, 3, ())) if torch.rand(()) < 0.2 else 0
        x = torch.randn(20 - short, 3)
        data.append((x, int(x.sum(0).argmax())))
    return data


def collate(items):
    xs, ys = zip(*items)
    return pad_sequence(xs, batch_first=True), torch.tensor(ys)


class LastOutput(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 32, batch_first=True)
        self.out = nn.Linear(32, 3)

    def forward(self, x):
        h, _ = self.rnn(x)
        return self.out(h[:, -1])


loader = DataLoader(make(8000), batch_size=32, shuffle=True, collate_fn=collate)
test_x, test_y = collate(make(400))
model = LastOutput()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(6):
    for x, y in loader:
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
with torch.no_grad():
    print("accuracy", (model(test_x).argmax(1) == test_y).float().mean().item())
