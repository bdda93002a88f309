"""Whether the tokens of a recurrence written by hand are all one."""

# mypy: disable-error-code="no-untyped-call, no-any-return"

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.capture.records import observed

B, T, V, H = 8, 6, 5, 4


class Net(nn.Module):
    """A cell written by hand over embedded tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.cell, self.head = nn.Embedding(V, H), nn.Linear(2 * H, H), nn.Linear(H, V)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(len(x), H)
        for now in self.embedding(x).unbind(1):
            h = torch.tanh(self.cell(torch.cat([now, h], 1)))
        return self.head(h)


def tokens(draw: Any, updates: int = 3) -> list[dict[str, Any]]:
    """Updates 1 and 3 are looked at."""
    torch.manual_seed(0)
    with observed() as records:
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        for k in range(updates):
            optimizer.zero_grad()
            F.cross_entropy(net(draw(k)), torch.randint(V, (B,))).backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    return records.of("tokens")


def test_every_word_the_unknown_one() -> None:
    found = tokens(lambda _: torch.full((B, T), 2))
    assert [(each["looked"], each["constant"]) for each in found] == [(B * T, True), (2 * B * T, True)]


@pytest.mark.parametrize(
    "draw",
    [
        lambda k: torch.randint(V, (B, T)),
        lambda k: torch.full((B, T), k),  # another one in each batch
        lambda k: (torch.arange(B * T) == 7).long().view(B, T),
    ],
)
def test_tokens_that_differ(draw: Any) -> None:
    assert tokens(draw)[-1]["constant"] is False
