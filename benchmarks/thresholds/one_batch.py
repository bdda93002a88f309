"""Which networks learn one fixed batch within 50 updates, and what helps those that do not.

Command: python benchmarks/thresholds/one_batch.py (about four minutes on one core). Each network makes three
updates; the batch of the fourth is then learned by copies of the process, as `check --deep` has it done. One line a
setting: how many of the networks learned the batch by their own settings and the most updates that took, the largest
share of the loss that was left where they did not, and how many the other arms brought to learn it. Below it, how
often each cause is named (rnn_doctor/derive/one_batch.py). RD702 is read from this table.
"""

import time
from collections import Counter
from itertools import product
from types import SimpleNamespace

import torch
from tasks import CELLS, TASKS, Net, Task
from torch import Tensor, nn

from rnn_doctor.capture.probe.trials.batch_fit import OTHERS, OWN, Clip, Subject, fit
from rnn_doctor.capture.probe.trials.forking import in_copy
from rnn_doctor.capture.probe.trials.tape import Recorder
from rnn_doctor.derive.one_batch import batch_cause
from rnn_doctor.schema.trials import BatchFit

BATCH, LIMIT = 16, 60.0
# name: (optimizer, rate, clip, hidden, what is wrong)
SETTINGS: dict[str, tuple[str, float, float | None, int, str]] = {
    "healthy adam 1e-3": ("adam", 1e-3, None, 32, ""),
    "healthy adam 3e-3": ("adam", 3e-3, None, 32, ""),
    "healthy adam 1e-3 H=128": ("adam", 1e-3, None, 128, ""),
    "healthy sgd 0.1 clip 1": ("sgd", 0.1, 1.0, 32, ""),
    "sgd 1 clip 1": ("sgd", 1.0, 1.0, 32, ""),
    "shuffled labels, adam 1e-2": ("adam", 1e-2, None, 32, "shuffled"),
    "adam 1e-5": ("adam", 1e-5, None, 32, ""),
    "sgd 1e-4": ("sgd", 1e-4, None, 32, ""),
    "sgd 0.1 clip 1e-4": ("sgd", 0.1, 1e-4, 32, ""),
    "all weights 0, adam 1e-2": ("adam", 1e-2, None, 32, "zero"),
    "saturated, adam 1e-2": ("adam", 1e-2, None, 32, "saturated"),
    "optimizer of other weights": ("adam", 1e-2, None, 32, "stale"),
}


def spoiled(net: Net, fault: str) -> None:
    """Plants what is wrong with the weights."""
    with torch.no_grad():
        for parameter in net.parameters() if fault == "zero" else ():
            parameter.zero_()
        for name, parameter in net.rnn.named_parameters() if fault == "saturated" else ():
            parameter.mul_(30 if name.startswith("weight") else 1)


def run(task: Task, cell: str, setting: tuple[str, float, float | None, int, str]) -> list[BatchFit]:
    """The arms of one network."""
    kind, rate, clip, hidden, fault = setting
    torch.manual_seed(0)
    data = torch.Generator().manual_seed(1)
    net = Net(task, cell, hidden)
    spoiled(net, fault)
    held = Net(task, cell, hidden) if fault == "stale" else net
    make = torch.optim.Adam if kind == "adam" else torch.optim.SGD
    optimizer = make(held.parameters(), lr=rate)
    recorder = Recorder(lambda: False)
    for update in range(4):
        if update == 3:
            recorder.begin()
        loss = _loss(task, net, data, fault)
        if update == 3:
            break
        optimizer.zero_grad()
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimizer.step()
    recorder.end()
    subject = Subject(recorder.tape(loss), loss, [optimizer], None if clip is None else Clip(clip, False))
    arms: list[BatchFit] = []
    for arm in (OWN, *OTHERS):
        end = time.monotonic() + LIMIT
        found = in_copy(lambda arm=arm, end=end: fit(subject, arm, end), LIMIT)  # type: ignore[misc]
        arms.append(BatchFit.model_validate({"record": "batch_fit", "step": 4, "arm": arm.name, **found}))
        if arms[0].learned:
            break
    return arms


def _loss(task: Task, net: Net, data: torch.Generator, fault: str) -> Tensor:
    x, y = task.batch(BATCH, data)
    if fault == "shuffled":
        y = y[torch.randperm(len(y), generator=data)]
    return task.loss(net(x), y)


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    for name, setting in SETTINGS.items():
        runs = [run(task, cell, setting) for task, cell in product(TASKS, CELLS)]
        learned = [r[0] for r in runs if r[0].learned]
        left = [float(r[0].losses[-1] / r[0].losses[0]) for r in runs if not r[0].learned]
        within = [len(arm.losses) - 1 for arm in learned]
        helped = Counter(arm.arm for r in runs for arm in r[1:] if arm.learned)
        print(
            f"{name}: {len(learned)} of {len(runs)} learned, within {max(within, default=0)}"
            f" | left by the others {' '.join(f'{v:.2f}' for v in sorted(left)) or '-'}"
        )
        print(f"    helped: {', '.join(f'{arm} {n}' for arm, n in helped.items()) or '-'}")
        causes = Counter(batch_cause(SimpleNamespace(log=SimpleNamespace(batch_fits=r))).value for r in runs)  # type: ignore[arg-type, union-attr]
        print(f"    causes: {', '.join(f'{cause} {n}' for cause, n in causes.items())}", flush=True)


if __name__ == "__main__":
    main()
