"""An LSTMCell whose state is cut off at every step of the sequence, instead of between updates."""

import torch
from torch import nn

torch.manual_seed(14)
torch.set_num_threads(1)


class Policy(nn.Module):
    def __init__(self, inputs=5, hidden=32, actions=4):
        super().__init__()
        self.hidden = hidden
        self.memory = nn.LSTMCell(inputs, hidden)  # <- layer
        self.actor = nn.Linear(hidden, actions)

    def forward(self, observations):
        h = c = observations.new_zeros(observations.size(1), self.hidden)
        for observation in observations:
            h, c = self.memory(observation, (h.detach(), c.detach()))  # <- fault
        return self.actor(h)


policy = Policy()
optimizer = torch.optim.Adam(policy.parameters(), lr=3e-3)
for update in range(300):
    cue = torch.randint(4, (16,))
    observations = 0.3 * torch.randn(20, 16, 5)
    observations[0, torch.arange(16), cue] += 3
    loss = nn.functional.cross_entropy(policy(observations), cue)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
