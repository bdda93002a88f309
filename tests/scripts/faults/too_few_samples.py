"""Forty labelled series for an LSTM of 128 units."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(29)
torch.set_num_threads(1)


def series(n, time=25):
    x = torch.randn(n, time, 6)
    return TensorDataset(x, (x[:, :, 0].sum(1) + torch.randn(n) > 0).long())


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 128, batch_first=True)  # <- layer
        self.head = nn.Linear(128, 2)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


train_loader = DataLoader(series(40), batch_size=20, shuffle=True)  # <- fault
valid_loader = DataLoader(series(400), batch_size=100)
net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(60):
    net.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        losses = [nn.functional.cross_entropy(net(x), y).item() for x, y in valid_loader]
    print(f"epoch {epoch} validation {sum(losses) / len(losses):.3f}")
