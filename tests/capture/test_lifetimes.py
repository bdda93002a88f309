"""The probe keeps no tensor of an ordinary step longer than the script does: no step needs more memory for it."""

import gc
import weakref
from typing import Any

import pytest
import torch
from torch import nn

from tests.capture.records import observed


@pytest.mark.parametrize("module", [nn.LSTM(3, 4), nn.GRUCell(3, 4)])
def test_what_a_recurrence_takes_and_gives_is_freed_by_the_backward_pass(module: Any) -> None:
    alive: list[int] = []
    with observed():
        embed = nn.Linear(3, 3)
        optimizer = torch.optim.SGD([*embed.parameters(), *module.parameters()], lr=0.1)
        for _ in range(7):
            given = embed(torch.randn(5, 2, 3) if isinstance(module, nn.LSTM) else torch.randn(2, 3))
            output = module(given)
            output = output[0] if isinstance(output, tuple) else output
            references = [weakref.ref(given), weakref.ref(output)]
            loss = output.pow(2).mean()
            del given, output
            loss.backward()
            alive.append(sum(reference() is not None for reference in references))
            optimizer.step()
            optimizer.zero_grad()
    unsampled = [alive[step - 1] for step in (4, 5, 6)]
    assert unsampled == [0, 0, 0]


@pytest.mark.parametrize("packed", [False, True])
def test_what_was_examined_is_freed_as_well(packed: bool) -> None:
    with observed() as records:
        module = nn.GRU(3, 4)
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        x = torch.randn(5, 2, 3)
        for _ in range(3):
            given = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([5, 3])) if packed else x
            output = module(given)[0]
            data = output.data if packed else output
            data.pow(2).mean().backward()
            optimizer.step()
    references = [weakref.ref(data), weakref.ref(module)]
    assert records.of("lag_gain")
    del module, optimizer, given, output, data
    gc.collect()
    assert [reference() for reference in references] == [None, None]
