"""The state goes on with its graph, and retain_graph=True silences PyTorch: gradients run through all batches so far."""

import torch
from torch import nn

torch.manual_seed(8)
torch.set_num_threads(1)


class Stateful(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(1, 20, batch_first=True)  # <- layer
        self.out = nn.Linear(20, 1)
        self.hidden = torch.zeros(1, 10, 20)

    def forward(self, x):
        y, self.hidden = self.rnn(x, self.hidden)  # <- fault
        return self.out(y)


model = Stateful()
criterion = nn.MSELoss()
for batch in range(60):
    x = torch.randn(10, 12, 1)
    model.zero_grad()
    loss = criterion(model(x), x.cumsum(1) / 4)
    loss.backward(retain_graph=True)
    for p in model.parameters():
        p.data -= 0.01 * p.grad
