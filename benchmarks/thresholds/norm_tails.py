"""Heavy-tailed gradient norms under plain SGD: what they foretell, and what clipping then does.

Command: python benchmarks/thresholds/norm_tails.py (some two minutes on one core). Four tasks are trained without
clipping by SGD of several rates and batch sizes, on recurrent weights as torch draws them and scaled up. Each run is
seen for 50 updates, then goes on for 150 more, once as it is and once with the norm clipped at its median so far.
One line a run, sorted by tail: the second largest norm over its running median (grad_norm_tail), the longest
way that one gradient took the weights over their norm (grad_throw_max), the share of the
loss that is left at the end (median of the last 25 updates over the first loss; inf where it became NaN) without and
with clipping, and whether the loss of the first 50 updates broke or rose already, which is other rules' business.
The thresholds of RD309 are read from it.
"""

import copy
import math
from statistics import median

import torch
from tasks import TASKS, Net, Task
from torch import nn

from rnn_doctor.derive.norm_tails import tail

SEEN, MORE, HIDDEN = 50, 150, 32
CASES = [
    ("RNN", 1.0, 16, 0.03), ("RNN", 1.0, 16, 0.1), ("RNN", 1.0, 16, 0.3), ("RNN", 1.0, 1, 0.03),
    ("RNN", 2.5, 16, 0.03), ("RNN", 2.5, 16, 0.1), ("RNN", 4.0, 16, 0.03),
    ("LSTM", 1.0, 16, 0.1), ("LSTM", 1.0, 16, 1.0), ("LSTM", 1.0, 1, 0.1),
]  # fmt: skip
"""Cell, factor on its recurrent weights, batch size, rate."""


class Run:
    """One training that can be continued in two ways."""

    def __init__(self, task: Task, cell: str, factor: float, batch: int, rate: float) -> None:
        torch.manual_seed(0)
        self.task, self.batch, self.rate = task, batch, rate
        self.data = torch.Generator().manual_seed(1)
        self.net = Net(task, cell, HIDDEN)
        with torch.no_grad():
            self.net.rnn.weight_hh_l0.mul_(factor)
            self.size = math.hypot(*(float(p.norm()) for p in self.net.parameters()))
        self.losses: list[float] = []
        self.norms: list[float] = []

    def train(self, updates: int, clip: float = math.inf) -> "Run":
        """The run after so many more updates, or up to a loss that is not finite."""
        optimizer = torch.optim.SGD(self.net.parameters(), self.rate)
        for _ in range(updates):
            x, y = self.task.batch(self.batch, self.data)
            loss = self.task.loss(self.net(x), y)
            self.losses.append(float(loss.detach()))
            if not math.isfinite(self.losses[-1]):
                break
            optimizer.zero_grad()
            loss.backward()
            self.norms.append(float(nn.utils.clip_grad_norm_(self.net.parameters(), clip)))
            optimizer.step()
        return self

    def twin(self) -> "Run":
        """The same training once more, from here on."""
        other = copy.copy(self)
        other.net = copy.deepcopy(self.net)
        other.data = torch.Generator()
        other.data.set_state(self.data.get_state())
        other.losses, other.norms = list(self.losses), list(self.norms)
        return other

    def left(self) -> float:
        """Share of the first loss that is left."""
        if not math.isfinite(self.losses[-1]):
            return math.inf
        return median(self.losses[-25:]) / self.losses[0]


def main() -> None:
    """The table."""
    torch.set_num_threads(1)
    lines = []
    for task in TASKS:
        for cell, factor, batch, rate in CASES:
            run = Run(task, cell, factor, batch, rate).train(SEEN)
            rose = not math.isfinite(run.losses[-1]) or max(run.losses) > 3.2 * run.losses[0]
            heavy = tail(run.norms)
            throw = rate * max(run.norms[5:], default=0.0) / run.size
            name = f"{task.name:6} {cell:4} x{factor:<3} B {batch:2} lr {rate:<4}"
            if math.isfinite(run.losses[-1]):
                clipped = run.twin().train(MORE, median(run.norms)).left()
                ends = f"left {run.train(MORE).left():7.2f}  clipped {clipped:7.2f}"
            else:
                ends = "broke within 50 updates"
            lines.append(
                (heavy, f"{name}  tail {heavy:6.1f}  throw {throw:8.4f}  {ends}{'  rose' if rose else ''}")
            )
    for _, line in sorted(lines):
        print(line)


if __name__ == "__main__":
    main()
