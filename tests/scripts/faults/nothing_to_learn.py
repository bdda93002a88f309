"""Inputs and labels that were shuffled apart: the loss stands at the logarithm of the number of classes."""

import torch
from torch import nn

torch.manual_seed(37)
torch.set_num_threads(1)
embedding, gru, head = nn.Embedding(20, 16), nn.GRU(16, 32, batch_first=True), nn.Linear(32, 4)
parameters = [*embedding.parameters(), *gru.parameters(), *head.parameters()]
optimizer = torch.optim.Adam(parameters, lr=2e-3)
for step in range(400):
    tokens = torch.randint(20, (32, 10))
    labels = (tokens[:, -1] // 5)[torch.randperm(32)]
    logits = head(gru(embedding(tokens))[0][:, -1])
    loss = nn.functional.cross_entropy(logits, labels)  # <- fault
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
