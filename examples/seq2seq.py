"""Dates as people write them into ISO form, character by character: encoder, attention, decoder.

"Thursday, 3 March 1994", "3/3/94" and "Mar 3 1994" all become "1994-03-03". The encoder is a bidirectional
GRU; the decoder attends to its outputs (Luong, Pham and Manning, 2015) and is trained with teacher forcing.
Dates of the validation set are never trained on.

    python seq2seq.py                 # 300 steps
"""

import argparse
import datetime
import random

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

STYLES = (
    "%A, {day} %B %Y",
    "{day} %B %Y",
    "%B {day}, %Y",
    "%b {day} %Y",
    "{day}.{month}.%Y",
    "{month}/{day}/%y",
)
FIRST, LAST = datetime.date(1970, 1, 1).toordinal(), datetime.date(2068, 12, 31).toordinal()
SYMBOLS = "0123456789-"
START = len(SYMBOLS)


class Encoder(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.embedding = nn.Embedding(128, hidden, padding_idx=0)
        self.gru = nn.GRU(hidden, hidden // 2, batch_first=True, bidirectional=True)

    def forward(self, source):
        """Shapes: source (B, S) -> outputs (B, S, H), state (1, B, H)"""
        outputs, state = self.gru(self.embedding(source))
        return outputs, torch.cat([state[0], state[1]], dim=1)[None]


class Decoder(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.embedding = nn.Embedding(len(SYMBOLS) + 1, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.score = nn.Linear(hidden, hidden, bias=False)
        self.combine = nn.Linear(2 * hidden, hidden)
        self.head = nn.Linear(hidden, len(SYMBOLS))

    def forward(self, previous, state, memory, padding):
        """Shapes: previous (B, T), memory (B, S, H), padding (B, S) -> scores (B, T, symbols), state"""
        output, state = self.gru(self.embedding(previous), state)
        scores = output @ self.score(memory).transpose(1, 2)
        weights = scores.masked_fill(padding[:, None], -torch.inf).softmax(dim=2)
        attended = torch.tanh(self.combine(torch.cat([output, weights @ memory], dim=2)))
        return self.head(attended), state


def batch(ordinals):
    """Sources (B, S), padded with 0, and targets (B, 10)."""
    sources, targets = [], []
    for ordinal in ordinals:
        date = datetime.date.fromordinal(ordinal)
        style = random.choice(STYLES).format(day=date.day, month=date.month)
        sources.append(torch.tensor([ord(character) for character in date.strftime(style)]))
        targets.append([SYMBOLS.index(character) for character in date.isoformat()])
    return pad_sequence(sources, batch_first=True), torch.tensor(targets)


@torch.no_grad()
def exact_matches(encoder, decoder, ordinals):
    """Share of dates that greedy decoding gets right to the last digit."""
    source, target = batch(ordinals)
    memory, state = encoder(source)
    symbol = torch.full((len(source), 1), START)
    decoded = []
    for _ in range(target.shape[1]):
        logits, state = decoder(symbol, state, memory, source == 0)
        symbol = logits.argmax(2)
        decoded.append(symbol)
    return (torch.cat(decoded, dim=1) == target).all(dim=1).float().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--hidden", type=int, default=96)
    parser.add_argument("--batch-size", type=int, default=48)
    parser.add_argument("--lr", type=float, default=0.003)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    random.seed(args.seed)
    torch.manual_seed(args.seed)

    days = random.sample(range(FIRST, LAST + 1), LAST + 1 - FIRST)
    train, valid = days[300:], days[:300]
    encoder, decoder = Encoder(args.hidden), Decoder(args.hidden)
    encoder_optimizer = torch.optim.Adam(encoder.parameters(), lr=args.lr)
    decoder_optimizer = torch.optim.Adam(decoder.parameters(), lr=args.lr)
    criterion = nn.CrossEntropyLoss()
    for step in range(1, args.steps + 1):
        source, target = batch(random.sample(train, args.batch_size))
        previous = nn.functional.pad(target[:, :-1], (1, 0), value=START)
        encoder_optimizer.zero_grad()
        decoder_optimizer.zero_grad()
        memory, state = encoder(source)
        logits, _ = decoder(previous, state, memory, source == 0)
        loss = criterion(logits.flatten(0, 1), target.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_([*encoder.parameters(), *decoder.parameters()], 1.0)
        encoder_optimizer.step()
        decoder_optimizer.step()
        if step % 50 == 0:
            matches = exact_matches(encoder, decoder, valid)
            print(f"step {step:4d}  training loss {loss.item():.3f}  exact matches {matches:.3f}", flush=True)


if __name__ == "__main__":
    main()
