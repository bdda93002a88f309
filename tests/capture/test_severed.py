"""Hand-written recurrences that are cut off at every step, where the loss reads the last step alone."""

import inspect
import re
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.capture.records import Observation, observed

T, B, N, H = 7, 6, 3, 5
Cut = Callable[[torch.Tensor], torch.Tensor]


class Cell(nn.Module):
    """An RNN written by hand, whose state passes `between` from step to step."""

    def __init__(self, between: Cut, hidden: int = H, steps: int | None = None) -> None:
        super().__init__()
        self.hidden, self.between, self.steps = hidden, between, steps
        self.i2h, self.h2h, self.h2o = nn.Linear(N, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, 2)

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(xs.shape[1], self.hidden)
        for x in xs if self.steps is None else torch.randn(self.steps, *xs.shape[1:]):
            h = self.between(torch.tanh(self.i2h(x) + self.h2h(h)))
        out: torch.Tensor = self.h2o(h)
        return out


def trained(network: nn.Module, loss_of: Callable[[], torch.Tensor], updates: int = 2) -> Observation:
    """What the probe writes of a few updates of these parameters."""
    torch.manual_seed(0)
    with observed() as records:
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
        for _ in range(updates):
            optimizer.zero_grad()
            loss_of().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    assert records.of("sensor_off") == []
    return records


def cut_offs(records: Observation) -> list[tuple[str, int, int, int]]:
    """Name, width, calls and those that are cut off, of each recurrence that is found cut off."""
    # Modules of other tests that are still there would stand in the name.
    names = {m["id"]: (re.sub(r".*\.|#\d+", "", m["name"]), m["hidden_size"]) for m in records.of("module")}
    return [
        (*names[f["module"]], f["calls"], f["detached"])
        for f in records.of("state_flow")
        if f.get("detached")
    ]


def of_network(network: nn.Module) -> list[tuple[str, int, int, int]]:
    """The same of a training of a network that takes (T, B, N)."""
    return cut_offs(trained(network, lambda: network(torch.randn(T, B, N)).square().mean()))


