"""Attention whose weights sum to 1 over the samples of the batch, where a time step competes with others' time steps."""

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(11)
torch.set_num_threads(1)


class AttentivePooling(nn.Module):
    def __init__(self, dim, attention_dim=16):
        super().__init__()
        self.project = nn.Linear(dim, attention_dim)
        self.query = nn.Linear(attention_dim, 1, bias=False)

    def forward(self, H):
        weights = F.softmax(self.query(torch.tanh(self.project(H))), dim=0)  # <- fault
        return torch.einsum("btd,bto->bd", H, weights)


class Finder(nn.Module):
    def __init__(self, items=8):
        super().__init__()
        self.embed = nn.Embedding(items, 16)
        self.gru = nn.GRU(17, 32, batch_first=True)
        self.pool = AttentivePooling(32)
        self.head = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, items))

    def forward(self, tokens, mark):
        x = torch.cat([self.embed(tokens), mark[..., None]], dim=-1)
        return self.head(self.pool(self.gru(x)[0]))


def episodes(n, T=40):
    tokens = torch.randint(8, (n, T))
    where = torch.randint(T, (n,))
    return tokens, F.one_hot(where, T).float(), tokens[torch.arange(n), where]


model = Finder()
optimizer = torch.optim.Adam(model.parameters(), 0.005)
for step in range(1, 201):
    tokens, mark, answer = episodes(32)
    loss = F.cross_entropy(model(tokens, mark), answer)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
