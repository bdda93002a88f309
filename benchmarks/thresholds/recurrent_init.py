"""Which scales of the recurrent weights, and which forget biases, keep a network from learning to remember.

Command: python benchmarks/thresholds/recurrent_init.py (some five minutes on one core). The task: recall a symbol over
15 steps of others. RNN, LSTM and GRU of 32 units start from recurrent weights of a given gain (root mean square
times the square root of H, as in the run log; PyTorch's default is 0.58, orthogonal ones 1) and, of LSTM and GRU,
from a given bias of the gate that keeps the state. Printed are the slope of the backward gain by lag before the
first update (decades a step), how many of two seeds recalled within 600 updates of Adam at 3e-3 with clipping to 1,
and after how many updates. Below stand the gains and biases of usual initializations. The thresholds of RD602 are
read from this table.
"""

import math
from collections.abc import Callable

import torch
from tasks import CELLS, TASKS, Net
from torch import Tensor, nn

from rnn_doctor.capture.probe.recurrence.kernel import kernel_of, rows_of
from rnn_doctor.capture.probe.recurrence.lag_gain import lag_gains
from rnn_doctor.capture.probe.sensors.recurrence import initial_weights

GAINS = {
    "RNN": (0.1, 0.3, 0.58, 1.0, 2.0, 3.0, 5.0),
    "LSTM": (0.05, 0.58, 3.0),
    "GRU": (0.05, 0.58, 3.0),
}
BIASES = {"LSTM": (-3.0, 0.0, 1.0, 3.0), "GRU": (-3.0, 0.0, 1.0, 3.0, 4.5, 6.0, 10.0)}
UPDATES, BATCH, HIDDEN, SEEDS = 600, 32, 32, (0, 1)
RECALL = next(task for task in TASKS if task.name == "recall")


def start(cell: str, gain: float | None, bias: float | None, seed: int) -> Net:
    """A network with these recurrent weights."""
    torch.manual_seed(seed)
    net = Net(RECALL, cell, HIDDEN)
    with torch.no_grad():
        if gain is not None:
            net.rnn.weight_hh_l0 *= gain / float(initial_weights(net.rnn)[0]["hidden_gain"])
        if bias is not None:
            net.rnn.bias_ih_l0[HIDDEN : 2 * HIDDEN] = bias
            net.rnn.bias_hh_l0[HIDDEN : 2 * HIDDEN] = 0
    return net


def slope(net: Net, data: torch.Generator) -> float:
    """Decades a step of the backward gain, from lag 1 to the longest."""
    x, _ = RECALL.batch(8, data)
    given = net.features(x)
    kernel = kernel_of(net.rnn)
    assert kernel is not None
    rows = rows_of(net.rnn, kernel, given, None, net.rnn(given), 8)
    record = lag_gains(kernel, rows, False)[0]
    pairs = [(lag, d) for lag, d in zip(record["lags"], record["decades"], strict=True) if lag]
    return float((pairs[-1][1] - pairs[0][1]) / (pairs[-1][0] - pairs[0][0]))


def learn(net: Net, data: torch.Generator) -> int | None:
    """After how many updates nine tenths of the batches' answers are right; None if never."""
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    right = 0.0
    for update in range(UPDATES):
        x, y = RECALL.batch(BATCH, data)
        out = net(x)
        optimizer.zero_grad()
        RECALL.loss(out, y).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        right = 0.8 * right + 0.2 * float((out.detach().argmax(1) == y).float().mean())
        if right > 0.9:
            return update + 1
    return None


def line(cell: str, gain: float | None, bias: float | None) -> str:
    """What one start leads to."""
    data = torch.Generator().manual_seed(1)
    slopes = [slope(start(cell, gain, bias, seed), data) for seed in SEEDS]
    found = [learn(start(cell, gain, bias, seed), data) for seed in SEEDS]
    learned = [n for n in found if n is not None]
    what = f"gain {gain:4.2f}" if gain is not None else f"bias {bias:+4.3g} "
    after = f", after {', '.join(map(str, learned))}" if learned else ""
    return f"{cell:4s} {what}: slope {sum(slopes) / len(slopes):+6.3f}, learned {len(learned)} of {len(found)}{after}"


def _blocks(w: Tensor, fill: Callable[[Tensor], object]) -> None:
    for block in w.chunk(w.shape[0] // w.shape[1]):
        fill(block)


USUAL: dict[str, Callable[[Tensor], object]] = {
    "default": lambda w: None,
    "xavier_uniform_": nn.init.xavier_uniform_,
    "xavier_uniform_ a gate": lambda w: _blocks(w, nn.init.xavier_uniform_),
    "orthogonal_": nn.init.orthogonal_,
    "orthogonal_ a gate": lambda w: _blocks(w, nn.init.orthogonal_),
    "identity": lambda w: _blocks(w, nn.init.eye_),
    "kaiming_normal_": nn.init.kaiming_normal_,
    "kaiming_uniform_ a sqrt 5": lambda w: nn.init.kaiming_uniform_(w, a=math.sqrt(5)),
    "uniform_ 0.1": lambda w: nn.init.uniform_(w, -0.1, 0.1),
    "uniform_ 0.05": lambda w: nn.init.uniform_(w, -0.05, 0.05),
    "normal_ 0.02": lambda w: nn.init.normal_(w, 0, 0.02),
    "normal_ 0.01": lambda w: nn.init.normal_(w, 0, 0.01),
}


def usual(name: str) -> str:
    """The gains of one usual initialization, of few and of many units."""
    gains = []
    for kind in CELLS.values():
        for hidden in (16, 128, 650):
            torch.manual_seed(0)
            module = kind(8, hidden)
            USUAL[name](module.weight_hh_l0)
            gains.append(float(initial_weights(module)[0]["hidden_gain"]))
    return f"{name:26s} gain {min(gains):.3f} .. {max(gains):.3f}"


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    for cell in CELLS:
        for gain in GAINS[cell]:
            print(line(cell, gain, None), flush=True)
        for bias in BIASES.get(cell, ()):
            print(line(cell, None, bias), flush=True)
    for name in USUAL:
        print(usual(name))


if __name__ == "__main__":
    main()
