"""What it costs to train on one batch alone: RD411 where the script makes its batches by hand.

Command: python -m benchmarks.thresholds.same_batch (five minutes on one core; names choose tasks). The tasks of the
fault bench's development part, each trained for 300 updates on one batch of so many sequences, and its twin on fresh
batches of 32. Printed are the parameters for each target in the batch; of tokens the pairs that follow each other and
the share that occurs once; the best shares of the task learned on fresh data (of 15 looks); and the harm, the share of
what the twin learned that is missing. The threshold of RD411 on what occurs once is read from this table: neither the
number of sequences nor that of parameters tells the harm. So is that of RD506 on targets that are numbers.
"""

import math
import sys
from itertools import product

import torch
from torch import nn

from benchmarks.faults.setting import Setting
from benchmarks.faults.tasks import TASKS, score, stream, validation
from benchmarks.faults.training import train
from rnn_doctor.capture.probe.sensors.redrawn import seen_once

NAMES, CELLS, WIDTHS = ("characters", "lines", "forecast", "recall"), ("GRU",), (16, 48)
SEQUENCES, UPDATES, EVERY = (8, 32, 128, 512), 300, 20
FEWER, BETWEEN = (12, 16, 24), (48, 64, 96)
"""More sizes: of targets that are numbers, and of classes."""


def learned(setting: Setting, updates: int) -> tuple[float, int]:
    """The best share of the task, and the number of parameters."""
    task, best, count = TASKS[setting.task], [0.0], 0

    def watch(update: int, model: nn.Module) -> bool:
        nonlocal count
        count = sum(p.numel() for p in model.parameters())
        if update % EVERY == 0:
            best.append(score(task, model))
        return False

    train(setting, updates, watch)
    return max(best), count


def repeated(setting: Setting) -> str:
    """What of the batch occurs once, in words."""
    task = TASKS[setting.task]
    if not task.tokens:
        return "numbers"
    x = next(stream(task, setting, torch.Generator().manual_seed(setting.seed + 1)))[0]
    pairs, once = seen_once(x.t())
    return f"{pairs} pairs, {once:.2f} once"


def main() -> None:
    """Prints the table."""
    torch.set_num_threads(1)
    for name, cell, hidden in product(sys.argv[1:] or NAMES, CELLS, WIDTHS):
        base = Setting(name, cell=cell, hidden=hidden, seed=5)
        whole, count = learned(base, UPDATES)
        answers = validation(TASKS[name])[1]
        each = math.prod(answers.shape[1:])
        for n in sorted((*SEQUENCES, *(BETWEEN if TASKS[name].classes else FEWER))):
            same = base.changed(order="same", batch=n)
            share, _ = learned(same, UPDATES)
            print(
                f"{name:10} {cell:4} {hidden:2d} units, {n:3d} sequences: {count / (n * each):8.2f} parameters a "
                f"target, {repeated(same)}, learned {share:.2f} of {whole:.2f}, harm {1 - share / whole:+.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
