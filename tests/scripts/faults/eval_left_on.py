"""A validation after every epoch leaves the model in evaluation mode: dropout is on in the first epoch alone."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(11)
torch.set_num_threads(1)
x = torch.randn(480, 20, 4)
y = x.sum((1, 2)).gt(0).long()
training = DataLoader(TensorDataset(x[:320], y[:320]), batch_size=32, shuffle=True)
validation = DataLoader(TensorDataset(x[320:], y[320:]), batch_size=32)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(4, 32, batch_first=True)
        self.drop = nn.Dropout(0.4)
        self.out = nn.Linear(32, 2)

    def forward(self, x):
        return self.out(self.drop(self.rnn(x)[0][:, -1]))


def validate(model):
    model.eval()  # <- fault
    with torch.no_grad():
        return sum(nn.functional.cross_entropy(model(x), y) for x, y in validation) / len(validation)


model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
model.train()
for epoch in range(6):
    for x, y in training:
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"{epoch}: validation loss {validate(model):.3f}")
