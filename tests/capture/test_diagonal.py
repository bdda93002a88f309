"""Hand-written recurrences in which each unit sees its own past alone: through no matrix, but through weights."""

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from rnn_doctor.capture.probe.recurrence import loop_gain, loops
from rnn_doctor.capture.probe.recurrence.unrolled import Unrolled
from tests.capture.records import observed

T, B, N, H = 7, 4, 3, 5


@pytest.fixture(autouse=True)
def _double() -> object:
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def of(loss: torch.Tensor) -> tuple[Unrolled, list[loops.Loop]]:
    unrolled = Unrolled(loss)
    return unrolled, loops.find(unrolled, lambda _: False, lambda weights: str(id(weights[0])))


def as_it_is(u: torch.Tensor) -> torch.Tensor:
    return u


def bounded(u: torch.Tensor) -> torch.Tensor:
    return u.sigmoid()


def stretched(u: torch.Tensor) -> torch.Tensor:
    return u.unsqueeze(0).expand(B, H)


@pytest.mark.parametrize("form", [as_it_is, bounded, stretched])
def test_the_gain_is_that_of_autograd_on_the_states(form: Callable[[torch.Tensor], torch.Tensor]) -> None:
    u, i2h = (torch.rand(H) + 0.2).requires_grad_(True), nn.Linear(N, H)
    h, states = torch.zeros(B, H), []
    for _ in range(T):
        h = torch.tanh(i2h(torch.randn(B, N)) + form(u) * h)
        states.append(h)
    unrolled, (loop,) = of(h.square().sum())
    assert (loop.steps, loop.hidden_size, loop.diagonal) == (T - 1, H, True)
    assert [id(weight) for weight in loop.weights] == [id(u)]
    fields = loop_gain.gain(unrolled, loop)
    v = torch.randn(B, H, generator=torch.Generator().manual_seed(0))
    gradients = torch.autograd.grad((states[-1] * v).sum(), states, retain_graph=True)
    norms = torch.stack([g.norm(dim=-1) for g in gradients[::-1]]).log10()
    for row, lag in enumerate(fields["lags"]):
        truth = (norms[lag] - norms[0]).tolist()
        assert [sample[row] for sample in fields["samples"]] == pytest.approx(truth, abs=2e-3)


def test_a_known_factor() -> None:
    u = torch.full((H,), 0.5, requires_grad=True)
    h = torch.randn(B, H)
    for _ in range(T):
        h = torch.relu(u * h + torch.rand(B, H)).abs()
    unrolled, (loop,) = of(h.sum())
    decades = loop_gain.gain(unrolled, loop)["decades"]
    steps = [b - a for a, b in itertools.pairwise(decades)]
    assert max(steps) < 0
    assert min(steps) <= math.log10(0.5) + 1e-9


def test_it_is_named_and_no_finding_of_a_missing_nonlinearity_follows() -> None:
    class IndRNN(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.i2h, self.u = nn.Linear(N, H), nn.Parameter(torch.rand(H))

        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            h = torch.zeros(B, H)
            for x in xs:
                h = self.i2h(x) + self.u * h
            return h

    with observed() as records:
        net = IndRNN()
        net(torch.randn(T, B, N)).square().mean().backward()
        torch.optim.SGD(net.parameters(), lr=0.1).step()
    assert records.of("sensor_off") == []
    (module,), (loop,) = records.of("module"), records.of("loop")
    assert (module["name"], module["kind"], module["hidden_size"]) == ("IndRNN", "custom", H)
    assert "linear" not in loop
    assert "absent" not in loop
    assert len(records.of("lag_gain")) == 1


def norm_by_hand() -> torch.Tensor:
    gain, cell, h = torch.ones(H, requires_grad=True), nn.GRUCell(N, H), torch.zeros(B, H)
    for _ in range(T):
        h = gain * nn.functional.normalize(cell(torch.randn(B, N), h), dim=1)
    total: torch.Tensor = h.sum()
    return total


def scale_of_each_step() -> torch.Tensor:
    gain, layer = torch.ones(H, requires_grad=True), nn.Linear(N, H)
    return torch.stack([gain * layer(torch.randn(B, N)) for _ in range(T)]).sum()


def one_number() -> torch.Tensor:
    rate, h = torch.ones((), requires_grad=True), nn.Linear(N, H)(torch.randn(B, N))
    for _ in range(T):
        h = torch.tanh(rate * h)
    total: torch.Tensor = h.sum()
    return total


@pytest.mark.parametrize("loss_of", [scale_of_each_step, one_number])
def test_no_recurrence_through_weights_of_single_units(loss_of: Callable[[], torch.Tensor]) -> None:
    assert of(loss_of())[1] == []


def test_weights_of_single_units_beside_a_matrix_are_no_recurrence_of_their_own() -> None:
    (loop,) = of(norm_by_hand())[1]
    assert not loop.diagonal
