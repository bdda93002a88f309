"""The weights that hand-written recurrences start from, and what their steps are given, against the cells'."""

# mypy: disable-error-code="no-untyped-call"

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from rnn_doctor.capture.probe.recurrence import initial, loop_starts, loops
from rnn_doctor.capture.probe.recurrence.unrolled import Unrolled
from tests.capture.records import observed

T, B, N, H = 9, 6, 3, 5
Draw = Callable[[int], torch.Tensor]
Made = tuple[list[dict[str, Any]], dict[str, Any] | None]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def random(_: int) -> torch.Tensor:
    return torch.randn(B, N)


def told(loss: torch.Tensor) -> Made:
    unrolled = Unrolled(loss)
    (loop,) = loops.find(unrolled, lambda _: False, lambda weights: "cell")
    return loop_starts.initial_weights(unrolled, loop, str), loop_starts.given(unrolled, loop)


class Joined(nn.Module):
    """One layer reads input and state side by side: an Elman cell, an LSTM, a GRU whose candidate has its own."""

    def __init__(self, kind: str = "rnn", first: str = "x") -> None:
        super().__init__()
        self.kind, self.first = kind, first
        self.gates = nn.Linear(N + H, {"lstm": 4, "gru": 2, "rnn": 1}[kind] * H)
        self.new = nn.Linear(N + H, H)

    def join(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, h] if self.first == "x" else [h, x], 1)

    def forward(self, draw: Draw, start: torch.Tensor | None = None) -> torch.Tensor:
        h = c = torch.zeros(B, H) if start is None else start
        for t in range(T):
            x = draw(t)
            gates = self.gates(self.join(x, h))
            if self.kind == "lstm":
                i, f, g, o = gates.chunk(4, 1)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
            elif self.kind == "gru":
                r, z = gates.sigmoid().chunk(2, 1)
                h = z * h + (1 - z) * self.new(self.join(x, r * h)).tanh()
            else:
                h = gates.tanh()
        return h.square().mean()


