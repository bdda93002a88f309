"""Trait: DistributedDataParallel under torchrun (gloo); rank 0 prints."""

import torch
import torch.distributed as dist
from task import say, sequences
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 16, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


torch.manual_seed(0)
torch.set_num_threads(1)
dist.init_process_group("gloo")
data = TensorDataset(*sequences(1600))
sampler = DistributedSampler(data)
loader = DataLoader(data, batch_size=16, sampler=sampler)
net = DistributedDataParallel(Net())
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
step = 0
for epoch in range(2):
    sampler.set_epoch(epoch)
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        step += 1
        if dist.get_rank() == 0:
            say(step, loss)
dist.destroy_process_group()
