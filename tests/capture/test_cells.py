"""Cells as people write them: which recurrences are found, and their gain against explicit products of Jacobians."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from rnn_doctor.capture.probe.recurrence import loop_gain, loops, scans
from rnn_doctor.capture.probe.recurrence.unrolled import Unrolled
from tests.capture.cells import CELLS, Cell, Elman
from tests.capture.no_recurrences import NETWORKS
from tests.capture.records import Observation, observed

T, B = 9, 5


@pytest.fixture(autouse=True)
def _double() -> object:
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def shortest(name: str) -> int:
    """How far the gain reaches at least: the first and last steps of a state of several steps have another form."""
    return T - 6 if name == "Narx" else T - 4


def jacobians(cell: Cell, xs: torch.Tensor) -> list[torch.Tensor]:
    """d s_t / d s_(t-1) of all rows, step by step. Shapes: (B * S, B * S), S numbers of a row's state."""
    with torch.no_grad():
        cell(xs)
    before = [cell.begin(B), *cell.states]
    sizes = [part.numel() for part in before[0]]

    def flat(state: Any) -> torch.Tensor:
        return torch.cat([part.reshape(-1) for part in state])

    found = []
    for x, state in zip(cell.inputs(xs), before, strict=False):

        def step(numbers: torch.Tensor, x: Any = x, state: Any = state) -> torch.Tensor:
            parts = torch.split(numbers, sizes)
            return flat(cell.step(x, tuple(p.view_as(s) for p, s in zip(parts, state, strict=True))))

        found.append(torch.autograd.functional.jacobian(step, flat(state)))  # type: ignore[no-untyped-call]
    return found


def truth(cell: Cell, xs: torch.Tensor, end: int, lags: list[int], rows: int) -> list[float]:
    """The decades by lag of a cotangent of ones at the state `end`, back through the product of the Jacobians.

    Of several tensors by autograd: that of an LSTM's c holds what passes through h of the same step.
    """
    cell(xs)
    if len(cell.parts()[0]) > 1:
        parts = [state for state in cell.parts()[: end + 1] if all(part.requires_grad for part in state)]
        total = sum((part.sum() for part in parts[-1]), torch.zeros(()))
        flat = torch.autograd.grad(total, [part for state in parts for part in state])
        width = len(parts[0])
        back = [flat[k : k + width] for k in range(0, len(flat), width)][::-1]
        norms = [loop_norms(cell, list(each), rows) for each in back]
        return (torch.stack(norms).log10() - norms[0].log10())[lags].median(1).values.tolist()
    steps = jacobians(cell, xs)
    shapes = [(B, *shape) for shape in cell.shapes]
    sizes = [torch.Size(shape).numel() for shape in shapes]
    pull = torch.ones(sum(sizes))
    norms = []
    for lag in range(end + 1):
        pulls = [p.view(s) for p, s in zip(torch.split(pull, sizes), shapes, strict=True)]
        norms.append(loop_norms(cell, pulls, rows))
        pull = pull @ steps[end - lag]
    decades = torch.stack(norms).log10() - norms[0].log10()
    return decades[lags].median(1).values.tolist()


def loop_norms(cell: Cell, parts: list[torch.Tensor], rows: int) -> torch.Tensor:
    """2-norms over all tensors of a state; by row, where the gain tells rows apart. Shape: (R)."""
    if rows == 1:
        return torch.stack([part.square().sum() for part in parts]).sum().sqrt().reshape(1)
    squares = [part.reshape(-1, part.shape[-1]).square().sum(1) for part in map(cell.as_found, parts)]
    chosen = torch.linspace(0, len(squares[0]) - 1, rows).long()
    return torch.stack(squares).sum(0)[chosen].sqrt()


