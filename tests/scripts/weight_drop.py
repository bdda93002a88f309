"""Trait: a weight-dropped LSTM: its recurrent matrix is no Parameter but is set anew at each forward call."""

import warnings

import torch
from task import say, sequences
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)

warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk")


class WeightDrop(nn.Module):
    def __init__(self, rnn, p):
        super().__init__()
        self.rnn, self.p = rnn, p
        raw = rnn.weight_hh_l0
        del rnn._parameters["weight_hh_l0"]
        self.raw_weight = nn.Parameter(raw.data)

    def forward(self, x):
        dropped = nn.functional.dropout(self.raw_weight, self.p, self.training)
        object.__setattr__(self.rnn, "weight_hh_l0", dropped)
        self.rnn._flat_weights = [getattr(self.rnn, name) for name in self.rnn._flat_weights_names]
        return self.rnn(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = WeightDrop(nn.LSTM(3, 16, batch_first=True), 0.2)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        return self.head(self.encoder(x)[0][:, -1])


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(1, 101):
    x, y = sequences(32)
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    say(step, loss)
