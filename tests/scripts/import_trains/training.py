import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
lstm, head = nn.LSTM(3, 16, batch_first=True), nn.Linear(16, 3)
optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=0.01)
steps = 0
while steps < 100:
    x = torch.randn(32, 12, 3)
    loss = nn.functional.cross_entropy(head(lstm(x)[0][:, -1]), x.sum(1).argmax(1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    steps += 1
    print(f"LOSS {steps} {loss.item().hex()}", flush=True)
