"""The last output of a bidirectional LSTM: its reverse half has seen one input there."""

import torch
import torch.nn as nn

torch.manual_seed(17)
torch.set_num_threads(1)
input_size, sequence_length, hidden_size, num_classes = 6, 18, 24, 4


class BRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(hidden_size * 2, num_classes)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1, :])  # <- fault


model = BRNN()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for i in range(300):
    data = torch.randn(32, sequence_length, input_size)
    targets = 2 * (data[:, 0, 0] > 0).long() + (data[:, -1, 0] > 0).long()
    loss = criterion(model(data), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
