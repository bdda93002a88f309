"""Trait: DataLoader with two forked workers; shuffled, over two epochs."""

import torch
from task import say
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Signals(Dataset):
    def __len__(self):
        return 1600

    def __getitem__(self, index):
        x = torch.randn(12, 3, generator=torch.Generator().manual_seed(index))
        return x, x.sum(0).argmax()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 16, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    loader = DataLoader(Signals(), batch_size=32, shuffle=True, num_workers=2, multiprocessing_context="fork")
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    step = 0
    for _ in range(2):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            step += 1
            say(step, loss)


if __name__ == "__main__":
    main()
