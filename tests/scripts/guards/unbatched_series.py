"""One series at a time, without a batch axis: (T, 1) into a GRU.

Target: error below 0.02
"""

import torch

torch.manual_seed(22)
torch.set_num_threads(1)
gru, head = torch.nn.GRU(1, 24), torch.nn.Linear(24, 1)
weights = [*gru.parameters(), *head.parameters()]
optimizer = torch.optim.Adam(weights, lr=5e-3)
recent = []
for episode in range(500):
    t = torch.arange(31.0) + 50 * torch.rand(())
    series = (torch.sin(0.3 * t) + 0.3 * torch.sin(0.9 * t)).unsqueeze(1)
    states, _ = gru(series[:-1])
    loss = (head(states) - series[1:]).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    recent.append(loss.item())
print("error", sum(recent[-50:]) / 50)
