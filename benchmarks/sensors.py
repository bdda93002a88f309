"""Where the probe's time goes: CPU seconds of each sensor, in relation to the training that it watches.

    python benchmarks/sensors.py

The language model of timed_training.py (two-layer LSTM, T=35, B=20, one thread) trains in this process under the probe,
whose calls of its sensors are timed. Quoted is what a sensor took over all steps, as a share of as many median steps;
a median step is not a sampled one. The rest of the probe (its hooks, the log, what it keeps of each step) is what
overhead.py measures on a tiny network. Writes sensors.md beside this file. Some four minutes on one core.
"""

import platform
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from torch import nn  # noqa: E402

from benchmarks.peers import After, nothing  # noqa: E402
from rnn_doctor.capture.probe import hooks  # noqa: E402
from rnn_doctor.capture.probe.config import Config  # noqa: E402
from rnn_doctor.capture.probe.observer import Observer  # noqa: E402
from rnn_doctor.capture.probe.patches import Patches  # noqa: E402
from rnn_doctor.capture.probe.session import Session  # noqa: E402
from rnn_doctor.capture.probe.stopping import StopProbe  # noqa: E402

TIME, BATCH, VOCABULARY = 35, 20, 2000
INSIDE = ("recurrence", "states", "loops", "data_lag", "padding", "mixing", "non_finite")
"""The sensors of what happens inside a recurrence; all others watch the training around it."""


class LM(nn.Module):
    """Embedding, two LSTM layers, linear decoder."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, hidden)
        self.lstm = nn.LSTM(hidden, hidden, 2, dropout=0.2)
        self.decoder = nn.Linear(hidden, VOCABULARY)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shapes: x (T, B) -> (T * B, V)"""
        logits: torch.Tensor = self.decoder(self.lstm(self.embed(x))[0])
        return logits.flatten(0, 1)


def timed(spent: dict[str, float]) -> Callable[..., None]:
    """Session.attempt, which adds up the CPU seconds of each sensor."""
    attempt = Session.attempt

    def measured(self: Session, sensor: str, function: Callable[..., Any], *args: Any) -> None:
        begin = time.thread_time()
        try:
            attempt(self, sensor, function, *args)
        finally:
            spent[sensor] += time.thread_time() - begin

    return measured


def run(hidden: int, steps: int) -> tuple[float, dict[str, float]]:
    """CPU seconds of a median step, and of each sensor over all steps."""
    torch.manual_seed(0)
    spent: dict[str, float] = defaultdict(float)
    original, patches = Session.attempt, Patches()
    with tempfile.TemporaryDirectory() as folder:
        observer = Observer(Config(str(Path(folder, "log.jsonl")), steps, 1e9, "0", "lm.py", [], 0))
        hooks.install(observer, patches)
        Session.attempt = timed(spent)  # type: ignore[method-assign]
        try:
            times = list(map(training(LM(hidden), time.thread_time), range(steps)))
        finally:
            Session.attempt = original  # type: ignore[method-assign]
            patches.undo()
    if observer.session.step != steps:
        raise SystemExit(f"the probe saw {observer.session.step} steps, not {steps}")
    return median(times), spent


def training(
    net: LM, clock: Callable[[], float], attach: Callable[[LM, torch.optim.Optimizer], After] | None = None
) -> Callable[[int], float]:
    """Makes the step of a number when it is called, and returns the seconds that it took.

    attach: lets another tool watch.
    """
    optimizer, criterion = torch.optim.SGD(net.parameters(), lr=1.0), nn.CrossEntropyLoss()
    after = nothing if attach is None else attach(net, optimizer)
    batches = [torch.randint(VOCABULARY, (TIME + 1, BATCH)) for _ in range(20)]

    def step(number: int) -> float:
        window, begin = batches[number % len(batches)], clock()
        try:
            optimizer.zero_grad()
            loss = criterion(net(window[:-1]), window[1:].flatten())
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 0.25)
            optimizer.step()
            after(loss)
        except StopProbe:
            pass
        return clock() - begin

    return step


def main() -> None:
    """Measure and write sensors.md."""
    torch.set_num_threads(1)
    cases = [(200, 50), (200, 200), (650, 50), (650, 200)]
    found = {case: run(*case) for case in cases}
    names = sorted({name for _, spent in found.values() for name in spent})
    shares = {
        case: {name: spent.get(name, 0.0) / (step * case[1]) for name in names}
        for case, (step, spent) in found.items()
    }

    def row(title: str, chosen: list[str]) -> str:
        cells = [f"{sum(shares[case][name] for name in chosen):.2%}" for case in cases]
        return f"| {title} | {' | '.join(cells)} |"

    around = [name for name in names if name not in INSIDE]
    page = [
        "# Where the probe's time goes",
        "",
        f"`python benchmarks/sensors.py`, Python {platform.python_version()}, torch {version('torch')}. CPU time of "
        "the sensors over all steps, as a share of as many median steps of a two-layer LSTM language model.",
        "",
        f"| sensor | {' | '.join(f'H={h}, {k} steps' for h, k in cases)} |",
        f"|---|{'---|' * len(cases)}",
        *(row(name, [name]) for name in names),
        row("around the recurrence, together", around),
        row("inside the recurrence, together", [name for name in names if name in INSIDE]),
        row("all", names),
        "",
        "A median step took "
        + ", ".join(f"{found[case][0] * 1e3:.0f} ms (H={case[0]}, {case[1]} steps)" for case in cases)
        + ".",
    ]
    print("\n".join(page))
    Path(__file__).with_suffix(".md").write_text("\n".join(page) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
