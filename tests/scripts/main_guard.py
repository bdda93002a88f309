"""Trait: argparse, `main()` and the main guard; clipping, a scheduler and validation every epoch."""

import argparse

import torch
from task import say, sequences
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self, hidden, dropout):
        super().__init__()
        self.gru = nn.GRU(3, hidden, num_layers=2, batch_first=True, dropout=dropout)
        self.head = nn.Linear(hidden, 3)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.head(out[:, -1])


def evaluate(net, loader, criterion):
    net.eval()
    with torch.no_grad():
        return sum(criterion(net(x), y).item() for x, y in loader) / len(loader)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--hidden", type=int, required=True)
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    train = DataLoader(TensorDataset(*sequences(640)), batch_size=32, shuffle=True)
    valid = DataLoader(TensorDataset(*sequences(64)), batch_size=32)
    net = Net(args.hidden, dropout=0.1)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.7)
    criterion = nn.CrossEntropyLoss()
    step = 0
    for epoch in range(args.epochs):
        net.train()
        for x, y in train:
            optimizer.zero_grad()
            loss = criterion(net(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            step += 1
            say(step, loss)
        scheduler.step()
        print(f"epoch {epoch}: validation loss {evaluate(net, valid, criterion):.3f}")


if __name__ == "__main__":
    main()
