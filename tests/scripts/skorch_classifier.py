"""Trait: skorch runs the loop, with a closure for the optimizer and its own validation split."""

import torch
from skorch import NeuralNetClassifier
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


class Spoken(NeuralNetClassifier):
    seen = 0

    def train_step_single(self, batch, **fit_params):
        result = super().train_step_single(batch, **fit_params)
        self.seen += 1
        say(self.seen, result["loss"])
        return result


x, y = sequences(2000)
classifier = Spoken(
    Net,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.01,
    max_epochs=2,
    batch_size=32,
    iterator_train__shuffle=True,
)
classifier.fit(x.numpy(), y.numpy())
