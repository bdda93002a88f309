"""Eight plain layers with small weights on top of each other, and nothing that leads around them."""

import torch
from torch import nn

torch.manual_seed(23)
torch.set_num_threads(1)


class Deep(nn.Module):
    def __init__(self, depth=8, width=24):
        super().__init__()
        self.rnn = nn.RNN(2, width, num_layers=depth)  # <- layer
        self.outputs = nn.Linear(width, 2)
        for k in range(1, depth):
            nn.init.normal_(getattr(self.rnn, f"weight_ih_l{k}"), std=0.05)  # <- fault

    def forward(self, x):
        return self.outputs(self.rnn(x)[0])


model = Deep()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(200):
    x = torch.randn(16, 16, 2)
    y = (x[..., 1] > x[..., 0]).long()
    loss = nn.functional.cross_entropy(model(x).view(-1, 2), y.view(-1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
