"""Trait: packed sequences of different lengths into a bidirectional LSTM; the states of both ends are read."""

import torch
from task import say
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)

from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 12, batch_first=True, bidirectional=True)
        self.head = nn.Linear(24, 3)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, (h, _) = self.lstm(packed)
        return self.head(torch.cat([h[0], h[1]], dim=1))


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(1, 101):
    lengths = torch.randint(4, 17, (32,))
    rows = [torch.randn(n, 3) for n in lengths.tolist()]
    y = torch.stack([row.sum(0).argmax() for row in rows])
    loss = nn.functional.cross_entropy(net(pad_sequence(rows, batch_first=True), lengths), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    say(step, loss)
