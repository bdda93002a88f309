"""What a loss that is summed over the time steps does to the rate that is right for their mean.

Command: python benchmarks/thresholds/summed_loss.py (three minutes on one core). Characters of a text are foretold step
by step by a network of 32 units under plain SGD, 300 updates. For each cell the best of five rates for the mean loss
over 20 steps is taken; then the same rate trains on sequences of T steps, with the mean and with the sum over the
steps (both are means over the batch). Printed are the losses of a step at the end, the mean of the last 30 updates:
log(C) is that of a network that knows nothing. The last lines draw the length of each batch anew, between 2 and T.
The thresholds of RD420 are read from this table.
"""

import math

import torch
from tasks import _CODES, TASKS, Net
from torch import nn

UPDATES, BATCH, HIDDEN, LAST = 300, 16, 32, 30
RATES = (0.1, 0.3, 1.0, 3.0, 10.0)
LENGTHS = (1, 2, 3, 5, 10, 20, 40)
CELLS = ("RNN", "LSTM")
TEXT = next(task for task in TASKS if task.name == "text")


def run(cell: str, rate: float, steps: int, summed: bool, varied: bool = False) -> float:
    """The loss of a step at the end; that of knowing nothing where it is not finite."""
    torch.manual_seed(0)
    data = torch.Generator().manual_seed(1)
    net = Net(TEXT, cell, HIDDEN)
    optimizer = torch.optim.SGD(net.parameters(), rate)
    losses = []
    for _ in range(UPDATES):
        length = int(torch.randint(2, steps + 1, (), generator=data)) if varied else steps
        starts = torch.randint(0, len(_CODES) - length - 1, (BATCH, 1), generator=data)
        window = _CODES[starts + torch.arange(length + 1)]
        out = net(window[:, :-1])
        step = nn.functional.cross_entropy(out.reshape(-1, TEXT.outputs), window[:, 1:].reshape(-1))
        optimizer.zero_grad()
        (step * length if summed else step).backward()
        optimizer.step()
        losses.append(float(step.detach()))
    end = sum(losses[-LAST:]) / LAST
    return end if math.isfinite(end) else math.inf


def main() -> None:
    """Prints the table."""
    torch.set_num_threads(1)
    print(f"log(C) = {math.log(TEXT.outputs):.2f}")
    print("cell  rate   T            mean    sum")
    for cell in CELLS:
        rate = min(RATES, key=lambda r: run(cell, r, 20, summed=False))
        for varied in (False, True):
            for steps in LENGTHS[3:] if varied else LENGTHS:
                ends = [run(cell, rate, steps, summed, varied) for summed in (False, True)]
                span = f"2 to {steps}" if varied else str(steps)
                print(f"{cell:5} {rate:4g}   {span:8} {ends[0]:8.2f} {ends[1]:6.2f}", flush=True)


if __name__ == "__main__":
    main()
