"""Which of the first few validations tell that a network memorizes its training data, and how often they err.

Command: python benchmarks/thresholds/memorizing.py (some five minutes on one core). Each network is trained on 32, 128
or 4000 fixed sequences for 300 updates of Adam at 3e-3, and validated on 128 others after every 15. Three numbers are
read at the third validation and at every later one up to the ninth: how much the ratio of validation to training loss
has grown since the first, how far the last two validations both lie above the best before them, and how far the
training loss has fallen since the best. A network overfits if the mean of its last three validations lies 5 % above
the best. Printed are, for thresholds on the first two numbers, how many of the networks that overfit are found within
nine validations, and how many of the others; how many of either have more parameters than targets, which says nothing
by itself; then each network. The thresholds of RD502 and RD503 are read from this
table.
"""

from dataclasses import dataclass
from statistics import fmean

import torch
from tasks import CELLS, TASKS, Net, Task

EVERY, VALIDATIONS, FEW, BATCH, HIDDEN = 15, 20, 9, 16, 64
SIZES = (32, 128, 4000)
GAPS, RISES = (0.0, 0.1, 0.2, 0.5), (-1.0, 0.0, 0.02, 0.05)


@dataclass(frozen=True)
class Curve:
    """Validation losses, and the mean training loss in the second half of the updates before each."""

    name: str
    crowded: float
    """Trained parameters per target in the training data."""
    validation: tuple[float, ...]
    training: tuple[float, ...]

    @property
    def overfits(self) -> bool:
        """The outcome: the last validations lie well above the best."""
        return fmean(self.validation[-3:]) > 1.05 * min(self.validation)

    def found(self, gap: float, rise: float) -> int | None:
        """The validation at which all three numbers exceed their thresholds; None if not within nine."""
        ratios = [v / t for v, t in zip(self.validation, self.training, strict=True)]
        for k in range(3, FEW + 1):
            seen = self.validation[:k]
            best = seen.index(min(seen))
            grown = min(ratios[k - 2 : k]) / ratios[0] - 1
            risen = min(seen[-2:]) / min(seen[:-2]) - 1
            if grown > gap and risen > rise and self.training[k - 1] < self.training[best]:
                return k
        return None


def run(task: Task, cell: str, size: int) -> Curve:
    """Trains one network on so many sequences."""
    torch.manual_seed(0)
    data = torch.Generator().manual_seed(1)
    inputs, targets = task.batch(size, data)
    held_out = task.batch(128, data)
    net = Net(task, cell, HIDDEN)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    validation, training, losses = [], [], []
    for step in range(1, EVERY * VALIDATIONS + 1):
        rows = torch.randint(0, size, (BATCH,), generator=data)
        loss = task.loss(net(inputs[rows]), targets[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        if step % EVERY == 0:
            with torch.no_grad():
                validation.append(float(task.loss(net(held_out[0]), held_out[1])))
            training.append(fmean(losses[-(EVERY // 2) :]))
    crowded = sum(p.numel() for p in net.parameters()) / targets.numel()
    return Curve(f"{task.name} {cell} {size}", crowded, tuple(validation), tuple(training))


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    curves = [run(task, cell, size) for size in SIZES for task in TASKS for cell in CELLS]
    ill, well = [c for c in curves if c.overfits], [c for c in curves if not c.overfits]
    for gap in GAPS:
        for rise in RISES:
            right, wrong = (sum(c.found(gap, rise) is not None for c in group) for group in (ill, well))
            counts = f"found {right} of {len(ill)} that overfit, {wrong} of {len(well)} others"
            print(f"gap {gap:4.1f} rise {rise:5.2f}: {counts}")
    for name, group in (("found of those that overfit", ill), ("that do not overfit", well)):
        chosen = [c for c in group if group is well or c.found(0.2, 0.02)]
        fallen = [c for c in chosen if c.crowded > 1 and c.training[-1] < 0.5 * c.training[0]]
        print(
            f"{sum(c.crowded > 1 for c in chosen)} of {len(chosen)} {name} have more parameters than targets, "
            f"{len(fallen)} of them have more than halved their training loss"
        )
    for curve in curves:
        ratio = [v / t for v, t in zip(curve.validation, curve.training, strict=True)]
        gaps = " ".join(f"{ratio[k] / ratio[0] - 1:.2f}" for k in (2, 8, -1))
        print(
            f"{curve.name:16s} {'overfits' if curve.overfits else 'does not'}  found at {curve.found(0.2, 0.02)}"
            f"  parameters per target {curve.crowded:.2g}  gap after 3, 9, 20: {gaps}"
            f"  last over best {fmean(curve.validation[-3:]) / min(curve.validation):.2f}"
        )


if __name__ == "__main__":
    main()
