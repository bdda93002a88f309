"""A stateful model on an ordered stream: a loader that does not shuffle, and a state that is carried on.

Target: error below 0.1
"""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(8)
torch.set_num_threads(1)


class Stream(Dataset):
    """Ten parallel series cut into consecutive windows: element k is the k-th window of all of them."""

    def __init__(self, windows, length=16):
        noise = torch.randn(windows * length + 1, 10)
        level = torch.zeros(10)
        smooth = []
        for row in noise:
            level = 0.9 * level + 0.436 * row
            smooth.append(level)
        self.x = noise.unfold(0, length, length)[:windows]
        self.y = torch.stack(smooth).unfold(0, length, length)[:windows]

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return self.x[index].unsqueeze(-1), self.y[index].unsqueeze(-1)


class StatefulGRU(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 20, batch_first=True)
        self.out = nn.Linear(20, 1)
        self.state = None

    def forward(self, x):
        y, state = self.gru(x, self.state)
        self.state = state.detach()
        return self.out(y)


model = StatefulGRU()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
loader = DataLoader(Stream(120), batch_size=None, shuffle=False)
for epoch in range(6):
    model.state, total = None, 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"epoch {epoch}: error {total / len(loader):.4f}")
