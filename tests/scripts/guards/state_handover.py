"""The encoder's last state starts the decoder, which is fed the shifted target as a whole; the gradient comes back alone through the state.

Target: token accuracy at least 0.9
"""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(18)
torch.set_num_threads(1)


class Seq2Seq(nn.Module):
    def __init__(self, tokens, dim):
        super().__init__()
        self.embed = nn.Embedding(tokens + 1, dim)
        self.encoder = nn.LSTM(dim, dim, batch_first=True)
        self.decoder = nn.LSTM(dim, dim, batch_first=True)
        self.project = nn.Linear(dim, tokens)

    def forward(self, source, shifted):
        _, state = self.encoder(self.embed(source))
        output, _ = self.decoder(self.embed(shifted), state)
        return self.project(output)


model = Seq2Seq(tokens=10, dim=64)
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
for step in range(1, 701):
    source = torch.randint(10, (48, 5))
    target = source.sort(dim=1).values
    shifted = torch.cat([torch.full((48, 1), 10), target[:, :-1]], dim=1)
    logits = model(source, shifted)
    loss = F.cross_entropy(logits.transpose(1, 2), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(f"step {step}: token accuracy {(logits.argmax(-1) == target).float().mean():.3f}")
