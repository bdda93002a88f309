"""(B, T, I) into an LSTM that expects (T, B, I): the state runs from sample to sample."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(7)
torch.set_num_threads(1)
signal = torch.randn(1600, 20, 4)
label = (signal[:, -3:].sum(dim=(1, 2)) > 0).long()


class Classifier(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(4, hidden)  # <- fault
        self.fc = nn.Linear(hidden, 2)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1])


model = Classifier()
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(2):
    for x, y in DataLoader(TensorDataset(signal, label), batch_size=32, shuffle=True):
        opt.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        opt.step()
