"""How long outputs take to reach regression targets of another scale, foretold from 50 updates and in fact.

Command: python benchmarks/thresholds/target_scale.py (two minutes on one core). A noisy sine is foretold step by
step by a network of 32 units. Each line is one scale of the targets, which are standardized, multiplied and shifted,
under one optimizer, for an RNN and an LSTM. Printed are for both: the updates that the outputs need to come to the
targets' scale, as target_updates_needed foretells them after 50 updates; the update at which they were there, 600
where they were not; and the root mean squared error after 600 updates over the targets' standard deviation: a
constant answer has 1. The thresholds of RD415 are read from this table.
"""

import torch
from tasks import TASKS, Net
from torch import Tensor, nn

from rnn_doctor.capture.probe.schedule import sampled_steps
from rnn_doctor.derive.target_scale import Scale, way

UPDATES, SEEN, BATCH, HIDDEN = 600, 50, 16, 32
SAMPLED = sampled_steps(SEEN)
OPTIMIZERS = {
    "adam 1e-3": (torch.optim.Adam, 1e-3, None),
    "adam 1e-2": (torch.optim.Adam, 1e-2, None),
    "sgd 0.05 clip 1": (torch.optim.SGD, 0.05, 1.0),
}
SCALES = {
    "adam 1e-3": (
        (1, 0),
        (5, 0),
        (20, 0),
        (100, 0),
        (300, 0),
        (1, 10),
        (1, 30),
        (20, 50),
        (1, 100),
        (300, 1000),
    ),
    "adam 1e-2": ((1, 0), (20, 0), (300, 0), (20, 50), (300, 1000)),
    "sgd 0.05 clip 1": ((1, 0), (20, 0), (1, 30), (300, 1000)),
}
"""Standard deviation and mean of the targets."""
SINE = next(task for task in TASKS if task.name == "sine")


def run(cell: str, name: str, std: float, mean: float) -> tuple[float, int, float]:
    """Updates to the targets' scale as foretold and as seen, and the relative error at the end."""
    kind, lr, clip = OPTIMIZERS[name]
    torch.manual_seed(0)
    data = torch.Generator().manual_seed(1)
    net = Net(SINE, cell, HIDDEN)
    optimizer = kind(net.parameters(), lr)
    _, some = SINE.batch(1000, data)
    center, width = float(some.mean()), float(some.std())

    def batch(n: int) -> tuple[Tensor, Tensor]:
        x, y = SINE.batch(n, data)
        return x, (y - center) / width * std + mean

    scales: list[Scale] = []
    seen = UPDATES
    for step in range(1, UPDATES + 1):
        x, y = batch(BATCH)
        out = net(x)
        loss = nn.functional.mse_loss(out, y)
        now = Scale(step - 1, *_statistics(out.detach()), *_statistics(y))
        if step in SAMPLED:
            scales.append(now)
        if now.off_level == now.short_of_spread == 0:
            seen = min(seen, step)
        optimizer.zero_grad()
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimizer.step()
    with torch.no_grad():
        x, y = batch(500)
        error = float((net(x) - y).square().mean().sqrt()) / std
    return way(scales).updates, seen, error


def _statistics(values: Tensor) -> tuple[float, float]:
    return float(values.mean()), float(values.std(unbiased=False))


def main() -> None:
    """The table."""
    torch.set_num_threads(1)
    print(f"{'optimizer':15} {'std':>4} {'mean':>4}  {'foretold':>13}  {'seen':>9}  {'error':>11}")
    for name, scales in SCALES.items():
        for std, mean in scales:
            (a, b) = (run(cell, name, std, mean) for cell in ("RNN", "LSTM"))
            print(
                f"{name:15} {std:4} {mean:4}  {a[0]:6.0f} {b[0]:6.0f}  {a[1]:4} {b[1]:4}  {a[2]:5.2f} {b[2]:5.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
