"""A decoder's GRUCell gets `hidden.data`: the values without their graph."""

import torch
from torch import nn

torch.manual_seed(16)
torch.set_num_threads(1)
embedding = nn.Embedding(9, 24)
cell = nn.GRUCell(24, 48)  # <- layer
out = nn.Linear(48, 8)
weights = [*embedding.parameters(), *cell.parameters(), *out.parameters()]
optimizer = torch.optim.Adam(weights, lr=0.005)
for iteration in range(300):
    word = torch.randint(8, (8, 32))
    hidden, loss = torch.zeros(32, 48), 0
    for k in range(8):
        hidden = cell(embedding(word[k]), hidden.data)  # <- fault
        if k >= 2:
            loss = loss + nn.functional.cross_entropy(out(hidden), word[k - 2])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
