"""A recurrent policy learns from demonstrations: episodes end within the rollout, and the state of the LSTMCell starts anew.

Target: agreement at least 0.9
"""

import torch
import torch.nn as nn

torch.manual_seed(14)
torch.set_num_threads(1)
ENVS, ROLLOUT, CUES = 16, 20, 4


class Environments:
    """A cue at the beginning of an episode tells the action that is right until the episode ends."""

    def __init__(self):
        self.cue = torch.randint(CUES, (ENVS,))
        self.fresh = torch.ones(ENVS, dtype=torch.bool)

    def step(self):
        observation = 0.3 * torch.randn(ENVS, CUES + 1)
        observation[:, :CUES] += self.fresh[:, None] * nn.functional.one_hot(self.cue, CUES) * 3
        action, first = self.cue.clone(), self.fresh
        self.fresh = torch.rand(ENVS) < 0.1
        self.cue = torch.where(self.fresh, torch.randint(CUES, (ENVS,)), self.cue)
        return observation, action, first


class Policy(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(CUES + 1, 32), nn.Tanh())
        self.memory = nn.LSTMCell(32, hidden)
        self.actor = nn.Linear(hidden, CUES)

    def forward(self, observation, state, first):
        keep = (~first).float().unsqueeze(1)
        state = self.memory(self.encode(observation), (state[0] * keep, state[1] * keep))
        return self.actor(state[0]), state


env, policy = Environments(), Policy()
optimizer = torch.optim.Adam(policy.parameters(), lr=3e-3)
state = (torch.zeros(ENVS, 32), torch.zeros(ENVS, 32))
for update in range(300):
    state = tuple(s.detach() for s in state)
    loss, same = 0, 0
    for _ in range(ROLLOUT):
        observation, action, first = env.step()
        logits, state = policy(observation, state, first)
        loss = loss + nn.functional.cross_entropy(logits, action)
        same += (logits.argmax(1) == action).float().mean().item()
    optimizer.zero_grad()
    (loss / ROLLOUT).backward()
    nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
    optimizer.step()
    if update % 50 == 49:
        print(f"update {update + 1} agreement {same / ROLLOUT:.3f}")
