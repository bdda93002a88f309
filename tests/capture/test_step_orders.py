"""Decoders that are called step by step: in which order the targets of their stacked steps are flattened."""

# mypy: disable-error-code="no-untyped-call, no-any-return"

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from rnn_doctor.derive.target_orders import in_another_order
from tests.capture.records import Observation, observed

T, B, V, H = 7, 16, 9, 6


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


class Decoder(nn.Module):
    """Takes one token of each row a call, and tells the next."""

    def __init__(self, cell: bool = False) -> None:
        super().__init__()
        self.embedding = nn.Embedding(V, H)
        self.rnn: nn.Module = nn.LSTMCell(H, H) if cell else nn.GRU(H, H)
        self.head = nn.Linear(H, V)

    def forward(self, token: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        """Shapes: token (B) -> (B, V)."""
        given = torch.relu(self.embedding(token))
        if isinstance(self.rnn, nn.LSTMCell):
            state = self.rnn(given, state)
            return self.head(state[0]), state
        out, state = self.rnn(given.unsqueeze(0), state)
        return self.head(out.squeeze(0)), state


def trained(*, turned: bool, cell: bool = False, dim: int = 0, forced: bool = True) -> Observation:
    """Updates 1, 3, 8 and 21 are looked at. dim: along which the steps are stacked."""
    net = Decoder(cell)
    with observed() as records:
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        for _ in range(21):
            answer = torch.randint(V, (T + 1, B))  # no token tells of another
            token, state, steps = answer[0], None, []
            for t in range(T):
                scores, state = net(token, state)
                steps.append(scores)
                token = answer[t + 1] if forced else scores.argmax(1)
            target = answer[1:]
            target = target.t() if turned is (dim == 0) else target
            optimizer.zero_grad()
            F.cross_entropy(torch.stack(steps, dim).view(-1, V), target.reshape(-1)).backward()
            optimizer.step()
    return records


def shares(records: Observation) -> dict[str, Any]:
    assert records.of("sensor_off") == []
    (found,) = records.of("axis_dependence")
    return found


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("cell", [False, True])
def test_the_token_of_the_next_step_tells_of_a_target(dim: int, cell: bool) -> None:
    assert in_another_order(**shares(trained(turned=True, dim=dim, cell=cell)))
    right = shares(trained(turned=False, dim=dim, cell=cell))
    assert right["own_share"] > 0.8
    assert not in_another_order(**right)


def test_a_decoder_that_takes_its_own_answers_tells_of_no_order() -> None:
    assert not in_another_order(**shares(trained(turned=True, forced=False)))
