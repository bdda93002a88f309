"""Hand-written recurrences that leave no graph are found by what their weights make, and nothing else is."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from rnn_doctor.capture.probe.recurrence.shadows import Shadows
from rnn_doctor.schema.built import Module
from rnn_doctor.schema.recurrence import Loop
from tests.capture.records import Observation, observed

T, B, N, H = 6, 4, 3, 5
Pass = Callable[["Network", torch.Tensor], torch.Tensor]


class Cell(nn.Module):
    """An LSTM of one joined layer, an Elman cell of raw weights, or a GRU of two layers."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        if kind == "lstm":
            self.gates = nn.Linear(N + H, 4 * H)
        elif kind == "gru":
            self.given, self.kept = nn.Linear(N, 3 * H), nn.Linear(H, 3 * H)
        else:
            self.w_x = nn.Parameter(torch.randn(H, N) * 0.5)
            self.w_h = nn.Parameter(torch.randn(H, H) * 0.5)

    def forward(self, x: torch.Tensor, state: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        h, c = state
        if self.kind == "lstm":
            i, f, g, o = self.gates(torch.cat([x, h], 1)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            return o.sigmoid() * c.tanh(), c
        if self.kind == "gru":
            given, kept = self.given(x).chunk(3, 1), self.kept(h).chunk(3, 1)
            z, r = (given[0] + kept[0]).sigmoid(), (given[1] + kept[1]).sigmoid()
            return torch.lerp(h, torch.tanh(given[2] + r * kept[2]), z), c
        return torch.tanh(torch.einsum("bn,hn->bh", x, self.w_x) + h @ self.w_h.t()), c


class Network(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.cell, self.head = Cell(kind), nn.Linear(H, 1)

    def run(self, x: torch.Tensor) -> torch.Tensor:
        """Shapes: x (T, B, N) -> (T, B, H)."""
        state, outs = (torch.zeros(x.shape[1], H),) * 2, torch.empty(len(x), x.shape[1], H)
        for t, step in enumerate(x):
            state = self.cell(nn.functional.dropout(step, 0.1), state)
            outs[t] = state[0]
        return outs


def without(net: Network, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        out = net.run(x)
    return out


def by_numbers(net: Network, x: torch.Tensor) -> torch.Tensor:
    return torch.tensor(net.run(x).tolist())


def graded(net: Network, x: torch.Tensor) -> torch.Tensor:
    return net.run(x)


def train(
    kind: str, run: Pass, frozen: bool = False, probe: bool = True, updates: int = 6
) -> tuple[Observation | None, list[float]]:
    torch.manual_seed(0)
    losses = []

    def loop() -> None:
        net = Network(kind)
        net.cell.requires_grad_(not frozen)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(updates):
            optimizer.zero_grad()
            loss = net.head(run(net, torch.randn(T, B, N))).square().mean()
            loss.backward()
            losses.append(loss.item())
            optimizer.step()

    if not probe:
        loop()
        return None, losses
    with observed() as records:
        loop()
    assert records.of("sensor_off") == []
    assert not torch._C._len_torch_function_stack()
    for module in records.of("module"):
        Module(**module)
    for each in records.of("loop"):
        Loop(**each)
    return records, losses


def observation(kind: str, run: Pass, frozen: bool = False) -> Observation:
    records, _ = train(kind, run, frozen)
    assert records is not None
    return records


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_a_loop_under_no_grad_is_found_with_its_line(kind: str) -> None:
    records = observation(kind, without)
    (module,) = records.of("module")
    assert (module["name"], module["kind"], module["hidden_size"]) == ("cell", "custom", H)
    assert module["gradientless"]["function"] == "forward"
    assert "frozen" not in module
    (loop, *_) = records.of("loop")
    assert (loop["unused"], loop["steps"], loop["location"]) == ("output_cut_off", T, module["gradientless"])


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_a_loop_over_frozen_weights_is_found_with_what_it_began_with(kind: str) -> None:
    records = observation(kind, graded, frozen=True)
    (module,) = records.of("module")
    assert (module["name"], module["frozen"]) == ("cell", True)
    assert "gradientless" not in module
    assert records.of("loop") == []
    (weights,) = records.of("initial_weights")
    assert weights["module"] == module["id"]
    assert weights["kurtosis"] == pytest.approx(weights["kurtosis"])
    frozen = [p["name"] for p in records.of("parameter") if not p["trainable"]]
    assert frozen
    assert all(name.startswith("cell.") for name in frozen)


def test_what_is_made_of_numbers_alone_is_found_at_the_line_that_does_it() -> None:
    records = observation("gru", by_numbers)
    (module,) = records.of("module")
    assert "gradientless" not in module
    (loop, *_) = records.of("loop")
    assert loop["unused"] == "output_cut_off"
    assert loop["location"]["function"] == "by_numbers"


def test_a_recurrence_that_learns_is_not_followed() -> None:
    records = observation("gru", graded)
    assert not any(loop.get("unused") for loop in records.of("loop"))
    assert records.observer._updates._sensors.graphless.over


@pytest.mark.parametrize(
    ("run", "frozen"), [(without, False), (by_numbers, False), (without, True), (graded, True)]
)
def test_losses_and_random_numbers_are_those_of_the_script_alone(run: Pass, frozen: bool) -> None:
    _, with_probe = train("lstm", run, frozen)
    _, bare = train("lstm", run, frozen, probe=False)
    assert with_probe == bare


def test_thawed_weights_are_described_anew() -> None:
    def thawing(net: Network, x: torch.Tensor) -> torch.Tensor:
        seen.append(1)
        net.cell.requires_grad_(len(seen) > 5)
        return net.run(x)

    seen: list[int] = []
    records, _ = train("gru", thawing, frozen=True, updates=9)
    assert records is not None
    assert [module.get("frozen") for module in records.of("module")] in ([True], [True, None])


def test_layers_without_a_recurrence_are_none() -> None:
    net = nn.Sequential(nn.Linear(N, H), nn.Tanh(), nn.Linear(H, H), nn.Tanh())
    head = nn.Linear(H, 1)
    with observed() as records:
        optimizer = torch.optim.SGD([*net.parameters(), *head.parameters()], lr=0.1)
        for _ in range(6):
            with torch.no_grad():
                features = net(torch.randn(B, N))
            head(features).square().mean().backward()
            optimizer.step()
    assert records.of("module") == []
    assert records.of("sensor_off") == []


def test_layers_that_share_their_weights_take_nothing_new_and_are_none() -> None:
    shared, head = nn.Linear(H, H), nn.Linear(H, 1)
    with observed() as records:
        optimizer = torch.optim.SGD([*shared.parameters(), *head.parameters()], lr=0.1)
        for _ in range(6):
            with torch.no_grad():
                x = torch.randn(B, H)
                for _ in range(5):
                    x = torch.tanh(shared(x))
            head(x).square().mean().backward()
            optimizer.step()
    assert records.of("module") == []


def test_shadows_write_where_the_script_writes_and_leave_its_tensors_alone() -> None:
    weight = nn.Parameter(torch.randn(H, H))
    shadows = Shadows(lambda: False)
    assert shadows.follow([weight])
    with torch.no_grad():
        h = torch.ones(B, H) @ weight
        store = torch.zeros(2, B, H)
        store[0] = h
        store.mul_(2.0)
        kept = store[0].clone()
    shadows.stop()
    assert shadows.end()
    assert kept.grad_fn is None
    (end, *_) = shadows.ends()
    assert torch.equal(end, kept)
    (gradient,) = torch.autograd.grad(end.sum(), [next(iter(shadows._leaves.values()))])
    assert torch.equal(gradient, torch.full((H, H), 2.0 * B))


def test_a_mode_of_the_scripts_own_is_left_alone() -> None:
    with torch.device("cpu"):
        assert not Shadows(lambda: False).follow([nn.Parameter(torch.ones(H, H))])
