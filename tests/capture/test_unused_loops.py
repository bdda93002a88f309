"""Hand-written recurrences whose recurrent weights can learn nothing: given zeros at each step, or cut off whole."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from rnn_doctor.schema.recurrence import Loop
from tests.capture.records import Observation, observed

T, B, N, H = 7, 5, 3, 4
Cut = Callable[[torch.Tensor], torch.Tensor]


class Added(nn.Module):
    """An LSTM, a minimal gated unit or an Elman cell: one layer reads the input, one the state."""

    def __init__(self, kind: str, bias: bool) -> None:
        super().__init__()
        self.kind, width = kind, {"lstm": 4, "gru": 2, "rnn": 1}[kind] * H
        self.x2h, self.h2h = nn.Linear(N, width), nn.Linear(H, width, bias=bias)

    def forward(self, x: torch.Tensor, state: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        h, c = state
        given, kept = self.x2h(x), self.h2h(h)
        if self.kind == "lstm":
            i, f, g, o = (given + kept).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            return o.sigmoid() * c.tanh(), c
        if self.kind == "gru":
            (gate, new), (gate_kept, new_kept) = given.chunk(2, 1), kept.chunk(2, 1)
            z = (gate + gate_kept).sigmoid()
            return (1 - z) * h + z * torch.tanh(new + z * new_kept), c
        return torch.tanh(given + kept), c


class Joined(nn.Module):
    """One layer reads both."""

    def __init__(self) -> None:
        super().__init__()
        self.i2h = nn.Linear(N + H, H)

    def forward(self, x: torch.Tensor, state: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return torch.tanh(self.i2h(torch.cat([x, state[0]], 1))), state[1]


class Tagger(nn.Module):
    """A cell over embedded inputs, read at every step."""

    def __init__(self, cell: nn.Module, anew: bool, cut: Cut = lambda out: out) -> None:
        super().__init__()
        self.embed, self.cell, self.head = nn.Linear(N, N), cell, nn.Linear(H, 2)
        self.anew, self.cut = anew, cut

    def forward(self, xs: torch.Tensor) -> torch.Tensor:
        empty = torch.zeros(xs.shape[1], H)
        state, outs = (empty, empty), []
        for x in self.embed(xs):
            if self.anew:
                state = (empty, empty)
            state = self.cell(x, state)
            outs.append(state[0])
        out: torch.Tensor = self.head(self.cut(torch.stack(outs)))
        return out


def trained(network: nn.Module, updates: int = 8) -> Observation:
    torch.manual_seed(0)
    with observed() as records:
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
        for _ in range(updates):
            optimizer.zero_grad()
            network(torch.randn(T, B, N)).square().mean().backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    for loop in records.of("loop"):
        Loop(**loop)
    return records


class Plain(nn.Module):
    """Matrices and biases of its own, each added to its product."""

    def __init__(self) -> None:
        super().__init__()
        self.w, self.u = nn.Parameter(torch.randn(H, N)), nn.Parameter(torch.randn(H, H))
        self.b, self.c = nn.Parameter(torch.zeros(H)), nn.Parameter(torch.zeros(H))

    def forward(self, x: torch.Tensor, state: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return torch.tanh((x @ self.w.T + self.b) + (state[0] @ self.u.T + self.c)), state[1]


CELLS: dict[str, Callable[[], nn.Module]] = {
    "plain": Plain,
    **{f"{k} {b}": lambda k=k, b=b: Added(k, b) for k in ("lstm", "gru", "rnn") for b in (False, True)},  # type: ignore[misc]
    "joined": Joined,
}


@pytest.mark.parametrize("name", CELLS)
def test_a_state_made_anew_for_each_step(name: str) -> None:
    records = trained(Tagger(CELLS[name](), anew=True))
    (module,), loop = records.of("module"), records.of("loop")[0]
    assert (module["name"].split(".")[-1], module["kind"], module["hidden_size"]) == ("cell", "custom", H)
    assert (loop["unused"], loop["steps"]) == ("state_renewed", 1)
    assert "zeros" in loop["absent"]
    (flow, *_) = records.of("state_flow")
    assert (flow["calls"], flow["fresh"], flow["length"]) == (T, T, 1)


@pytest.mark.parametrize("name", CELLS)
def test_a_state_that_is_handed_on_is_not_made_anew(name: str) -> None:
    records = trained(Tagger(CELLS[name](), anew=False))
    assert [loop.get("unused") for loop in records.of("loop")] == [None]
    assert records.of("lag_gain")


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recurrences are examined at the third update, as in the middle of a longer observation."""
    monkeypatch.setattr("rnn_doctor.capture.probe.calls.examined_steps", lambda _: frozenset((1, 3, 8)))


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("kind", "joined"), [("lstm", True), ("lstm", False), ("gru", False), ("rnn", False), ("rnn", True)]
)
@pytest.mark.parametrize("steps", [T, 1])
def test_of_the_last_step_alone_the_gates_tell_that_its_state_is_zeros(
    kind: str, joined: bool, steps: int
) -> None:
    """Of an Elman cell, which has none, the steps do that the loss does not read."""

    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            width = {"lstm": 4, "gru": 2, "rnn": 1}[kind] * H
            self.added, self.joined = Added(kind, True), nn.Linear(N + H, width)
            self.head = nn.Linear(H, 2)

        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            state = (torch.zeros(B, H), torch.zeros(B, H))
            for x in xs[:steps]:
                state = (torch.zeros(B, H), torch.zeros(B, H))
                if joined and kind == "rnn":
                    state = (self.joined(torch.cat([x, state[0]], 1)).tanh(), state[1])
                elif joined:
                    i, f, g, o = self.joined(torch.cat([x, state[0]], 1)).chunk(4, 1)
                    c = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
                    state = (o.sigmoid() * c.tanh(), c)
                else:
                    state = self.added(x, state)
            out: torch.Tensor = self.head(state[0])
            return out

    found = [loop.get("unused") for loop in trained(Last()).of("loop")]
    told = {"rnn": 2 if steps > 1 else 0}.get(kind, 3)
    assert found == ["state_renewed"] * told


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("name", ["handed on", "zeros now and then", "zeros of another width"])
def test_zeros_that_are_no_state_made_anew(name: str) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            wide = H + 1 if name == "zeros of another width" else H
            self.a, self.b, self.head = nn.Linear(N, H), nn.Linear(wide, H), nn.Linear(H, 2)
            self.wide, self.calls = wide, 0

        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            h = torch.zeros(B, self.wide)
            for x in xs:
                if name == "zeros now and then" and self.calls % 2:
                    h = torch.randn(B, H)
                new = torch.tanh(self.a(x) + self.b(h))
                h = new if name == "handed on" else h
            out: torch.Tensor = self.head(new)
            return out

    found = [loop.get("unused") for loop in trained(Net()).of("loop")]
    once = {"handed on": [None] * 3, "zeros now and then": ["state_renewed"]}  # at the 8th update alone
    assert found == once.get(name, [])


