"""Whether batches that were trained on once tell of memorizing, beside fresh ones: a first pass holds both.

Command: python -m benchmarks.overfitting.first_pass (a minute on one core). The trainings of trainings.py until a batch
is given again, for 40 updates at most. Before each update from the fourth on, the batch that is about to be trained
on, which is fresh, and all before it, which were trained on once, are looked at in evaluation mode at the same
parameters. Printed are the gap between the two, as a share of the latter, its mean over the updates and how many
standard errors that lies above 0: by outcome (labels.jsonl), then of each training. It tells whether such a gap could
stand in for a validation that a script does not have.
"""

import json
from math import sqrt
from pathlib import Path
from statistics import fmean, median, stdev

import torch
from torch import Tensor, nn

from benchmarks.faults.tasks import TASKS

from . import trainings
from .judge import ABOVE, LAST
from .trainings import Training

MOST, FEWEST = 40, 4
LABELS = Path(__file__).resolve().parent / "labels.jsonl"


def gaps(training: Training) -> list[float]:
    """Loss of the fresh batch over the mean of those trained on before, less 1, before each update."""
    task, seen, found = TASKS[training.task], list[list[Tensor]](), list[float]()
    batches = training.samples // training.batch

    def ends(model: nn.Module, batch: list[Tensor]) -> bool:
        if len(seen) >= min(batches, MOST):
            return True
        if len(seen) >= FEWEST - 1:
            model.eval()
            with torch.no_grad():
                fresh, *before = (float(trainings.loss(task, model, each)) for each in (batch, *seen))
            found.append(fresh / fmean(before) - 1)
        seen.append(batch)
        return False

    trainings.run(training, validates=False, ends=ends)
    return found


def main() -> None:
    """Print the table."""
    labels = {row["key"]: row["losses"] for row in map(json.loads, LABELS.read_text("utf-8").splitlines())}
    lines, groups = [], dict[bool, list[float]]()
    for training in (*trainings.plan(), *trainings.fresh()):
        truth, found = labels[training.key], gaps(training)
        above = [loss > ABOVE * min(truth) for loss in truth[-LAST:]]
        if len(found) < 2 or len(set(above)) > 1:
            continue
        mean, error = fmean(found), stdev(found) / sqrt(len(found))
        groups.setdefault(above[0], []).append(mean)
        said = "overfits" if above[0] else "does not"
        lines.append(f"{said}  gap {mean:6.1%} ({mean / error:5.1f})  {len(found):3d} looks  {training.key}")
    for overfits, means in sorted(groups.items()):
        name = "that overfit" if overfits else "that do not"
        print(f"{len(means)} {name}: gap {median(means):.1%} (median), {min(means):.1%} to {max(means):.1%}")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
