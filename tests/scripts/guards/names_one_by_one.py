"""The tutorial's hand-written cell: one word at a time, a batch of one, weights changed by hand.

Target: right guesses at least 0.85
"""

import random

import torch
import torch.nn as nn

random.seed(2)
torch.manual_seed(2)
torch.set_num_threads(1)
n_letters, n_hidden = 26, 48
endings = {"a": 0, "o": 0, "n": 1, "k": 1, "s": 2, "y": 2}
n_categories = 3


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
        self.h2o = nn.Linear(hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, input, hidden):
        combined = torch.cat((input, hidden), 1)
        hidden = torch.tanh(self.i2h(combined))
        return self.softmax(self.h2o(hidden)), hidden

    def initHidden(self):
        return torch.zeros(1, self.hidden_size)


def randomTrainingExample():
    ending = random.choice(list(endings))
    word = "".join(random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(random.randint(3, 7))) + ending
    line_tensor = torch.zeros(len(word), 1, n_letters)
    for li, letter in enumerate(word):
        line_tensor[li][0][ord(letter) - 97] = 1
    return endings[ending], torch.tensor([endings[ending]]), line_tensor


rnn = RNN(n_letters, n_hidden, n_categories)
criterion = nn.NLLLoss()
learning_rate = 0.02


def train(category_tensor, line_tensor):
    hidden = rnn.initHidden()
    rnn.zero_grad()
    for i in range(line_tensor.size()[0]):
        output, hidden = rnn(line_tensor[i], hidden)
    loss = criterion(output, category_tensor)
    loss.backward()
    for p in rnn.parameters():
        p.data.add_(p.grad.data, alpha=-learning_rate)
    return output, loss.item()


right = 0
for iter in range(1, 2001):
    category, category_tensor, line_tensor = randomTrainingExample()
    output, loss = train(category_tensor, line_tensor)
    right += output.argmax().item() == category
    if iter % 500 == 0:
        print("%d %.4f right guesses %.3f" % (iter, loss, right / 500))  # noqa: UP031
        right = 0
