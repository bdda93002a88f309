"""A language model that times its own steps: `timed_training.py HIDDEN STEPS [TIME BATCH VOCABULARY]`.

It prints wall and CPU seconds and page faults of each step as JSON, imports and construction left out, also when it is
stopped.
With the environment variable TURNS, a folder that holds the pipes `turn` and `done`, it waits for a byte before every
TURN_STEPS steps and answers with one after them, so that several trainings can take turns. WATCHED_BY names a tool of
peers.py that watches it. SENSORS_OFF names sensors, separated by commas, that the probe which watches it does without.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
H, STEPS, T, B, V = (int(word) for word in (sys.argv[1:] + ["35", "20", "2000"][len(sys.argv) - 3 :])[:5])


class LM(nn.Module):
    """Embedding, two LSTM layers, linear decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(V, H)
        self.lstm = nn.LSTM(H, H, 2, dropout=0.2)
        self.decoder = nn.Linear(H, V)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shapes: x (T, B) -> (T * B, V)"""
        logits: torch.Tensor = self.decoder(self.lstm(self.embed(x))[0])
        return logits.flatten(0, 1)


net = LM()
optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
criterion = nn.CrossEntropyLoss()
batches = [torch.randint(V, (T + 1, B)) for _ in range(20)]
after_update = None
if "WATCHED_BY" in os.environ:
    from benchmarks.peers import attach

    after_update = attach(os.environ["WATCHED_BY"], net, optimizer)
if "SENSORS_OFF" in os.environ:
    (arming,) = (module for name, module in sys.modules.items() if name.endswith(".arming"))
    arming._state["observer"].session._off.update(os.environ["SENSORS_OFF"].split(","))
turns = os.environ.get("TURNS")
turn = os.open(Path(turns, "turn"), os.O_RDONLY) if turns else None
done = os.open(Path(turns, "done"), os.O_WRONLY) if turns else None
turn_steps = int(os.environ.get("TURN_STEPS", "1"))
wall: list[float] = []
cpu: list[float] = []
faults: list[int] = []


def update(window: torch.Tensor) -> None:
    """One step of the training."""
    optimizer.zero_grad()
    loss = criterion(net(window[:-1]), window[1:].flatten())
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 0.25)
    optimizer.step()
    if after_update is not None:
        after_update(loss)


try:
    for step in range(STEPS):
        if turn is not None and step % turn_steps == 0:
            os.read(turn, 1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        start, busy = time.perf_counter(), time.process_time()
        try:
            update(batches[step % len(batches)])
        finally:
            wall.append(time.perf_counter() - start)
            cpu.append(time.process_time() - busy)
            faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
            if done is not None and (step + 1) % turn_steps == 0:
                os.write(done, b".")
finally:
    print("TIMED", json.dumps({"wall": wall, "cpu": cpu, "faults": faults}), flush=True)
