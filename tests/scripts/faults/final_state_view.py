"""h_n.view(B, -1) of (directions, B, H): rows of the result hold states of two samples."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
torch.set_num_threads(1)
x = torch.randn(1600, 15, 3)
loader = DataLoader(TensorDataset(x, x.sum(1).argmax(1)), batch_size=32, shuffle=True)


class BiGRU(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 24, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(48, 3)

    def forward(self, x):
        _, hidden = self.gru(x)
        return self.fc(hidden.view(x.size(0), -1))  # <- fault


model = BiGRU()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for epoch in range(2):
    for x, y in loader:
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
