"""A two-layer language model with dropout everywhere, and one matrix for embedding and output layer.

Training loss lies above the validation loss, as it does with dropout.

Target: validation loss below 2.5
"""

from pydoc_data.topics import topics

import torch
import torch.nn as nn


class TiedLM(nn.Module):
    def __init__(self, vocab, dim=48, p=0.25):
        super().__init__()
        self.drop = nn.Dropout(p)
        self.embedding = nn.Embedding(vocab, dim)
        self.lstm = nn.LSTM(dim, dim, num_layers=2, dropout=p, batch_first=True)
        self.output = nn.Linear(dim, vocab)
        self.output.weight = self.embedding.weight
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)

    def forward(self, ids):
        x = self.drop(self.embedding(ids))
        x, _ = self.lstm(x)
        return self.output(self.drop(x))


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    text = topics["specialnames"].lower()[:50000]
    vocab = sorted(set(text))
    ids = torch.tensor([vocab.index(c) for c in text])
    train, valid = ids[:45000], ids[45000:]
    model = TiedLM(len(vocab))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.006)
    loss_fn = nn.CrossEntropyLoss()

    def step(batch):
        return loss_fn(model(batch[:, :-1]).reshape(-1, len(vocab)), batch[:, 1:].reshape(-1))

    for iteration in range(1, 501):
        model.train()
        start = torch.randint(len(train) - 31, (24, 1))
        loss = step(train[start + torch.arange(31)])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        if iteration % 25 == 0:
            model.eval()
            with torch.no_grad():
                windows = valid[: len(valid) // 31 * 31].view(-1, 31)
                print(f"{iteration}: training {loss:.3f}, validation loss {step(windows):.3f}")


if __name__ == "__main__":
    main()
