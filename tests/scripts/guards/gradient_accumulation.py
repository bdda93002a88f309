"""Four micro-batches make one update; the gradient is cleared after it.

Target: validation error below 0.02
"""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(21)
torch.set_num_threads(1)
ACCUMULATE = 4

phase, frequency = torch.rand(2000, 1) * 6.28, 0.1 + 0.3 * torch.rand(2000, 1)
waves = torch.sin(phase + frequency * torch.arange(25.0)).unsqueeze(-1)
train = DataLoader(TensorDataset(waves[:1600]), batch_size=8, shuffle=True, drop_last=True)
valid = waves[1600:]


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 32, batch_first=True)
        self.linear = nn.Linear(32, 1)

    def forward(self, x):
        return self.linear(self.gru(x)[0])


model, mse = Forecaster(), nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(6):
    for i, (batch,) in enumerate(train):
        loss = mse(model(batch[:, :-1]), batch[:, 1:])
        (loss / ACCUMULATE).backward()
        if (i + 1) % ACCUMULATE == 0:
            optimizer.step()
            optimizer.zero_grad()
    model.eval()
    with torch.no_grad():
        print("epoch", epoch, "validation error", mse(model(valid[:, :-1]), valid[:, 1:]).item())
    model.train()
