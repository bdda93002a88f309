"""A GRU whose update gates start nearly shut for news (z bias +4): it keeps its state for fifty steps.

Target: accuracy at least 0.97
"""

import torch

torch.manual_seed(11)
torch.set_num_threads(1)
hidden, lag, classes = 48, 50, 4
gru = torch.nn.GRU(classes + 1, hidden, batch_first=True)
with torch.no_grad():
    gru.bias_ih_l0[hidden : 2 * hidden] += 4.0
readout = torch.nn.Linear(hidden, classes)
params = [*gru.parameters(), *readout.parameters()]
opt = torch.optim.Adam(params, lr=0.004)


def make_batch(size):
    y = torch.randint(classes, (size,))
    x = torch.zeros(size, lag + 1, classes + 1)
    x[torch.arange(size), 0, y] = 1.0
    x[:, 1:, classes] = torch.randn(size, lag)
    return x, y


for update in range(1, 401):
    x, y = make_batch(24)
    _, h = gru(x)
    logits = readout(h.squeeze(0))
    loss = torch.nn.functional.cross_entropy(logits, y)
    opt.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(params, 1.0)
    opt.step()

with torch.no_grad():
    x, y = make_batch(500)
    print("accuracy", (readout(gru(x)[1][0]).argmax(1) == y).float().mean().item())
