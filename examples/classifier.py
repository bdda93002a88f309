"""Which package was this line of code taken from? A bidirectional GRU reads it character by character.

The lines are those of four packages of the standard library, as they lie on this machine; chance is one in
four. Lines differ in length, so batches are padded, and packed before the GRU sees them.

    python classifier.py              # two epochs
    python classifier.py --steps 100
"""

import argparse
import random
import sysconfig
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader

PACKAGES = ("asyncio", "email", "unittest", "xml")
LONGEST = 60


class LineClassifier(nn.Module):
    def __init__(self, embedding, hidden, dropout):
        super().__init__()
        self.embedding = nn.Embedding(128, embedding, padding_idx=0)
        self.encoder = nn.GRU(embedding, hidden, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * hidden, len(PACKAGES))

    def forward(self, characters, lengths):
        """Shapes: characters (B, T), lengths (B) -> logits (B, classes)"""
        packed = pack_padded_sequence(
            self.embedding(characters), lengths, batch_first=True, enforce_sorted=False
        )
        _, state = self.encoder(packed)
        return self.head(self.dropout(torch.cat([state[0], state[1]], dim=1)))


def labelled_lines():
    """Different lines of 10 to 60 ASCII characters, as many of each package, shuffled."""
    library = Path(sysconfig.get_path("stdlib"))
    found = []
    for package in PACKAGES:
        lines = set()
        for path in (library / package).rglob("*.py"):
            lines.update(line.strip() for line in path.read_text(encoding="utf-8").splitlines())
        found.append(sorted(line for line in lines if 10 <= len(line) <= LONGEST and line.isascii()))
    smallest = min(len(lines) for lines in found)
    pairs = [(line, label) for label, lines in enumerate(found) for line in random.sample(lines, smallest)]
    random.shuffle(pairs)
    return pairs


def collate(pairs):
    """Padded characters (B, T), lengths (B) and labels (B)."""
    rows = [torch.tensor([ord(character) for character in line]) for line, _ in pairs]
    lengths = torch.tensor([len(row) for row in rows])
    return pad_sequence(rows, batch_first=True), lengths, torch.tensor([label for _, label in pairs])


@torch.no_grad()
def evaluate(model, loader, criterion):
    """Mean loss and accuracy."""
    model.eval()
    loss, correct, count = 0.0, 0, 0
    for characters, lengths, labels in loader:
        logits = model(characters, lengths)
        loss += criterion(logits, labels).item() * len(labels)
        correct += (logits.argmax(1) == labels).sum().item()
        count += len(labels)
    model.train()
    return loss / count, correct / count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--steps", type=int, help="stop after so many steps")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.003)
    parser.add_argument("--eval-every", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    random.seed(args.seed)
    torch.manual_seed(args.seed)

    pairs = labelled_lines()
    train = DataLoader(pairs[500:], args.batch_size, shuffle=True, collate_fn=collate)
    valid = DataLoader(pairs[:500], 100, collate_fn=collate)
    model = LineClassifier(32, args.hidden, args.dropout)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    criterion = nn.CrossEntropyLoss()
    step = 0
    for epoch in range(1, args.epochs + 1):
        for characters, lengths, labels in train:
            optimizer.zero_grad()
            loss = criterion(model(characters, lengths), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            if step % args.eval_every == 0:
                valid_loss, accuracy = evaluate(model, valid, criterion)
                print(
                    f"epoch {epoch} step {step:4d}  training loss {loss.item():.3f}  "
                    f"validation loss {valid_loss:.3f}  accuracy {accuracy:.3f}",
                    flush=True,
                )
            if step == args.steps:
                return


if __name__ == "__main__":
    main()
