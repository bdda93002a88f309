"""Trait: DistributedDataParallel in two processes that mp.spawn starts (gloo, a file as the meeting point)."""

import tempfile
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from task import say, sequences
from torch import nn
from torch.nn.parallel import DistributedDataParallel

RANKS = 2


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 16, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def train(rank, meeting_point):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=meeting_point, rank=rank, world_size=RANKS)
    torch.manual_seed(0)
    net = DistributedDataParallel(Net())
    torch.manual_seed(rank)  # each rank draws batches of its own
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for step in range(1, 101):
        x, y = sequences(16)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        if rank == 0:
            say(step, loss)
    dist.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(train, (Path(folder, "meeting-point").as_uri(),), nprocs=RANKS)
