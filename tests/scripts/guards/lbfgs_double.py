"""Two LSTMCells in double precision foresee a sine; LBFGS asks for the loss many times an update.

Target: test loss below 0.01
"""

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim

np.random.seed(2)
torch.manual_seed(0)
torch.set_num_threads(1)
x = np.arange(40) + np.random.randint(-80, 80, (12, 1))
data = torch.from_numpy(np.sin(x / 5.0))


class Sequence(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm1 = nn.LSTMCell(1, 16)
        self.lstm2 = nn.LSTMCell(16, 16)
        self.linear = nn.Linear(16, 1)

    def forward(self, input):
        outputs = []
        h_t, c_t, h_t2, c_t2 = (torch.zeros(input.size(0), 16, dtype=torch.double) for _ in range(4))
        for input_t in input.split(1, dim=1):
            h_t, c_t = self.lstm1(input_t, (h_t, c_t))
            h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
            outputs += [self.linear(h_t2)]
        return torch.cat(outputs, dim=1)


seq = Sequence()
seq.double()
criterion = nn.MSELoss()
optimizer = optim.LBFGS(seq.parameters(), lr=0.5, max_iter=6)
for i in range(12):

    def closure():
        optimizer.zero_grad()
        loss = criterion(seq(data[3:, :-1]), data[3:, 1:])
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        print("STEP:", i, "test loss:", criterion(seq(data[:3, :-1]), data[:3, 1:]).item())
