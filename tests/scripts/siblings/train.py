"""Trait: a script in a folder of its own, with sibling modules that it imports by bare name."""

import network
import torch
from data import batches
from torch.nn.functional import cross_entropy

torch.manual_seed(0)
torch.set_num_threads(1)
net = network.build()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step, (x, y) in enumerate(batches(100), 1):
    optimizer.zero_grad()
    loss = cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    print(f"LOSS {step} {loss.item().hex()}", flush=True)