CUTS: dict[str, Cut] = {
    "detach": lambda h: h.detach(),
    "detach_": lambda h: h.detach_(),
    "data": lambda h: h.data,
    "clone": lambda h: h.clone().detach().requires_grad_(False),
    "numpy": lambda h: torch.from_numpy(np.array(h.detach().numpy())),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_state_that_is_cut_off_after_every_step(name: str) -> None:
    # One after the last step, which no gradient leaves: the first has none before it.
    assert of_network(Cell(CUTS[name])) == [("Cell", H, T, T - 1)]


def every(steps: int) -> Cut:
    """Cuts off each so manyth state."""
    count = iter(range(1, 10**6))
    return lambda h: h.detach() if next(count) % steps == 0 else h


@pytest.mark.parametrize("steps", [19, 20, 21])
@pytest.mark.parametrize("stretch", [2, 3])
def test_a_state_that_is_cut_off_after_every_few_steps(stretch: int, steps: int) -> None:
    """Whether the loss's own graph holds one step more or a whole stretch, which is a recurrence by itself."""
    network = Cell(every(stretch), steps=steps)
    records = trained(network, lambda: network(torch.zeros(1, B, N)).square().mean(), updates=1)
    flow = records.of("state_flow")[-1]
    linked = flow["attached"] + flow["detached"]
    assert flow["length"] == stretch
    assert flow["detached"] / linked == pytest.approx(1 / stretch, abs=0.06)
    assert flow["location"]["line"]
    assert {record["module"] for record in records.of("loop")} == {flow["module"]}


@pytest.mark.parametrize("name", ["detach", "data", "numpy"])
def test_a_state_that_is_cut_off_at_the_call(name: str) -> None:
    class AtTheCall(Cell):
        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            h = torch.zeros(xs.shape[1], H)
            for x in xs:
                h = torch.tanh(self.i2h(x) + self.h2h(self.between(h)))
            out: torch.Tensor = self.h2o(h)
            return out

    assert of_network(AtTheCall(CUTS[name])) == [("AtTheCall", H, T, T - 1)]


class Step(nn.Module):
    """A cell that joins input and state, as a module of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.new = nn.Linear(N + H, H), nn.Linear(N + H, H)

    def forward(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        joined = torch.cat([x, h], 1)
        z = torch.sigmoid(self.gate(joined))
        return (1 - z) * h + z * torch.tanh(self.new(joined))


class Stepwise(nn.Module):
    def __init__(self, read: Callable[[list[torch.Tensor]], torch.Tensor]) -> None:
        super().__init__()
        self.cell, self.head, self.read = Step(), nn.Linear(H, 2), read

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        h, states = torch.zeros(xs.shape[1], H), []
        for x in xs:
            h = self.cell(x, h.detach())
            states.append(h)
        out: torch.Tensor = self.head(self.read(states))
        return out


@pytest.mark.parametrize(
    "read",
    [
        lambda states: states[-1],
        torch.stack,
        lambda states: torch.stack(states, 1),
        lambda states: torch.stack(states).detach(),
    ],
    ids=["last", "stacked", "stacked by sample", "stacked and cut off"],
)
def test_a_cell_of_its_own_class(read: Callable[[list[torch.Tensor]], torch.Tensor]) -> None:
    assert of_network(Stepwise(read)) == [("cell", H, T, T - 1)]


class Lstm(nn.Module):
    """An LSTM written by hand."""

    def __init__(self, between_h: Cut, between_c: Cut) -> None:
        super().__init__()
        self.between = between_h, between_c
        self.x, self.h, self.head = nn.Linear(N, 4 * H), nn.Linear(H, 4 * H), nn.Linear(H, 2)

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        h = c = torch.zeros(xs.shape[1], H)
        for x in xs:
            i, f, g, o = (self.x(x) + self.h(self.between[0](h))).chunk(4, 1)
            c = f.sigmoid() * self.between[1](c) + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        out: torch.Tensor = self.head(h)
        return out


def test_the_state_of_an_lstm_is_cut_off_where_both_its_parts_are() -> None:
    let_go, keep = CUTS["detach"], lambda state: state
    assert of_network(Lstm(let_go, let_go)) == [("Lstm", H, T, T - 1)]
    assert of_network(Lstm(let_go, keep)) == []
    assert of_network(Lstm(keep, let_go)) == []


def test_the_line_that_cuts_it_off_is_told() -> None:
    lines = []

    def let_go(h: torch.Tensor) -> torch.Tensor:
        frame = inspect.currentframe()
        assert frame is not None
        lines.append(frame.f_lineno + 1)
        return h.detach()

    network = Cell(let_go)
    for read in (network, lambda x: torch.stack([network(x[: k + 1]) for k in range(T)])):
        records = trained(network, lambda read=read: read(torch.randn(T, B, N)).sum())  # type: ignore[misc]
        (flow,) = records.of("state_flow")
        assert (flow["location"]["line"], flow["length"]) == (lines[0], 1)
    assert len(set(lines)) == 1


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_the_line_that_cuts_off_the_state_of_a_module_of_torchs(kind: Any) -> None:
    with observed() as records:
        module = kind(N, H)
        optimizer = torch.optim.SGD(module.parameters(), lr=0.01)
        state, line = None, 0
        for _ in range(3):
            output, state = module(torch.randn(T, B, N), state)
            output.sum().backward()
            optimizer.step()
            frame = inspect.currentframe()
            assert frame is not None
            line = frame.f_lineno + 1
            state = tuple(s.detach() for s in state) if kind is nn.LSTM else state.detach()
    assert records.of("sensor_off") == []
    flow = records.of("state_flow")[-1]
    assert (flow["step"], flow["continued"], flow["cut_at"]["line"]) == (3, 1, line)
    assert flow["location"]["line"] < line
    assert "cut_at" not in records.of("state_flow")[0]


# ---------------------------------------------------------------- nothing is cut off


def logged() -> nn.Module:
    """States are noted without their graph, and handed on with it."""
    seen = []

    def note(h: torch.Tensor) -> torch.Tensor:
        seen.append(h.detach())
        return h

    return Cell(note)


def in_chunks() -> nn.Module:
    """Truncated backpropagation through time."""
    return Cell(every(4), steps=21)


class Drawing(Cell):
    """Another sequence is drawn before the loss, without a gradient, but not within no_grad."""

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(xs.shape[1], H)
        for x in xs:
            h = torch.tanh(self.i2h(x + 1) + self.h2h(h)).detach()
        out: torch.Tensor = super().forward(xs)
        return out


class Equilibrium(Cell):
    """A fixed point is sought; the last iteration alone has a gradient."""

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(xs.shape[1], H)
        for _ in range(T):
            h = torch.tanh(self.i2h(xs[0]) + self.h2h(h.detach()))
        out: torch.Tensor = self.h2o(h)
        return out


class JoinedEquilibrium(nn.Module):
    """The same where state and input are joined."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.head = nn.Linear(N + H, H), nn.Linear(H, 2)

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(xs.shape[1], H)
        for _ in range(T):
            h = torch.relu(self.cell(torch.cat([xs[0], h.detach()], 1)))
        out: torch.Tensor = self.head(h)
        return out


class FedBack(nn.Module):
    """A forecast is fed back without its graph, by one weight or by two."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.net = nn.Sequential(*layers)

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        x, found = torch.randn(B, N), []
        for _ in range(T):
            x = self.net(x.detach())
            found.append(x)
        return torch.stack(found) - xs


class OwnOutput(Cell):
    """The state is carried on with its graph, the output is fed back without."""

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        h, out = torch.zeros(xs.shape[1], H), torch.zeros(xs.shape[1], N)
        for _ in xs:
            h = torch.tanh(self.i2h(out.detach()) + self.h2h(h))
            out = self.h2o(h).sum(1, keepdim=True).expand(-1, N)
        return out


class Independent(Cell):
    """The same layer reads each input alone; its features are kept without their graph."""

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        features = [torch.tanh(self.i2h(x)).detach() for x in xs]
        mixed: torch.Tensor = self.h2o(torch.tanh(self.h2h(torch.stack(features).mean(0))))
        return mixed


class Adversarial(nn.Module):
    """A generator whose samples a discriminator of the same shape judges without their graph."""

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.judge = nn.Linear(H, H), nn.Linear(H, H)

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        scores = [self.judge(torch.tanh(self.generator(torch.randn(B, H))).detach()) for _ in xs]
        scores += [self.judge(torch.randn(B, H)) for _ in xs]
        return torch.stack(scores)


class Teacher(nn.Module):
    """Student and teacher: what the one makes is the other's target, and its input."""

    def __init__(self) -> None:
        super().__init__()
        self.student, self.teacher = Step(), Step()
        self.head = nn.Linear(H, 2)

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(xs.shape[1], H)
        for x in xs:
            with torch.no_grad():
                aim = self.teacher(x, h)
            h = self.student(x, h)
        loss: torch.Tensor = self.head(h).sum() + (h - aim.detach()).square().sum() + self.head(aim).sum()
        return loss


SOUND: dict[str, Callable[[], nn.Module]] = {
    "logged": logged,
    "in chunks": in_chunks,
    "whole": lambda: Cell(lambda h: h),
    "drawing": lambda: Drawing(lambda h: h),
    "equilibrium": lambda: Equilibrium(lambda h: h),
    "joined equilibrium": JoinedEquilibrium,
    "one layer fed back": lambda: FedBack(nn.Linear(N, N)),
    "two layers fed back": lambda: FedBack(nn.Linear(N, H), nn.Tanh(), nn.Linear(H, N)),
    "own output": lambda: OwnOutput(lambda h: h),
    "independent": lambda: Independent(lambda h: h),
    "adversarial": Adversarial,
    "teacher": Teacher,
}


@pytest.mark.parametrize("name", SOUND)
def test_nothing_is_cut_off(name: str) -> None:
    assert of_network(SOUND[name]()) == []


def test_a_whole_sequence_that_is_transformed_at_once_is_no_constant_input() -> None:
    class AtOnce(Cell):
        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            driven, h = self.i2h(xs), torch.zeros(xs.shape[1], H)
            for x in driven:
                h = torch.tanh(x + self.h2h(h.detach()))
            out: torch.Tensor = self.h2o(h)
            return out

    assert of_network(AtOnce(lambda h: h)) == [("AtOnce", H, T, T - 1)]


# ---------------------------------------------------------------- the probe itself


def test_a_training_is_left_bit_identical() -> None:
    def left(train: Callable[[nn.Module, Callable[[], torch.Tensor]], Any]) -> list[torch.Tensor]:
        torch.manual_seed(1)
        network = Cell(CUTS["data"])
        train(network, lambda: network(torch.randn(T, B, N)).square().mean())
        return [*network.parameters(), torch.get_rng_state()]

    def alone(network: nn.Module, loss_of: Callable[[], torch.Tensor]) -> None:
        torch.manual_seed(0)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
        for _ in range(5):
            optimizer.zero_grad()
            loss_of().backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    watched = left(lambda network, loss_of: trained(network, loss_of, 5))
    assert all(torch.equal(a, b) for a, b in zip(watched, left(alone), strict=True))


def test_it_listens_only_while_recurrences_are_looked_for() -> None:
    names = ("detach", "detach_", "data")
    before = {name: vars(torch.Tensor).get(name) for name in names}
    network = Cell(lambda h: h)
    during = []

    def loss_of() -> torch.Tensor:
        during.append({name: vars(torch.Tensor).get(name) for name in names} == before)
        loss: torch.Tensor = network(torch.randn(T, B, N)).sum()
        return loss

    trained(network, loss_of, 5)
    assert during == [False, False, False, True, True]
    assert {name: vars(torch.Tensor).get(name) for name in names} == before


def test_data_can_be_set_while_it_listens() -> None:
    with observed():
        weight = nn.Parameter(torch.zeros(2))
        weight.data = torch.ones(3)
        weight.data.mul_(2)
        assert weight.tolist() == [2, 2, 2]
        assert weight.detach().requires_grad is False


def test_no_graph_is_kept() -> None:
    class Mark(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            return gradients[0]

    with observed() as records:
        layer = nn.Linear(N, H)
        made = Mark.apply(torch.tanh(layer(torch.randn(B, N))))  # type: ignore[no-untyped-call]
        mark = weakref.ref(made.grad_fn)
        kept = made.detach()
        assert records.observer.calls.detachments.severed
        del made
        assert mark() is None
        assert kept.shape == (B, H)
