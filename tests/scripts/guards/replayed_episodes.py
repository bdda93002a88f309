"""A recurrent Q-network acts on with its state and the graph of it, while every update learns from replayed episodes.

Target: reward at least 0.9
"""

import random

import torch
from torch import nn

torch.manual_seed(21)
random.seed(21)
torch.set_num_threads(1)
CUES, LENGTH, BATCH = 3, 8, 16


class QNet(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.encode = nn.Linear(CUES + 1, hidden)
        self.memory = nn.LSTM(hidden, hidden, batch_first=True)
        self.values = nn.Linear(hidden, CUES)

    def forward(self, observations, state=None):
        features, state = self.memory(torch.relu(self.encode(observations)), state)
        return self.values(features), state


def observe(cue, time):
    """The cue is shown at the first step alone; the last entry is the clock."""
    observation = torch.zeros(CUES + 1)
    observation[CUES] = time / LENGTH
    if time == 0:
        observation[cue] = 1.0
    return observation


net, target = QNet(), QNet()
target.load_state_dict(net.state_dict())
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
replay, rewards, updates, episode = [], [], 0, 0
while updates < 1600:
    cue, state, seen, taken, paid = random.randrange(CUES), None, [], [], []
    for time in range(LENGTH):
        seen.append(observe(cue, time))
        values, state = net(seen[-1].view(1, 1, -1), state)
        chance = random.random() < max(0.05, 1 - updates / 800)
        taken.append(random.randrange(CUES) if chance else values.argmax().item())
        paid.append(float(taken[-1] == cue))
        if len(replay) >= 2 * BATCH:
            batch = random.sample(replay, BATCH)
            observations = torch.stack([torch.stack(o) for o, _, _ in batch])
            actions = torch.tensor([a for _, a, _ in batch])
            reward = torch.tensor([r for _, _, r in batch])
            with torch.no_grad():
                following = target(observations)[0].max(2).values[:, 1:]
            goal = reward + 0.5 * nn.functional.pad(following, (0, 1))
            chosen = net(observations)[0].gather(2, actions.unsqueeze(2)).squeeze(2)
            loss = nn.functional.smooth_l1_loss(chosen, goal)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            updates += 1
            for slow, fast in zip(target.parameters(), net.parameters(), strict=True):
                slow.data.lerp_(fast.data, 0.02)
    replay.append((seen, taken, paid))
    rewards.append(sum(paid) / LENGTH)
    episode += 1
    if episode % 50 == 0:
        print(f"episode {episode}: reward {sum(rewards[-20:]) / 20:.3f}")
