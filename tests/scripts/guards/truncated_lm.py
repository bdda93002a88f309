"""A word language model by truncated backpropagation: the state goes on from chunk to chunk, cut off; SGD at rate 5.

Target: valid ppl below 12
"""

import math
from pydoc_data.topics import topics

import torch
import torch.nn as nn

torch.manual_seed(1111)
torch.set_num_threads(1)
text = " ".join(topics[key] for key in sorted(topics))[:120000].lower()
idx2char = sorted(set(text))
char2idx = {c: i for i, c in enumerate(idx2char)}
ids = torch.tensor([char2idx[c] for c in text])


def batchify(data, bsz):
    nbatch = data.size(0) // bsz
    return data.narrow(0, 0, nbatch * bsz).view(bsz, -1).t().contiguous()


class RNNModel(nn.Module):
    def __init__(self, ntoken, ninp, nhid, nlayers):
        super().__init__()
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, nhid, nlayers)
        self.decoder = nn.Linear(nhid, ntoken)
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)

    def forward(self, input, hidden):
        output, hidden = self.rnn(self.encoder(input), hidden)
        return self.decoder(output).view(-1, len(idx2char)), hidden


def repackage_hidden(h):
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


train_data, val_data = batchify(ids[:110000], 20), batchify(ids[110000:], 10)
model, criterion, bptt, lr = RNNModel(len(idx2char), 32, 64, 1), nn.CrossEntropyLoss(), 25, 5.0
for epoch in range(6):
    hidden = tuple(torch.zeros(1, 20, 64) for _ in range(2))
    for i in range(0, train_data.size(0) - 1, bptt):
        seq_len = min(bptt, len(train_data) - 1 - i)
        model.zero_grad()
        hidden = repackage_hidden(hidden)
        output, hidden = model(train_data[i : i + seq_len], hidden)
        loss = criterion(output, train_data[i + 1 : i + 1 + seq_len].view(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-lr)
    with torch.no_grad():
        output, _ = model(val_data[:-1], tuple(torch.zeros(1, 10, 64) for _ in range(2)))
        print("| epoch", epoch, "| valid ppl", math.exp(criterion(output, val_data[1:].view(-1)).item()))
