"""A ReLU recurrence of raw parameters, its matrix the identity: it counts how often the first signal was on.

Target: mean error below 0.5
"""

import torch

torch.manual_seed(3)
torch.set_num_threads(1)
n_in, n_h, T = 3, 32, 25

Wxh = torch.nn.Parameter(0.1 * torch.randn(n_in, n_h))
Whh = torch.nn.Parameter(torch.eye(n_h))
bh = torch.nn.Parameter(torch.zeros(n_h))
Why = torch.nn.Parameter(0.1 * torch.randn(n_h, 1))
by = torch.nn.Parameter(torch.zeros(1))
params = [Wxh, Whh, bh, Why, by]
optimizer = torch.optim.Adam(params, lr=2e-3)


def forward(xs):
    h = torch.zeros(xs.shape[1], n_h)
    for x in xs:
        h = torch.relu(x @ Wxh + h @ Whh + bh)
    return (h @ Why + by).squeeze(1)


for step in range(1600):
    xs = (torch.rand(T, 32, n_in) < 0.4).float()
    counts = xs[:, :, 0].sum(0)
    prediction = forward(xs)
    loss = ((prediction - counts) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 49:
        print(step + 1, "mean error", (prediction - counts).abs().mean().item())
