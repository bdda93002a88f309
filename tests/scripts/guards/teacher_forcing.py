"""An encoder and a decoder that goes one step at a time, with the right symbol as its next input, reverse a word.

Target: symbol accuracy at least 0.9
"""

import torch
from torch import nn, optim

torch.manual_seed(16)
torch.set_num_threads(1)
SYMBOLS, LENGTH, SOS, HIDDEN = 8, 6, 8, 64


class EncoderRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, 32)
        self.gru = nn.GRU(32, HIDDEN)

    def forward(self, word):
        return self.gru(self.embedding(word))[1]


class DecoderRNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS + 1, 32)
        self.gru = nn.GRU(32, HIDDEN)
        self.out = nn.Linear(HIDDEN, SYMBOLS)

    def forward(self, symbol, hidden):
        output, hidden = self.gru(self.embedding(symbol).unsqueeze(0), hidden)
        return self.out(output.squeeze(0)), hidden


encoder, decoder = EncoderRNN(), DecoderRNN()
encoder_optimizer = optim.Adam(encoder.parameters(), lr=0.005)
decoder_optimizer = optim.Adam(decoder.parameters(), lr=0.005)
criterion = nn.CrossEntropyLoss()
for iteration in range(1, 501):
    word = torch.randint(SYMBOLS, (LENGTH, 32))
    target = word.flip(0)
    encoder_optimizer.zero_grad()
    decoder_optimizer.zero_grad()
    hidden, symbol, loss, right = encoder(word), torch.full((32,), SOS), 0, 0
    for wanted in target:
        logits, hidden = decoder(symbol, hidden)
        loss += criterion(logits, wanted)
        right += (logits.argmax(1) == wanted).float().mean().item()
        symbol = wanted
    loss.backward()
    encoder_optimizer.step()
    decoder_optimizer.step()
    if iteration % 100 == 0:
        print(f"{iteration} loss {loss.item() / LENGTH:.3f} symbol accuracy {right / LENGTH:.3f}")
