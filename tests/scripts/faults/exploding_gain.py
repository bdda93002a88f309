"""Recurrent weights ten times too large for ReLU units: state and gradient grow with every step."""

import torch
from torch import nn

torch.manual_seed(19)
torch.set_num_threads(1)


class Net(nn.Module):
    def __init__(self, input_size=2, hidden_size=64, classes=2):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, nonlinearity="relu", batch_first=True)  # <- layer
        self.fc = nn.Linear(hidden_size, classes)
        nn.init.normal_(self.rnn.weight_hh_l0, std=2.4 / hidden_size**0.5)  # <- fault

    def forward(self, x):
        return self.fc(self.rnn(x)[0][:, -1])


model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for i in range(300):
    x = torch.rand(32, 40, 2)
    y = (x[:, :, 0].sum(1) > x[:, :, 1].sum(1)).long()
    loss = nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
