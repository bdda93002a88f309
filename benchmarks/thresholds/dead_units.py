"""How long the upper layers of a healthy stack say the same whatever they are given.

Command: python benchmarks/thresholds/dead_units.py (about a minute on one core). Character models of three LSTM layers
at the usual rate, whose state goes on from chunk to chunk, first learn which characters are frequent. Printed is, for
each layer, the share of units whose standard deviation over the states of a chunk lies below the bound of the probe,
with the loss, so that it can be seen when they come alive. RD202 takes its distinction of layers from this table.
"""

import torch
from tasks import _CHARACTERS, _CODES
from torch import Tensor, nn
from torch.nn import functional as F

from rnn_doctor.capture.probe.recurrence.gates import _DEAD

HIDDEN, LAYERS, CHUNK, RATE = 128, 3, 100, 2e-3
LOOKS = (1, 10, 30, 50, 100, 200, 300)


class Stack(nn.Module):
    """Embedding, LSTM layers one by one so that the states of each are seen, linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(_CHARACTERS), HIDDEN)
        self.layers = nn.ModuleList(nn.LSTM(HIDDEN, HIDDEN) for _ in range(LAYERS))
        self.head = nn.Linear(HIDDEN, len(_CHARACTERS))

    def forward(self, x: Tensor, states: list[tuple[Tensor, Tensor] | None]) -> tuple[Tensor, list[Tensor]]:
        """Logits and the outputs of all layers; `states` goes on to the next chunk, cut off from this one."""
        given, outputs = self.embed(x), []
        for k, layer in enumerate(self.layers):
            given, (h, c) = layer(given, states[k])
            states[k] = (h.detach(), c.detach())
            outputs.append(given)
        return self.head(given), outputs


def run(seed: int) -> None:
    """Trains one, and prints what is seen of its layers."""
    torch.manual_seed(seed)
    net = Stack()
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    states: list[tuple[Tensor, Tensor] | None] = [None] * LAYERS
    for update in range(1, max(LOOKS) + 1):
        start = (update - 1) * CHUNK
        logits, outputs = net(_CODES[start : start + CHUNK], states)
        loss = F.cross_entropy(logits, _CODES[start + 1 : start + CHUNK + 1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if update in LOOKS:
            dead = " ".join(
                f"{float((output.detach().std(0) < _DEAD).float().mean()):.2f}" for output in outputs
            )
            print(
                f"seed {seed}, update {update:3d}: loss {loss.item():.2f}, dead by layer {dead}", flush=True
            )


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    for seed in range(3):
        run(seed)


if __name__ == "__main__":
    main()
