"""Reads each direction of a bidirectional LSTM where it ends: forward at the last step, backward at the first.

Target: val_acc at least 0.95
"""

import torch
import torch.nn as nn

torch.manual_seed(17)
torch.set_num_threads(1)
input_size, sequence_length, hidden_size, num_classes = 6, 18, 24, 4
learning_rate, batch_size, iterations = 0.005, 32, 350


class BRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, num_layers=2, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(hidden_size * 2, num_classes)

    def forward(self, x):
        out, _ = self.lstm(x)
        summary = torch.cat((out[:, -1, :hidden_size], out[:, 0, hidden_size:]), dim=-1)
        return self.fc(summary)


def get_batch(n):
    # Both ends matter: the sign at the first step and the sign at the last one.
    x = torch.randn(n, sequence_length, input_size)
    y = 2 * (x[:, 0, 0] > 0).long() + (x[:, -1, 0] > 0).long()
    return x, y


model = BRNN()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
for i in range(iterations):
    data, targets = get_batch(batch_size)
    scores = model(data)
    loss = criterion(scores, targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
model.eval()
with torch.no_grad():
    data, targets = get_batch(1000)
    print(f"val_acc {(model(data).max(1)[1] == targets).sum().item() / 1000}")
