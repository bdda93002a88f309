"""States and gates of hand-written recurrences, against the tensors that the loop itself held."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from rnn_doctor.capture.probe.recurrence import loop_layers, loops
from rnn_doctor.capture.probe.recurrence.unrolled import Unrolled
from tests.capture.records import observed

T, B, N, H = 9, 4, 3, 5
States = list[torch.Tensor]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def layers_of(loss: torch.Tensor) -> list[dict[str, Any]]:
    unrolled = Unrolled(loss)
    (loop,) = loops.find(unrolled, lambda _: False, lambda weights: "cell")
    return loop_layers.layers(unrolled, loop)


def norms(states: States) -> list[float]:
    """Root mean squares of the states that a product takes: all but the last."""
    return [float(h.detach().square().mean().sqrt()) for h in states[:-1]]


def elman(squash: Callable[[torch.Tensor], torch.Tensor]) -> tuple[torch.Tensor, States]:
    x2h, h2h = nn.Linear(N, H), nn.Linear(H, H)
    h, states = torch.zeros(B, H), []
    for _ in range(T):
        h = squash(x2h(torch.randn(B, N)) + h2h(h))
        states.append(h)
    return torch.stack(states).square().mean(), states


def joined() -> tuple[torch.Tensor, States]:
    both = nn.Linear(N + H, H)
    h, states = torch.zeros(B, H), []
    for _ in range(T):
        h = torch.tanh(both(torch.cat([torch.randn(B, N), h], 1)))
        states.append(h)
    return torch.stack(states).square().mean(), states


def below(threshold: float) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda x: torch.where(x > threshold, x - threshold, torch.zeros_like(x))


@pytest.mark.parametrize(
    ("made", "dead"),
    [
        (lambda: elman(torch.tanh), 0.0),
        (lambda: elman(lambda x: F.relu(x + 20)), 0.0),
        (lambda: elman(lambda x: F.relu(x - 20)), 1.0),
        (lambda: elman(lambda x: (x - 20).clamp(min=0)), 1.0),
        (lambda: elman(lambda x: torch.maximum(x - 20, torch.zeros_like(x))), 1.0),
        (lambda: elman(below(20.0)), 1.0),
        (joined, 0.0),
    ],
)
def test_units_are_dead_however_the_threshold_is_written(
    made: Callable[[], tuple[torch.Tensor, States]], dead: float
) -> None:
    loss, states = made()
    (layer,) = layers_of(loss)
    assert layer["dead_share"] == dead
    assert layer["hidden_norm"] == pytest.approx(norms(states), rel=1e-5)


@pytest.mark.parametrize(
    ("squash", "rectified"),
    [(F.relu, True), (below(0.1), True), (torch.tanh, False), (torch.sigmoid, False), (F.softplus, False)],
)
def test_states_that_pass_a_relu_are_told(
    squash: Callable[[torch.Tensor], torch.Tensor], rectified: bool
) -> None:
    loss, states = elman(squash)
    (layer,) = layers_of(loss)
    assert ("active_share" in layer) is rectified
    if rectified:
        taken = torch.stack(states[:-1])
        assert layer["active_share"] == pytest.approx(float((taken > 0).float().mean()))


def test_two_layers_in_turn_are_told_apart() -> None:
    first, second = nn.Linear(N + H, H), nn.Linear(H + H, H)
    lower, upper, states = torch.zeros(B, H), torch.zeros(B, H), []
    for _ in range(T):
        lower = torch.tanh(first(torch.cat([torch.randn(B, N), lower], 1)))
        upper = F.relu(second(torch.cat([lower, upper], 1)) - 20)
        states.append(lower)
    found = layers_of(torch.stack([*states, upper]).square().mean())
    assert [layer["layer"] for layer in found] == [0, 1]
    assert [layer["dead_share"] for layer in found] == [0.0, 1.0]


def lstm(bias: dict[str, float], *, at_once: bool = False) -> torch.Tensor:
    x2h, h2h = nn.Linear(N, 4 * H), nn.Linear(H, 4 * H, bias=False)
    with torch.no_grad():
        for k, gate in enumerate("ifog"):
            x2h.bias[k * H : (k + 1) * H] = bias.get(gate, 0.0)
    h = c = torch.zeros(B, H)
    states = []
    for _ in range(T):
        sums = x2h(torch.randn(B, N)) + h2h(h)
        if at_once:
            i, f, o = torch.sigmoid(sums[:, : 3 * H]).chunk(3, 1)
            g = torch.tanh(sums[:, 3 * H :])
        else:
            i, f, o, g = sums.chunk(4, 1)
            i, f, o, g = torch.sigmoid(i), torch.sigmoid(f), torch.sigmoid(o), torch.tanh(g)
        c = f * c + i * g
        h = o * torch.tanh(c)
        states.append(h)
    return torch.stack(states).square().mean()


def gru(bias: dict[str, float]) -> torch.Tensor:
    x2h, h2h = nn.Linear(N, 3 * H), nn.Linear(H, 2 * H, bias=False)
    candidate = nn.Linear(H, H, bias=False)
    with torch.no_grad():
        for k, gate in enumerate("rzg"):
            x2h.bias[k * H : (k + 1) * H] = bias.get(gate, 0.0)
    h, states = torch.zeros(B, H), []
    for _ in range(T):
        r, z, n = x2h(torch.randn(B, N)).chunk(3, 1)
        r_h, z_h = h2h(h).chunk(2, 1)
        r, z = torch.sigmoid(r + r_h), torch.sigmoid(z + z_h)
        h = (1 - z) * h + z * torch.tanh(n + candidate(r * h))
        states.append(h)
    return torch.stack(states).square().mean()


def shares(loss: torch.Tensor, side: str = "low") -> dict[str, float]:
    gates = layers_of(loss)[0]["gates"]
    return {gate["name"]: round(gate[side], 2) for gate in gates}


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("closed", ["", "i", "f", "o"])
def test_a_gate_is_known_by_what_it_multiplies(closed: str, at_once: bool) -> None:
    loss = lstm({closed: -12.0}, at_once=at_once)
    assert shares(loss) == {gate: float(gate == closed) for gate in "ifog"}


def test_a_gate_that_chooses_between_two_states_is_told_from_one_that_resets() -> None:
    assert set(shares(gru({}))) == set("rzg")
    assert max(shares(gru({})).values()) < 0.1
    assert shares(gru({"r": -12.0}))["r"] == 1
    assert shares(gru({"z": -12.0}))["z"] == 1
    assert shares(gru({"g": 12.0}), "high")["g"] == 1


def test_the_state_of_an_elman_cell_may_be_saturated() -> None:
    assert shares(elman(lambda x: torch.tanh(x + 9))[0], "high") == {"h": 1.0}
    assert shares(elman(torch.sigmoid)[0]) == {}


def test_states_that_hooks_pack_are_left_alone() -> None:
    with observed(), torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        loss, _ = elman(torch.tanh)
    assert layers_of(loss) == []


class Cell(nn.Module):
    """A hand-written cell behind a threshold."""

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold
        self.x2h, self.h2h = nn.Linear(N, H), nn.Linear(H, H)

    def train_on(self, updates: int) -> None:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        for _ in range(updates):
            optimizer.zero_grad()
            h = torch.zeros(B, H)
            for x in torch.randn(T, B, N):
                h = F.relu(self.x2h(x) + self.h2h(h) - self.threshold)
            h.sum().backward()
            optimizer.step()


def test_the_log_tells_the_layers_of_a_hand_written_cell() -> None:
    with observed() as records:
        Cell(20.0).train_on(3)
    assert not records.of("sensor_off")
    layer = records.of("layer")[0]
    assert (layer["step"], layer["layer"], layer["dead_share"]) == (1, 0, 1.0)
    assert layer["module"] == records.of("loop")[0]["module"]


def test_a_watched_training_of_such_a_cell_is_the_same_to_the_last_bit() -> None:
    torch.manual_seed(1)
    bare = Cell(0.0)
    bare.train_on(3)
    torch.manual_seed(1)
    with observed():
        watched = Cell(0.0)
        watched.train_on(3)
    assert all(map(torch.equal, bare.parameters(), watched.parameters()))
