"""What an update costs at which no sensor looks: functions of the probe that it runs, a number that no machine changes.

Among operations that fill the caches each of them takes some three microseconds. A limit that is too low for a new
sensor is not to be raised before it is known whether the sensor has to be asked at such updates.
"""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from rnn_doctor.capture import probe
from tests.capture.records import observed

_PROBE = str(Path(probe.__file__).parent)
_ORDINARY = 15
"""An update that is far from sampled ones: 8 and 21 are."""
_AT_ONCE = 1500
"""Functions of an update that is not sampled, at which something that was gathered is judged."""


class _Functions:
    """Counts the probe's functions that are called meanwhile."""

    def __init__(self) -> None:
        self.called: Counter[str] = Counter()

    def _count(self, frame: Any, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(_PROBE):
            self.called[
                frame.f_code.co_qualname if sys.version_info >= (3, 11) else frame.f_code.co_name
            ] += 1

    def __enter__(self) -> Counter[str]:
        sys.setprofile(self._count)
        return self.called

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)


class _Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.lstm, self.head = nn.Embedding(9, 4), nn.LSTM(4, 5, 2, dropout=0.2), nn.Linear(5, 9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shapes: x (T, B) -> (T * B, 9)"""
        logits: torch.Tensor = self.head(self.lstm(self.embed(x))[0])
        return logits.flatten(0, 1)


def test_a_language_model_with_clipping() -> None:
    with observed(steps=50):
        model, criterion = _Model(), nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for number in range(1, _ORDINARY + 1):
            window = torch.randint(9, (8, 6))
            with _Functions() as called:
                optimizer.zero_grad()
                loss = criterion(model(window[:-1]), window[1:].flatten())
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 0.25)
                optimizer.step()
            if number == _ORDINARY:
                assert called.total() <= 80, called


def test_batches_of_a_loader_without_clipping() -> None:
    """Labels and lags are gathered of such batches, until there are enough of them."""
    with observed(steps=50):
        model, criterion = nn.LSTM(2, 3, batch_first=True), nn.CrossEntropyLoss()
        optimizer = torch.optim.Adam(model.parameters())
        data = TensorDataset(torch.randn(400, 5, 2), torch.randint(3, (400,)))
        batches = iter(DataLoader(data, batch_size=10, shuffle=True))
        counts = []
        for _ in range(39):
            with _Functions() as called:
                x, y = next(batches)
                loss = criterion(model(x)[0][:, -1], y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            counts.append(called.total())
    assert counts[_ORDINARY - 1] <= 150
    assert max(counts[_ORDINARY + 7 :]) <= _AT_ONCE
