"""How long the units of a tanh recurrence stand still while it learns how frequent its many symbols are.

Command: python benchmarks/thresholds/first_frequencies.py (half a minute on one core). `nn.RNN` of 256 units is given
one-hot symbols, of which there are 1,000, by Zipf's law or, three times in five, the usual successor of the one before;
Adam at the usual rate, the state going on from batch to batch, gradients clipped as tightly as textbooks do. Printed is
the share of units whose standard deviation over the states of a chunk lies below the bound of the probe, with the
loss. RD202 takes from this table that units which spoke before the first update may do so again.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnn_doctor.capture.probe.recurrence.gates import _DEAD

SYMBOLS, HIDDEN, BATCH, CHUNK, RATE, CLIP = 1000, 256, 32, 35, 1e-3, 1e-2
LOOKS = (1, 20, 50, 100, 200, 400)


def text(length: int, generator: torch.Generator) -> Tensor:
    """Codes of symbols, (length,)."""
    frequencies = 1.0 / torch.arange(1, SYMBOLS + 1)
    drawn = torch.multinomial(frequencies, length, replacement=True, generator=generator)
    usual = torch.rand(length, generator=generator) < 0.6
    after = torch.randperm(SYMBOLS, generator=generator)
    for k in range(1, length):
        if usual[k]:
            drawn[k] = after[drawn[k - 1]]
    return drawn


def run(seed: int) -> None:
    """Trains one, and prints what is seen of its units."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    streams = text(BATCH * (8 * CHUNK + 1), generator).view(BATCH, -1)
    rnn, head = nn.RNN(SYMBOLS, HIDDEN, batch_first=True), nn.Linear(HIDDEN, SYMBOLS)
    parameters = [*rnn.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, RATE)
    state: Tensor | None = None
    for update in range(1, max(LOOKS) + 1):
        start = (update - 1) % 8 * CHUNK
        given = F.one_hot(streams[:, start : start + CHUNK], SYMBOLS).float()
        output, state = rnn(given, state if start else None)
        state = state.detach()
        loss = F.cross_entropy(
            head(output).flatten(0, 1), streams[:, start + 1 : start + CHUNK + 1].flatten()
        )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
        if update in LOOKS:
            dead = (output.detach()[:2].flatten(0, 1).std(0) < _DEAD).float().mean()
            print(f"seed {seed}, update {update:3d}: loss {loss.item():.2f}, dead {dead:.2f}", flush=True)


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    for seed in range(3):
        run(seed)


if __name__ == "__main__":
    main()
