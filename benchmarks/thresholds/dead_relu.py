"""How many units of a ReLU recurrence are silent, how many of these are dead, and what that costs.

Command: python benchmarks/thresholds/dead_relu.py (about three minutes on one core). Networks of each task begin with
input biases from 0 downwards, that of the identity as recurrent weights among them. Printed for each are the share of
units that say the same in all of two sequences after 50 updates, which is what the probe looks at, the share that does
so in 256 sequences, and how much of what the same network with biases of 0 had learned after 300 updates it had not
(1: an answer that knows nothing); then the largest share of those that had all but a tenth, and the smallest of the
others, of networks that learn with biases of 0. RD202 takes its distinction of ReLU recurrences from this table.
"""

import math
from itertools import product

import torch
from tasks import TASKS, Net, Task
from torch import Tensor, nn

from rnn_doctor.capture.probe.recurrence.gates import _DEAD

BIASES = (0.0, -0.3, -1.0, -2.0, -4.0)
STARTS = ("default", "identity")
EARLY, UPDATES, BATCH, HIDDEN, RATE = 50, 300, 32, 48, 3e-3
AS_WELL, LEARNED = 0.1, 0.9


def build(task: Task, start: str, bias: float) -> Net:
    """One of the usual networks of the task, its recurrence one of ReLU."""
    net = Net(task, "RNN", HIDDEN)
    old = net.rnn
    net.rnn = nn.RNN(old.input_size, HIDDEN, batch_first=old.batch_first, nonlinearity="relu")
    with torch.no_grad():
        net.rnn.bias_ih_l0.fill_(bias)
        net.rnn.bias_hh_l0.zero_()
        if start == "identity":
            net.rnn.weight_hh_l0.copy_(torch.eye(HIDDEN))
    return net


def silent(net: Net, x: Tensor) -> float:
    """Share of units whose state is the same at all steps of all these sequences."""
    kept: list[Tensor] = []
    handle = net.rnn.register_forward_hook(lambda _, __, out: kept.append(out[0]))
    with torch.no_grad():
        net(x)
    handle.remove()
    return float((kept[0].reshape(-1, HIDDEN).std(0) < _DEAD).float().mean())


def uninformed(task: Task) -> float:
    """Loss of an answer that knows nothing: equal odds for all classes, or the mean of the targets."""
    _, y = task.batch(256, torch.Generator().manual_seed(3))
    return math.log(task.outputs) if task.tokens else float(y.var())


def run(task: Task, start: str, bias: float) -> tuple[float, float, float]:
    """Silent in two sequences and in 256 after EARLY updates, and the loss of the last thirty."""
    torch.manual_seed(0)
    data = torch.Generator().manual_seed(1)
    net = build(task, start, bias)
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    losses = []
    two = every = 0.0
    for update in range(1, UPDATES + 1):
        x, y = task.batch(BATCH, data)
        loss = task.loss(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        if update == EARLY:
            two = silent(net, x[:2])
            every = silent(net, task.batch(256, torch.Generator().manual_seed(2))[0])
    return two, every, float(torch.tensor(losses[-30:]).mean())


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    fine, worse = [0.0], [1.0]
    for task, start in product(TASKS, STARTS):
        nothing, base = uninformed(task), math.nan
        for bias in BIASES:
            two, every, loss = run(task, start, bias)
            base = loss if bias == 0 else base
            lost = (loss - base) / (nothing - base)
            if base < LEARNED * nothing:
                (fine if lost < AS_WELL else worse).append(two)
            print(
                f"{task.name} {start:8s} bias {bias:4.1f}: silent in two sequences {two:.2f}, in 256 {every:.2f}, "
                f"loss {loss / nothing:.3f} of what knows nothing, lost {lost:.2f}",
                flush=True,
            )
    print(
        f"all but a tenth of what was learned with biases of 0: {max(fine):.2f} silent in two sequences at most"
    )
    print(f"less: {min(worse):.2f} at least")


if __name__ == "__main__":
    main()
