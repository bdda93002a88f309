"""A focal loss on rare events, and a forecast of quantiles whose weight rises from 0 later; norms are logged afterwards.

Target: share of events found at least 0.9
"""

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(21)
torch.set_num_threads(1)
QUANTILES = (torch.arange(5) + 0.5) / 5


class Monitor(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.rnn = nn.GRU(2, hidden, batch_first=True)
        self.kind = nn.Linear(hidden, 3)
        self.level = nn.Linear(hidden, len(QUANTILES))

    def forward(self, signal):
        features, _ = self.rnn(signal)
        return self.kind(features), self.level(features[:, -1])


def focal(logits, kinds, gamma=2.0):
    log_p = F.log_softmax(logits, dim=-1)
    weighted = (1 - log_p.exp()) ** gamma * log_p
    return F.nll_loss(weighted.flatten(0, 1), kinds.flatten(), weight=torch.tensor([1.0, 3.0, 3.0]))


def pinball(quantiles, samples):
    """Each quantile against each sample. Shapes: (B, Q), (B, S)."""
    error = F.smooth_l1_loss(quantiles.unsqueeze(2), samples.unsqueeze(1), reduction="none", beta=0.1)
    below = (samples.unsqueeze(1) < quantiles.detach().unsqueeze(2)).float()
    return (error * (QUANTILES[:, None] - below).abs()).mean()


def recording(rows, frames=24):
    signal = torch.randn(rows, frames, 2)
    kinds = (signal[..., 0] > 1.4).long()
    high = signal[..., 1] > 0.8
    kinds[high & high.roll(1, 1)] = 2
    kinds[:, 0] = 0
    future = signal[:, -3:, 1].mean(1, keepdim=True) + 0.2 * torch.randn(rows, 6)
    return signal, kinds, future


net = Monitor()
optimizer = torch.optim.Adam(net.parameters(), 5e-3)
norms = []
for step in range(400):
    signal, kinds, future = recording(24)
    logits, quantiles = net(signal)
    share = min(1.0, max(0.0, (step - 100) / 100))
    loss = focal(logits, kinds) + 0.1 * share * pinball(quantiles, future)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    norms.append(nn.utils.clip_grad_norm_(net.parameters(), float("inf")).item())

with torch.no_grad():
    signal, kinds, future = recording(300)
    found = net(signal)[0].argmax(-1) == kinds
print(f"largest norm {max(norms):.3f}, pinball {pinball(net(signal)[1], future).item():.4f}")
print(f"share of events found {found[kinds > 0].float().mean().item():.3f}")
