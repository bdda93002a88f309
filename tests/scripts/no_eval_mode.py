"""Trait: validation every ten steps under no_grad, but without `eval()` (the network has no dropout)."""

import torch
from task import say, sequences
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 16, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
x_valid, y_valid = sequences(128)
for step in range(1, 101):
    x, y = sequences(32)
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    say(step, loss)
    if step % 10 == 0:
        with torch.no_grad():
            valid_loss = nn.functional.cross_entropy(net(x_valid), y_valid)
        print(f"step {step}: validation loss {valid_loss.item():.3f}")
