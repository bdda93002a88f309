"""Trait: functional_call and autograd.grad: new tensors replace the parameters at each step."""

import torch
from task import say, sequences
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 16, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


net = Net()
parameters = {name: p.detach().clone().requires_grad_() for name, p in net.named_parameters()}
for step in range(1, 101):
    x, y = sequences(32, length=6)
    loss = nn.functional.cross_entropy(torch.func.functional_call(net, parameters, (x,)), y)
    gradients = torch.autograd.grad(loss, list(parameters.values()))
    parameters = {
        name: (p - 1.0 * g).detach().requires_grad_()
        for (name, p), g in zip(parameters.items(), gradients, strict=True)
    }
    say(step, loss)
