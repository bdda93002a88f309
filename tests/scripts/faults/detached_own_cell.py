"""A hand-written cell whose state is cut off at every step."""

import torch
import torch.nn as nn

torch.manual_seed(2)
torch.set_num_threads(1)


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size, hidden_size)
        self.h2h = nn.Linear(hidden_size, hidden_size)
        self.h2o = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        hidden = torch.zeros(x.size(1), self.hidden_size)
        for step in x:
            hidden = torch.tanh(self.i2h(step) + self.h2h(hidden)).detach()  # <- fault
        return self.h2o(hidden)


rnn = RNN(3, 32, 3)
optimizer = torch.optim.SGD(rnn.parameters(), lr=0.1)
for iteration in range(300):
    x = torch.randn(10, 32, 3)
    loss = nn.functional.cross_entropy(rnn(x), x.sum(0).argmax(1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
