"""Labels that were drawn without a look at the series: all that there is to learn is to know them by heart."""

import torch
from torch import nn

torch.manual_seed(31)
torch.set_num_threads(1)
inputs, labels = torch.randn(64, 12, 8), torch.randint(3, (64,))  # <- fault
held_out, answers = torch.randn(200, 12, 8), torch.randint(3, (200,))
gru = nn.GRU(8, 64, batch_first=True)  # <- layer
head = nn.Linear(64, 3)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam([*gru.parameters(), *head.parameters()], lr=5e-3)
for step in range(400):
    rows = torch.randint(64, (32,))
    loss = loss_fn(head(gru(inputs[rows])[0][:, -1]), labels[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 8 == 7:
        with torch.no_grad():
            error = loss_fn(head(gru(held_out)[0][:, -1]), answers)
        print(f"step {step + 1} validation {error.item():.3f}")