class Added(nn.Module):
    """A layer for the input, one for the state; as Linear, as bare matrices, or for all steps at once."""

    def __init__(self, how: str = "linear") -> None:
        super().__init__()
        self.how = how
        self.x2h, self.h2h = nn.Linear(N, H), nn.Linear(H, H)
        self.x_matrix, self.h_matrix = nn.Parameter(torch.randn(N, H)), nn.Parameter(torch.randn(H, H))

    def forward(self, draw: Draw) -> torch.Tensor:
        h, xs = torch.zeros(B, H), torch.stack([draw(t) for t in range(T)])
        at_once = self.x2h(xs)
        for t in range(T):
            if self.how == "bare":
                h = torch.tanh(xs[t] @ self.x_matrix + h @ self.h_matrix)
            else:
                h = torch.tanh((at_once[t] if self.how == "at once" else self.x2h(xs[t])) + self.h2h(h))
        return h.square().mean()


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("first", ["x", "h"])
def test_the_weights_of_cells_that_join_input_and_state(kind: str, first: str) -> None:
    cell = Joined(kind, first)
    ((fields,), _) = told(cell(random))
    weight = cell.gates.weight.detach()
    state, inputs = (weight[:, N:], weight[:, :N]) if first == "x" else (weight[:, :H], weight[:, H:])
    assert fields["layer"] == 0
    assert fields["hidden_gain"] == pytest.approx(initial.gain(state), rel=1e-5)
    if kind != "gru":  # whose candidate reads inputs with a matrix of its own
        assert fields["input_gain"] == pytest.approx(initial.gain(inputs), rel=1e-5)
    assert fields["asymmetry"] > 0.5
    assert fields["kurtosis"] == pytest.approx(
        initial.distribution(state, len(state) // H)["kurtosis"], abs=1e-4
    )


@pytest.mark.parametrize("how", ["linear", "bare", "at once"])
def test_the_weights_of_cells_that_add_input_and_state(how: str) -> None:
    cell = Added(how)
    ((fields,), given) = told(cell(random))
    bare = how == "bare"
    state = cell.h_matrix.detach().t() if bare else cell.h2h.weight.detach()
    inputs = cell.x_matrix.detach().t() if bare else cell.x2h.weight.detach()
    assert fields["hidden_gain"] == pytest.approx(initial.gain(state), rel=1e-5)
    assert fields["input_gain"] == pytest.approx(initial.gain(inputs), rel=1e-5)
    assert fields["asymmetry"] == pytest.approx(
        max(initial.asymmetry(w, 1, H) for w in (state, inputs)), rel=1e-5
    )
    assert given is not None
    assert not given["constant"]


def same(module: nn.Module, value: float) -> Any:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(value)
    return module


@pytest.mark.parametrize("value", [0.0, 0.05])
@pytest.mark.parametrize(
    "cell",
    [
        *(lambda k=k: Joined(k) for k in ("rnn", "lstm", "gru")),
        *(lambda h=h: Added(h) for h in ("linear", "bare")),
    ],
)
def test_units_that_are_copies(cell: Callable[[], nn.Module], value: float) -> None:
    ((fields,), _) = told(same(cell(), value)(random))
    assert fields["asymmetry"] < 1e-5


def test_input_weights_break_the_symmetry_of_recurrent_ones() -> None:
    cell = Added()
    same(cell.h2h, 0.0)
    ((fields,), _) = told(cell(random))
    assert fields["hidden_gain"] == 0
    assert fields["asymmetry"] > 0.5
    columns = Added("bare")  # of a matrix that stands the other way round, each unit has a number of its own
    with torch.no_grad():
        columns.x_matrix.copy_(torch.arange(1.0, H + 1).expand(N, H))
        columns.h_matrix.copy_(torch.arange(1.0, H + 1).expand(H, H))
    ((fields,), _) = told(columns(random))
    assert fields["asymmetry"] > 0.3


def test_the_last_layer_of_a_residual_step_may_start_at_zero() -> None:
    first, second, h = nn.Linear(N + H, 7), nn.Linear(7, H), torch.zeros(B, H)
    same(second, 0.0)
    for t in range(T):
        h = h + second(torch.relu(first(torch.cat([random(t), h], 1))))
    assert told(h.square().mean() + h.sum())[0] == []


def test_what_is_added_without_a_weight_may_tell_units_apart() -> None:
    table, cell, h = nn.Embedding(7, H), nn.Linear(H, H), torch.zeros(B, H)
    for _ in range(T):
        h = torch.tanh(table(torch.randint(7, (B,))) + cell(h))
    ((fields,), given) = told(h.square().mean())
    assert math.isnan(fields["asymmetry"])
    assert given is None


@pytest.mark.parametrize("cell", [Joined, lambda: Joined("lstm"), lambda: Joined("gru", "h"), Added])
@pytest.mark.parametrize("value", [0.0, 7.0])
def test_inputs_that_never_vary(cell: Callable[[], nn.Module], value: float) -> None:
    given = told(cell()(lambda _: torch.full((B, N), value)))[1]
    assert given is not None
    assert given["constant"]
    assert (given["mean"], given["std"], given["absmax"]) == (value, 0, value)


@pytest.mark.parametrize(
    "draw",
    [
        random,
        lambda t: torch.full((B, N), float(t)),  # another one at each step
        lambda _: torch.arange(float(B)).unsqueeze(1).expand(B, N).clone(),  # of each row
        lambda t: torch.eye(N)[[t % N] * B],
    ],
)
def test_inputs_that_vary(draw: Draw) -> None:
    given = told(Joined()(draw))[1]
    assert given is not None
    assert not given["constant"]


def test_scale_and_drive_of_inputs() -> None:
    small = told(Joined("lstm")(random))[1]
    large = told(Joined("lstm")(lambda t: 1000 * random(t)))[1]
    assert small is not None
    assert large is not None
    assert small["absmax"] < 5
    assert small["drive"] == 0
    assert large["absmax"] > 1000
    assert large["drive"] > 0.9


def test_a_recurrence_that_is_given_a_state_needs_no_inputs() -> None:
    def zeros(_: int) -> torch.Tensor:
        return torch.zeros(B, N)

    assert told(Joined()(zeros, torch.randn(B, H)))[1] is None
    assert told(Joined("gru")(zeros, nn.Linear(2, H)(torch.randn(B, 2))))[1] is None


def test_both_are_written_and_nothing_of_the_training_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    def train() -> tuple[nn.Module, list[float]]:
        torch.manual_seed(1)
        cell, losses = Joined("gru"), []
        optimizer = torch.optim.SGD(cell.parameters(), lr=0.1)
        for _ in range(3):
            loss = cell(random)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return cell, losses

    bare = train()[1]
    monkeypatch.setattr("rnn_doctor.capture.probe.calls.examined_steps", lambda _: frozenset((1, 2, 3)))
    with observed() as records:
        assert train()[1] == bare
    assert records.of("sensor_off") == []
    assert len(records.of("initial_weights")) == 1
    assert [each["step"] for each in records.of("loop_input")] == [1, 2, 3]


@pytest.mark.parametrize(("kind", "first"), [("lstm", "x"), ("rnn", "h")])
def test_the_weights_of_the_state_are_told_by_name_and_columns(kind: str, first: str) -> None:
    with observed() as records:
        cell = Joined(kind, first)
        optimizer = torch.optim.SGD(cell.parameters(), lr=0.1)
        cell(random).backward()
        optimizer.step()
    (told,) = records.of("initial_weights")
    columns = (N, N + H) if first == "x" else (0, H)
    assert told["recurrent"] == [{"name": "gates.weight", "transposed": False, "columns": columns}]


def test_bare_tensors_have_no_name_and_parameters_may_be_transposed() -> None:
    class Bare(nn.Module):
        def __init__(self, *, owned: bool) -> None:
            super().__init__()
            weight = torch.randn(H, H) * 0.3
            self.held = [weight.requires_grad_()]
            if owned:
                self.w = nn.Parameter(weight)

        def forward(self) -> torch.Tensor:
            h = torch.zeros(B, H)
            (w,) = [*self.parameters()] or self.held
            for _ in range(T):
                h = torch.tanh(torch.randn(B, H) + h @ w)
            return h.square().mean()

    for owned, name in ((True, "Bare.w"), (False, None)):
        with observed() as records:
            cell = Bare(owned=owned)
            optimizer = torch.optim.SGD([*cell.parameters()] or cell.held, lr=0.1)
            cell().backward()
            optimizer.step()
        (told,) = records.of("initial_weights")
        assert told["recurrent"] == [{"name": name, "transposed": True, "columns": None}]


def test_a_failure_leaves_the_search_for_loops_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no such tensor")

    monkeypatch.setattr("rnn_doctor.capture.probe.recurrence.loop_starts.given", fail)
    monkeypatch.setattr("rnn_doctor.capture.probe.sensors.activations.Activations.on_graph", fail)
    with observed() as records:
        cell = Joined()
        cell(random).backward()
        torch.optim.SGD(cell.parameters(), lr=0.1).step()
    assert {each["sensor"] for each in records.of("sensor_off")} == {"activations", "loop_starts"}
    assert records.of("lag_gain")


def test_complex_weights_are_left_alone() -> None:
    weight, h = (
        nn.Parameter(torch.randn(H, H, dtype=torch.complex64) * 0.3),
        torch.zeros(B, H, dtype=torch.complex64),
    )
    for t in range(T):
        h = torch.tanh(torch.cat([random(t), random(t)], 1)[:, :H] + h @ weight)
    loss = h.abs().square().mean()
    unrolled = Unrolled(loss)
    for loop in loops.find(unrolled, lambda _: False, lambda weights: "cell"):
        assert loop_starts.initial_weights(unrolled, loop, str) == []
        assert loop_starts.given(unrolled, loop) is None
