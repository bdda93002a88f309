"""The language model of charlm.py with one fault: it converges slowly.

Examine it: `rnn-doctor check charlm_tiny_step.py`
"""

import argparse
import math
from pydoc_data.topics import topics

import torch
from torch import nn


class CharLM(nn.Module):
    def __init__(self, symbols, hidden, layers, dropout):
        super().__init__()
        self.embedding = nn.Embedding(symbols, hidden)
        self.lstm = nn.LSTM(hidden, hidden, layers, dropout=dropout)
        self.dropout = nn.Dropout(dropout)
        self.decoder = nn.Linear(hidden, symbols)

    def forward(self, characters, state):
        """Shapes: characters (T, B) -> logits (T, B, symbols)"""
        output, state = self.lstm(self.dropout(self.embedding(characters)), state)
        return self.decoder(self.dropout(output)), state


def as_streams(ids, batch_size):
    """The text cut into `batch_size` pieces side by side, each read from top to bottom: (length, B)."""
    length = len(ids) // batch_size
    return ids[: length * batch_size].view(batch_size, length).t().contiguous()


def chunks(streams, bptt):
    """Inputs and targets of each chunk; the target of a character is the next one."""
    for start in range(0, len(streams) - 1, bptt):
        end = min(start + bptt, len(streams) - 1)
        yield streams[start:end], streams[start + 1 : end + 1]


@torch.no_grad()
def evaluate(model, streams, bptt, criterion):
    """Mean loss per character."""
    model.eval()
    state, total = None, 0.0
    for inputs, targets in chunks(streams, bptt):
        logits, state = model(inputs, state)
        total += criterion(logits.flatten(0, 1), targets.flatten()).item() * len(inputs)
    model.train()
    return total / (len(streams) - 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--steps", type=int, help="stop after so many steps")
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--bptt", type=int, default=35)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--clip", type=float, default=0.25)
    parser.add_argument("--eval-every", type=int, default=20)
    parser.add_argument("--seed", type=int, default=2)
    args = parser.parse_args()
    torch.manual_seed(args.seed)

    text = "\n".join(topics[name] for name in sorted(topics))
    symbols = sorted(set(text))
    number = {symbol: i for i, symbol in enumerate(symbols)}
    ids = torch.tensor([number[character] for character in text])
    split = len(ids) * 9 // 10
    train = as_streams(ids[:split], args.batch_size)
    valid = as_streams(ids[split:][:10_000], args.batch_size)

    model = CharLM(len(symbols), args.hidden, args.layers, args.dropout)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
    criterion = nn.CrossEntropyLoss()
    step = 0
    for epoch in range(1, args.epochs + 1):
        state = None
        for inputs, targets in chunks(train, args.bptt):
            if state is not None:
                state = tuple(s.detach() for s in state)
            optimizer.zero_grad()
            logits, state = model(inputs, state)
            loss = criterion(logits.flatten(0, 1), targets.flatten())
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), args.clip)
            optimizer.step()
            step += 1
            if step % args.eval_every == 0:
                valid_loss = evaluate(model, valid, args.bptt, criterion)
                print(
                    f"epoch {epoch} step {step:5d}  training loss {loss.item():.3f}  "
                    f"validation loss {valid_loss:.3f}  perplexity {math.exp(valid_loss):.2f}",
                    flush=True,
                )
            if step == args.steps:
                return


if __name__ == "__main__":
    main()
