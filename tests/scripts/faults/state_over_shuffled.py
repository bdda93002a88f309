"""A state that is carried on from batch to batch, though the loader shuffles."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(9)
torch.set_num_threads(1)
bits = torch.randint(0, 2, (1600, 20))
loader = DataLoader(TensorDataset(bits, bits.cumsum(1) % 3), batch_size=32, shuffle=True)
rnn = nn.LSTM(2, 32, batch_first=True)  # <- layer
classifier = nn.Linear(32, 3)
optimizer = torch.optim.Adam([*rnn.parameters(), *classifier.parameters()], lr=0.01)
state = None
for epoch in range(2):
    for x, y in loader:
        if state is not None:
            state = tuple(s.detach() for s in state)
        out, state = rnn(nn.functional.one_hot(x, 2).float(), state)  # <- fault
        loss = nn.functional.cross_entropy(classifier(out).transpose(1, 2), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
