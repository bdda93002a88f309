"""Trait: several models and optimizers: an encoder and a decoder, each with its own; the task is to copy."""

import torch
from task import say
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
SYMBOLS, START, LENGTH = 6, 6, 5


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(SYMBOLS, 16)
        self.gru = nn.GRU(16, 32, batch_first=True)

    def forward(self, x):
        return self.gru(self.embed(x))[1]


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(SYMBOLS + 1, 16)
        self.gru = nn.GRU(16, 32, batch_first=True)
        self.head = nn.Linear(32, SYMBOLS)

    def forward(self, previous, state):
        return self.head(self.gru(self.embed(previous), state)[0])


encoder, decoder = Encoder(), Decoder()
encoder_optimizer = torch.optim.Adam(encoder.parameters(), lr=0.01)
decoder_optimizer = torch.optim.AdamW(decoder.parameters(), lr=0.01)
for step in range(1, 101):
    x = torch.randint(SYMBOLS, (32, LENGTH))
    previous = torch.cat([torch.full((32, 1), START), x[:, :-1]], dim=1)  # teacher forcing
    encoder_optimizer.zero_grad()
    decoder_optimizer.zero_grad()
    logits = decoder(previous, encoder(x))
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), x.flatten())
    loss.backward()
    encoder_optimizer.step()
    decoder_optimizer.step()
    say(step, loss)
