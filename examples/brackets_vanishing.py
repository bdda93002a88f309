"""The long-memory task of brackets.py with one fault: the gradient vanishes on its way to the bracket.

Examine it: `rnn-doctor check --lag 50 brackets_vanishing.py`
"""

import argparse
from pydoc_data.topics import topics

import torch
from torch import nn

OPENING = "([{<"
CLOSING = ")]}>"


class BracketMemory(nn.Module):
    def __init__(self, symbols, embedding, hidden):
        super().__init__()
        self.embedding = nn.Embedding(symbols, embedding)
        self.lstm = nn.LSTM(embedding, hidden, batch_first=True)
        self.head = nn.Linear(hidden, len(OPENING))

    def forward(self, characters):
        """Shapes: characters (B, T) -> logits (B, 4)"""
        output, _ = self.lstm(self.embedding(characters))
        return self.head(output[:, -1])


class Passages:
    """Sequences cut at random places of a text."""

    def __init__(self, text, number, span):
        self.ids = torch.tensor([number[character] for character in text])
        self.opening = torch.tensor([number[character] for character in OPENING])
        self.question = torch.tensor([number["?"]])
        self.span = span

    def draw(self, batch_size):
        """Characters (B, span + 2) and labels (B)."""
        labels = torch.randint(len(OPENING), (batch_size,))
        starts = torch.randint(len(self.ids) - self.span, (batch_size, 1))
        passages = self.ids[starts + torch.arange(self.span)]
        first, last = self.opening[labels, None], self.question.expand(batch_size, 1)
        return torch.cat([first, passages, last], dim=1), labels


@torch.no_grad()
def accuracy(model, passages):
    model.eval()
    characters, labels = passages.draw(256)
    correct = (model(characters).argmax(1) == labels).float().mean().item()
    model.train()
    return correct


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--span", type=int, default=60, help="characters between bracket and question")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.003)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)

    text = "\n".join(topics[name] for name in sorted(topics))
    text = "".join(character for character in text if character not in OPENING + CLOSING)
    symbols = sorted(set(text + OPENING + "?"))
    number = {symbol: i for i, symbol in enumerate(symbols)}
    split = len(text) * 9 // 10
    train = Passages(text[:split], number, args.span)
    valid = Passages(text[split:], number, args.span)

    model = BracketMemory(len(symbols), 32, args.hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    criterion = nn.CrossEntropyLoss()
    for step in range(1, args.steps + 1):
        characters, labels = train.draw(args.batch_size)
        optimizer.zero_grad()
        loss = criterion(model(characters), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 0:
            print(
                f"step {step:4d}  training loss {loss.item():.3f}  "
                f"validation accuracy {accuracy(model, valid):.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