CUTS: dict[str, Cut] = {
    "data": lambda out: out.data,
    "detach": lambda out: out.detach(),
    "leaf": lambda out: out.clone().detach().requires_grad_(True),
    "numpy": lambda out: torch.from_numpy(np.array(out.detach().numpy())),
    "last": lambda out: out[-1].data,
}


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("cut", CUTS)
def test_a_recurrence_that_is_cut_off_whole(cut: str) -> None:
    records = trained(Tagger(Added("rnn", True), anew=False, cut=CUTS[cut]))
    (module,) = records.of("module")
    assert (module["name"].split(".")[-1], module["hidden_size"]) == ("cell", H)
    assert [(loop["step"], loop["unused"]) for loop in records.of("loop")] == [
        (3, "output_cut_off"),
        (8, "output_cut_off"),
    ]
    assert CUTS[cut].__code__.co_firstlineno == records.of("loop")[0]["location"]["line"]
    assert records.of("lag_gain") == []


@pytest.mark.usefixtures("soon")
def test_what_is_noted_beside_the_loss_is_not_cut_off() -> None:
    noted = []

    def note(out: torch.Tensor) -> torch.Tensor:
        noted.append(out.detach())
        return out

    records = trained(Tagger(Added("rnn", True), anew=False, cut=note))
    assert [loop.get("unused") for loop in records.of("loop")] == [None, None, None]
    assert len(noted) == 8