@pytest.mark.parametrize("name", CELLS)
def test_the_gain_is_that_of_the_product_of_jacobians(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cell, xs = CELLS[name](), torch.randn(T, B, 3)
    torch.manual_seed(1)
    unrolled = Unrolled(cell(xs).square().sum())
    (loop,) = loops.find(unrolled, lambda _: False, lambda _: "one")
    assert loop.is_fed()
    assert loop_gain.absent(unrolled, loop) is None
    # Of ones it does not matter in which order the units of a state stand in the graph.
    monkeypatch.setattr(torch, "randn", lambda shape, **more: torch.ones(shape, dtype=more["dtype"]))
    fields = loop_gain.gain(unrolled, loop)
    monkeypatch.undo()
    assert fields["lags"][-1] >= shortest(name)
    ends = [
        truth(cell, xs, end, fields["lags"], fields["rows"])
        for end in range(T - 4, T)
        if end >= fields["lags"][-1]
    ]
    assert any(fields["decades"] == pytest.approx(end, abs=1e-9) for end in ends), (fields, ends)


def trained(network: nn.Module, updates: int = 3) -> Observation:
    with observed() as records:
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
        for _ in range(updates):
            optimizer.zero_grad()
            network(torch.randn(T, B, 3)).square().mean().backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    return records


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_leaves_its_records(name: str) -> None:
    records = trained(CELLS[name]())
    (module,), (loop,), (gain,) = records.of("module"), records.of("loop"), records.of("lag_gain")
    assert module["kind"] == "custom"
    assert "absent" not in loop
    assert loop["steps"] in (T - 1, T)
    assert gain["lags"][-1] >= shortest(name)


@pytest.mark.parametrize("name", NETWORKS)
def test_no_recurrence_is_seen(name: str) -> None:
    records = trained(NETWORKS[name]())
    assert records.of("module") == []
    assert records.of("loop") == []


def log_space(k: torch.Tensor, new: torch.Tensor, axis: int) -> torch.Tensor:
    """The parallel minGRU of Feng et al. 2024."""
    kept, taken = -nn.functional.softplus(k), -nn.functional.softplus(-k) + new.abs().log()
    rates = kept.cumsum(axis)
    return (rates + (taken - rates).logcumsumexp(axis)).exp()


def products(k: torch.Tensor, new: torch.Tensor, axis: int) -> torch.Tensor:
    z = k.sigmoid()
    rates = (1 - z).cumprod(axis)
    return rates * (z * new.abs() / rates).cumsum(axis)


def powers(k: torch.Tensor, new: torch.Tensor, axis: int) -> torch.Tensor:
    """By sums of logarithms, bounded against overflow."""
    rates = nn.functional.logsigmoid(k).cumsum(axis).clamp(min=-20)
    return rates.exp() * ((-rates).exp() * k.neg().sigmoid() * new).cumsum(axis)


@pytest.mark.parametrize("scan", [log_space, products, powers])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_scan_over_all_steps_at_once(scan: Any, axis: int) -> None:
    gate, value, head = nn.Linear(3, 4), nn.Linear(3, 4), nn.Linear(4, 2)
    xs = torch.randn(T, B, 3).movedim(0, axis)
    k, new = gate(xs), value(xs)
    h = scan(k, new, axis)
    unrolled = Unrolled(head(h).square().sum())
    (found,) = scans.find(unrolled)
    assert (found.loop.steps, found.loop.hidden_size) == (T, 4)
    assert {id(weight) for weight in found.loop.weights} == {id(gate.weight), id(value.weight)}
    fields = scans.gain(unrolled, found)
    v = torch.randn(B, 4, generator=torch.Generator().manual_seed(0))
    end = h.select(axis, T - 1)
    pulls = torch.autograd.grad((end * v).sum(), [k, new])
    squares = sum((pull.movedim(axis, 0).square().sum(-1).flip(0) for pull in pulls), torch.zeros(()))
    norms = squares[:, torch.linspace(0, B - 1, 4).long()].sqrt()
    decades = (norms.log10() - norms[0].log10()).median(1).values
    assert fields["lags"] == list(range(T))
    assert fields["decades"] == pytest.approx(decades.tolist(), abs=1e-9)


def test_a_scan_leaves_its_records() -> None:
    class MinGru(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate, self.value, self.head = nn.Linear(3, 4), nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.head(log_space(self.gate(xs), self.value(xs), 0)[-1])
            return out

    records = trained(MinGru())
    (module,), (loop,), (flow,) = records.of("module"), records.of("loop"), records.of("state_flow")
    assert (module["name"].split(".")[-1].split("#")[0], module["hidden_size"]) == ("MinGru", 4)
    assert (loop["steps"], flow["length"]) == (T, T)
    assert [gain["lags"] for gain in records.of("lag_gain")] == [list(range(T))]


def wrapped(wrap: Callable[[nn.Module], nn.Module]) -> nn.Module:
    class Wrapped(Elman):
        def __init__(self) -> None:
            super().__init__()
            self.h2h = wrap(nn.Linear(4, 4))

    return Wrapped()


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    "wrap",
    [
        lambda layer: parametrizations.orthogonal(layer, orthogonal_map="matrix_exp"),
        lambda layer: parametrizations.orthogonal(layer, orthogonal_map="cayley"),
        lambda layer: parametrizations.orthogonal(layer, orthogonal_map="householder"),
        lambda layer: parametrizations.orthogonal(layer, use_trivialization=False),
        parametrizations.spectral_norm,
        parametrizations.weight_norm,
        nn.utils.spectral_norm,
        nn.utils.weight_norm,
    ],
)
def test_every_parametrization_of_torchs_is_followed(wrap: Callable[[nn.Module], nn.Module]) -> None:
    records = trained(wrapped(wrap))
    (loop,), (gain,) = records.of("loop"), records.of("lag_gain")
    assert (loop["steps"], loop["states"]) == (T, 1)
    assert gain["lags"] == list(range(T))


def test_a_cell_behind_a_module_of_torchs_is_named_by_its_own_weights() -> None:
    torch.set_default_dtype(torch.float32)  # in double the kernel leaves its steps in the graph

    class Stacked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.cell, self.head = nn.LSTM(3, 4), Inner(), nn.Linear(4, 2)

        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.head(self.cell(self.lstm(xs)[0]))
            return out

    class Inner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.z, self.n = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            h, z, n = torch.zeros(B, 4), self.z(xs).sigmoid(), self.n(xs)
            for t in range(len(xs)):
                h = (1 - z[t]) * h + z[t] * n[t]
            return h

    records = trained(Stacked())
    assert [(m["name"].split(".")[-1], m["kind"]) for m in records.of("module")] == [
        ("lstm", "LSTM"),
        ("cell", "custom"),
    ]
