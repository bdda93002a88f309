"""What is left of the gradient at the lowest of several stacked layers, and which stacks learn.

Command: python benchmarks/thresholds/depth.py (some six minutes on one core). The task: name the token of two steps
before, at every step of twelve, so that nothing but the depth is hard. A stack of nn.RNN, LSTM or GRU (32 units,
PyTorch's default initialization) learns it by Adam at 3e-3 and by SGD at 0.1, and so does a residual twin: single
layers, each added to what it was given. Printed are the depth gain (decades from the top layer's dL/dh to the bottom
layer's at the same step, median over steps, as the run log's layer records give it) before the first update, after
50 and after the last, and after how many of 500 updates the loss was below 0.3 of that of equal odds (- if never;
two tokens of the twelve cannot be known). The thresholds of RD106 are read from
this table.
"""

import math
from statistics import median
from typing import Any

import torch
from tasks import CELLS
from torch import Tensor, nn
from torch.nn import functional as F

from rnn_doctor.capture.probe.recurrence.examiner import Examiner
from rnn_doctor.capture.probe.writer import Writer

BATCH, TIME, HIDDEN, TOKENS, UPDATES = 16, 12, 32, 8, 500
EARLY = 50
DEPTHS = (2, 3, 4, 6, 8, 12)
PLAIN = (10, 14)
"""More depths, of nn.RNN alone, which loses least."""
RESIDUAL = (6, 12)


class Kept(Writer):
    """Layer records in memory."""

    def __init__(self) -> None:
        super().__init__("")
        self.layers: list[dict[str, Any]] = []

    def write(self, record: str, **fields: Any) -> None:
        """Keeps what a layer shows."""
        if record == "layer":
            self.layers.append(fields)


class Net(nn.Module):
    """Embedding, a stack, a head at every step."""

    def __init__(self, cell: str, depth: int, residual: bool) -> None:
        super().__init__()
        self.embed = nn.Embedding(TOKENS, HIDDEN)
        kind = CELLS[cell]
        layers = [kind(HIDDEN, HIDDEN) for _ in range(depth)] if residual else [kind(HIDDEN, HIDDEN, depth)]
        self.layers = nn.ModuleList(layers)
        self.head = nn.Linear(HIDDEN, TOKENS)
        self.residual = residual

    def forward(self, x: Tensor) -> tuple[Tensor, list[tuple[Tensor, Any]]]:
        """Logits, and what each recurrent module was given and returned. Shapes: (T, B) -> (T, B, TOKENS)."""
        given, calls = self.embed(x), []
        for layer in self.layers:
            output = layer(given)
            calls.append((given, output))
            given = given + output[0] if self.residual else output[0]
        return self.head(given), calls


def batch(g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Tokens and those of two steps before. Shapes: (T, B), (T, B)."""
    x = torch.randint(0, TOKENS, (TIME + 2, BATCH), generator=g)
    return x[2:], x[:-2]


def gain(net: Net, data: torch.Generator) -> float:
    """Decades from the top layer to the bottom one, median over steps. A residual stack's are each a module's own."""
    x, y = batch(data)
    logits, calls = net(x)
    kept = Kept()
    examiner = Examiner(kept)
    for number, (module, (given, output)) in enumerate(zip(net.layers, calls, strict=True)):
        examiner.on_call(number, module, given, None, output, "fresh")
    F.cross_entropy(logits.flatten(0, 1), y.flatten()).backward()
    examiner.examine(1, True)
    net.zero_grad()
    top, bottom = kept.layers[-1], kept.layers[0]
    return median(b - t for t, b in zip(top["hidden_gradient"], bottom["hidden_gradient"], strict=True))


def run(cell: str, depth: int, residual: bool, rule: str) -> tuple[list[float], int | None]:
    """Gain at the start, after 50 updates and at the end, and when it had learned."""
    torch.manual_seed(0)
    data = torch.Generator().manual_seed(1)
    net = Net(cell, depth, residual)
    optimizer: torch.optim.Optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    if rule == "SGD":
        optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
    gains, learned, recent = [gain(net, data)], None, 1.0
    for update in range(UPDATES):
        if update == EARLY:
            gains.append(gain(net, data))
        x, y = batch(data)
        loss = F.cross_entropy(net(x)[0].flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        recent = 0.8 * recent + 0.2 * float(loss.detach()) / math.log(TOKENS)
        if recent < 0.3:
            learned = learned or update + 1
            if update > EARLY:
                break
    return [*gains, gain(net, data)], learned


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    for cell in CELLS:
        for residual in (False, True):
            more = PLAIN if cell == "RNN" else ()
            for depth in RESIDUAL if residual else sorted((*DEPTHS, *more)):
                for rule in ("Adam", "SGD"):
                    gains, learned = run(cell, depth, residual, rule)
                    kind = "residual" if residual else "stacked"
                    numbers = ", ".join(f"{g:+6.2f}" for g in gains)
                    print(
                        f"{cell:4s} {depth:2d} {kind:8s} {rule:4s}: gain {numbers}; learned after {learned or '-'}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