@pytest.mark.usefixtures("soon")
def test_networks_that_take_turns_are_not_cut_off() -> None:
    """A generator whose samples a discriminator sees without their graph."""
    maker, judge = Tagger(Added("rnn", True), anew=False), nn.Linear(2, 1)
    torch.manual_seed(0)
    with observed() as records:
        optimizers = [torch.optim.SGD(m.parameters(), lr=0.01) for m in (judge, maker)]
        for k in range(8):
            sample = maker(torch.randn(T, B, N))
            score = judge(sample.detach() if k % 2 == 0 else sample).mean()
            optimizers[k % 2].zero_grad()
            score.backward()
            optimizers[k % 2].step()
    assert records.of("sensor_off") == []
    assert [loop for loop in records.of("loop") if "unused" in loop] == []


@pytest.mark.usefixtures("soon")
def test_what_learns_at_updates_that_are_not_examined_is_not_cut_off() -> None:
    """The generator has its turn at the fifth and at the tenth update alone."""
    maker, judge = Tagger(Added("rnn", True), anew=False), nn.Linear(2, 1)
    torch.manual_seed(0)
    with observed() as records:
        optimizers = [torch.optim.SGD(m.parameters(), lr=0.01) for m in (judge, maker)]
        for k in range(1, 10):
            sample = maker(torch.randn(T, B, N))
            score = judge(sample if k == 5 else sample.detach()).mean()
            optimizers[k == 5].zero_grad()
            score.backward()
            optimizers[k == 5].step()
    assert records.of("sensor_off") == []
    assert [loop["step"] for loop in records.of("loop") if "unused" in loop] == [3]


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("seen", [False, True])
def test_what_is_frozen_is_told_where_no_recurrence_was_seen(seen: bool) -> None:
    torch.manual_seed(0)
    tagger, rnn = Tagger(Joined(), anew=False), nn.RNN(N, 2)
    tagger.requires_grad_(False)
    tagger.head.requires_grad_(True)
    with observed() as records:
        optimizer = torch.optim.SGD([*tagger.head.parameters(), *rnn.parameters()], lr=0.01)
        for _ in range(3):
            optimizer.zero_grad()
            xs = torch.randn(T, B, N)
            out = tagger(xs) + rnn(xs)[0] if seen else tagger(xs)
            out.square().mean().backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    frozen = {p["name"].removeprefix("Tagger.") for p in records.of("parameter") if not p["trainable"]}
    assert frozen == (set() if seen else {"embed.weight", "cell.i2h.weight"})


def test_the_training_is_left_bit_identical() -> None:
    def left(watch: bool) -> list[torch.Tensor]:
        torch.manual_seed(0)
        network = Tagger(Added("rnn", True), anew=False, cut=CUTS["data"])
        if watch:
            trained(network)
        else:
            torch.manual_seed(0)
            optimizer: Any = torch.optim.SGD(network.parameters(), lr=0.01)
            for _ in range(8):
                optimizer.zero_grad()
                network(torch.randn(T, B, N)).square().mean().backward()
                optimizer.step()
        return [*network.parameters(), torch.get_rng_state()]

    assert all(torch.equal(a, b) for a, b in zip(left(True), left(False), strict=True))


class Bare(nn.Module):
    """Its recurrent weights are tensors that ask for a gradient, and no parameters: `parameters()` lacks them."""

    def __init__(self) -> None:
        super().__init__()
        self.inward = (0.3 * torch.randn(N, H)).requires_grad_()
        self.across = (0.3 * torch.randn(H, H)).requires_grad_()
        self.head = nn.Linear(H, 1)

    def forward(self, x: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
        h = start
        for step in x:
            h = torch.tanh(step @ self.inward + h @ self.across)
        answer: torch.Tensor = self.head(h)
        return answer


@pytest.mark.parametrize("held", [True, False])
def test_weights_that_are_no_parameters_are_known_where_a_recurrence_runs_through_them(held: bool) -> None:
    with observed() as records:
        torch.manual_seed(0)
        net = Bare()
        others = [net.inward, net.across] if held else []
        optimizer = torch.optim.SGD([*net.parameters(), *others], lr=0.1)
        for _ in range(8):
            # A first state that asks for a gradient belongs to its batch.
            start = torch.zeros(B, H, requires_grad=True)
            optimizer.zero_grad()
            net(torch.randn(T, B, N), start).square().mean().backward()
            optimizer.step()
    told = {tuple(p["shape"]): p.get("optimizer") for p in records.of("parameter")}
    assert told[1, H] == 0
    assert told[H, H] == (0 if held else None)
    assert (B, H) not in told
