"""A language model that times its own steps: `timed_training.py HIDDEN STEPS [TIME BATCH VOCABULARY]`.

It prints wall and CPU seconds of the whole loop, imports and construction left out, also when it is stopped.
"""

import sys
import time

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
start, cpu = time.perf_counter(), time.process_time()
try:
    for step in range(STEPS):
        window = batches[step % len(batches)]
        optimizer.zero_grad()
        loss = criterion(net(window[:-1]), window[1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.25)
        optimizer.step()
finally:
    print("TIMED", time.perf_counter() - start, time.process_time() - cpu, flush=True)
