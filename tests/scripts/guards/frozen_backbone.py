"""Fine-tuning: a frozen encoder with dropout stays in evaluation mode, and so do the statistics of batch normalization.

Target: loss below 0.4
"""

import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(6, 48, num_layers=2, dropout=0.2, batch_first=True)
        self.drop = nn.Dropout(0.2)

    def forward(self, x):
        return self.drop(self.rnn(x)[0])


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.rnn = nn.GRU(48, 32, batch_first=True)
        self.norm = nn.BatchNorm1d(32)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(32, 2)

    def forward(self, x):
        out, _ = self.rnn(self.encoder(x))
        return self.out(self.drop(self.norm(out.transpose(1, 2)).transpose(1, 2)))

    def train(self, mode=True):
        super().train(mode)
        self.encoder.eval()
        self.norm.eval()
        return self


def main():
    torch.manual_seed(4)
    torch.set_num_threads(1)
    model = Tagger()
    model.encoder.requires_grad_(False)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.01)
    for step in range(1, 301):
        model.train()
        x = torch.randn(32, 15, 6)
        tags = x[..., :3].sum(2).gt(0).long()
        loss = nn.functional.cross_entropy(model(x).transpose(1, 2), tags)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 20 == 0:
            model.eval()
            print(f"{step}: loss {loss:.3f}")


if __name__ == "__main__":
    main()
