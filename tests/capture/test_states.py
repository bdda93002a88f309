"""Where the initial states of recurrent modules came from."""

# mypy: disable-error-code="no-untyped-call"

import gc
import weakref
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence
from torch.utils.data import DataLoader, TensorDataset

from rnn_doctor.capture.probe.sensors.states import StateFlows
from tests.capture.records import Records, observed

T, B, N, H = 5, 4, 3, 6
FUSED = [nn.RNN, nn.GRU, nn.LSTM]
CELLS = [nn.RNNCell, nn.GRUCell, nn.LSTMCell]
ALL = FUSED + CELLS


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


class Watched:
    """A module whose training calls are passed on, as the observer does."""

    def __init__(self, module: Any, number: int = 0, flows: StateFlows | None = None) -> None:
        self.module, self.number = module, number
        self.records = Records()
        self.flows = flows or StateFlows(self.records)
        self.links: list[str] = []

    def __call__(self, state: Any = None, given: Any = None) -> Any:
        """The state that the call returns."""
        cell = isinstance(self.module, nn.modules.rnn.RNNCellBase)
        given = torch.randn((B, N) if cell else (T, B, N)) if given is None else given
        output = self.module(given, state)
        self.links.append(self.flows.on_call(self.number, self.module, given, state, output))
        return output if cell else output[1]

    def written(self, step: int = 1) -> dict[str, Any]:
        self.flows.ended(step, True)
        (record,) = self.records.of("state_flow")
        return record


def each(state: Any, change: Any) -> Any:
    """The change of h, or of h and c."""
    return tuple(change(t) for t in state) if isinstance(state, tuple) else change(state)


@pytest.mark.parametrize("kind", ALL)
def test_nothing_and_zeros_are_fresh(kind: Any) -> None:
    watched = Watched(kind(N, H))
    state = watched()
    watched(each(state, torch.zeros_like))
    watched(None)
    assert watched.links == ["fresh"] * 3
    length = T if kind in FUSED else 1
    assert watched.written() == {
        "record": "state_flow", "step": 1, "module": 0, "calls": 3, "fresh": 3, "attached": 0, "detached": 0,
        "continued": 0, "kept": 0, "length": length,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ALL)
def test_the_previous_state_with_its_graph(kind: Any) -> None:
    watched = Watched(kind(N, H))
    state = None
    for _ in range(4):
        state = watched(state)
    assert watched.links == ["fresh"] + ["attached"] * 3
    assert watched.written()["length"] == (4 * T if kind in FUSED else 4)


CUTS = {
    "detach": lambda t: t.detach(),
    "data": lambda t: t.data,
    "clone": lambda t: t.clone().detach(),
    "leaf": lambda t: t.detach().requires_grad_(),
    "view": lambda t: t.detach().unsqueeze(0).squeeze(0),
    "double transposition": lambda t: t.detach().transpose(0, 1).contiguous().transpose(0, 1),
    "tensor": lambda t: torch.tensor(t.tolist()),
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS.keys())
@pytest.mark.parametrize("kind", ALL)
def test_the_previous_state_without_its_graph(kind: Any, cut: Any) -> None:
    watched = Watched(kind(N, H))
    watched(each(watched(), cut))
    assert watched.links == ["fresh", "detached"]
    state = watched()
    watched.flows.ended(1, False)
    watched(each(state, cut))
    assert watched.links[2:] == ["fresh", "continued"]
    assert watched.written()["length"] == (T if kind in FUSED else 1)


@pytest.mark.parametrize("kind", ALL)
def test_the_state_of_an_earlier_update_with_its_graph(kind: Any) -> None:
    watched = Watched(kind(N, H))
    state = watched()
    watched.flows.ended(1, False)
    watched(watched(state))
    assert watched.links == ["fresh", "kept", "attached"]
    record = watched.written(2)
    assert (record["kept"], record["attached"], record["calls"]) == (1, 1, 2)
    assert record["length"] == (3 * T if kind in FUSED else 3)


HALVES = {
    "h": (lambda h, c: (h, torch.zeros_like(c)), "attached"),
    "c": (lambda h, c: (torch.zeros_like(h), c), "attached"),
    "h, c cut": (lambda h, c: (h, c.detach()), "attached"),
    "h cut, c": (lambda h, c: (h.detach(), c), "attached"),
    "h cut": (lambda h, c: (h.detach(), torch.zeros_like(c)), "detached"),
    "c cut, h learned": (lambda h, c: (torch.ones_like(h), c.detach()), "detached"),
}


@pytest.mark.parametrize(("halve", "link"), HALVES.values(), ids=HALVES.keys())
@pytest.mark.parametrize("kind", [nn.LSTM, nn.LSTMCell])
def test_one_of_two_states_is_enough(kind: Any, halve: Any, link: str) -> None:
    watched = Watched(kind(N, H))
    watched(halve(*watched()))
    assert watched.links == ["fresh", link]


@pytest.mark.parametrize("kind", FUSED)
def test_the_last_output_is_the_last_state(kind: Any) -> None:
    module, x = kind(N, H, num_layers=2), torch.randn(T, B, N)
    flows = StateFlows(Records())
    output = module(x)
    assert flows.on_call(0, module, x, None, output) == "fresh"
    top = output[0][-1].repeat(2, 1, 1)
    state = (top, torch.zeros_like(top)) if kind is nn.LSTM else top
    assert flows.on_call(0, module, x, state, output) == "attached"
    single = kind(N, H, batch_first=True)
    x = torch.randn(B, T, N)
    output = single(x)
    flows.on_call(1, single, x, None, output)
    last = output[0][:, -1].detach().unsqueeze(0)
    state = (last, torch.zeros_like(last)) if kind is nn.LSTM else last
    assert flows.on_call(1, single, x, state, output) == "detached"


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("change", ["mask", "dropout", "rows"])
def test_a_state_that_was_masked_hands_its_gradient_on(kind: Any, change: str) -> None:
    watched = Watched(kind(N, H))
    old, finished = watched(), torch.tensor([[1.0], [0.0], [1.0], [0.0]])
    new = watched(old)
    pairs = [(old, new)] if isinstance(new, torch.Tensor) else list(zip(old, new, strict=True))
    if change == "mask":
        states = tuple(finished * a + (1 - finished) * b for a, b in pairs)
    elif change == "dropout":
        states = tuple(nn.functional.dropout(b, 0.5) for _, b in pairs)
    else:
        states = tuple(b[torch.tensor([3, 0, 1, 2])] for _, b in pairs)
    watched(states if len(states) > 1 else states[0])
    assert watched.links == ["fresh", "attached", "attached"]


@pytest.mark.parametrize("kind", ALL)
def test_rows_that_begin_anew_or_have_ended(kind: Any) -> None:
    watched = Watched(kind(N, H))
    axis = 0 if kind in CELLS else 1
    keep = torch.tensor([1.0, 0.0, 1.0, 1.0]).reshape([-1 if k == axis else 1 for k in range(axis + 2)])
    state = watched()
    watched(each(state, lambda t: t.detach() * keep))
    given = torch.randn((2, N) if kind in CELLS else (T, 2, N))
    state = watched()
    watched(each(state, lambda t: t.detach().narrow(axis, 0, 2)), given)
    assert watched.links == ["fresh", "detached", "fresh", "detached"]


@pytest.mark.parametrize("kind", ALL)
def test_states_that_are_no_output_of_the_module(kind: Any) -> None:
    watched = Watched(kind(N, H))
    shape = (B, H) if kind in CELLS else (1, B, H)
    learned = torch.randn(shape, requires_grad=True)
    encoder = torch.tanh(nn.Linear(H, H)(torch.randn(shape)))
    for _ in range(2):
        for state in (torch.ones(shape), learned, encoder, learned * 1.5):
            watched((state, state) if "LSTM" in kind.__name__ else state)
        watched.flows.ended(1, False)
    assert set(watched.links) == {"fresh"}


def test_an_encoder_starts_its_decoder_afresh_at_every_update() -> None:
    flows = StateFlows(Records())
    encoder, decoder = Watched(nn.GRU(N, H), 0, flows), Watched(nn.GRUCell(N, H), 1, flows)
    for step in range(2):
        state = encoder()[0]
        for _ in range(3):
            state = decoder(state)
        flows.ended(step, False)
    assert encoder.links == ["fresh"] * 2
    assert decoder.links == ["fresh", "attached", "attached"] * 2


def test_a_state_that_another_module_goes_on_with() -> None:
    flows = StateFlows(records := Records())
    first, second = (Watched(nn.LSTMCell(N, H), number, flows) for number in range(2))
    for _ in range(2):
        second(first())
        second(each(first(), torch.detach))
        flows.ended(1, True)
    assert [each.get("handed_on") for each in records.of("state_flow")] == [1, None] * 2


def test_one_cell_for_two_streams() -> None:
    watched = Watched(nn.GRUCell(N, H))
    one, other = watched(), watched()
    for _ in range(2):
        one, other = watched(one), watched(other)
    assert watched.links == ["fresh"] * 2 + ["attached"] * 4
    assert watched.written()["length"] == 3


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("given", [torch.randn(T, N), torch.randn(B, T, N)], ids=["unbatched", "batch first"])
def test_lengths_and_shapes(given: torch.Tensor, directions: int) -> None:
    watched = Watched(nn.LSTM(N, H, num_layers=2, bidirectional=directions == 2, batch_first=True))
    watched(watched(None, given), given)
    assert watched.links == ["fresh", "attached"]
    assert watched.written()["length"] == 2 * T


def test_the_longest_packed_sequence_counts() -> None:
    watched = Watched(nn.GRU(N, H))
    packed = pack_sequence([torch.randn(n, N) for n in (2, 7, 3)], enforce_sorted=False)
    watched(watched(None, packed), packed)
    assert watched.written()["length"] == 14


def test_a_state_of_another_precision() -> None:
    watched = Watched(nn.GRU(N, H).double())
    state = watched(None, torch.randn(T, B, N, dtype=torch.float64))
    module, x = nn.GRU(N, H), torch.randn(T, B, N)
    assert watched.flows.on_call(0, module, x, state.detach().float(), module(x)) == "detached"


def test_steps_that_are_not_written() -> None:
    watched = Watched(nn.GRU(N, H))
    state = watched()
    watched.flows.ended(1, False)
    watched(state.detach())
    record = watched.written(2)
    assert (record["step"], record["calls"], record["continued"], record["fresh"]) == (2, 1, 1, 0)
    watched.flows.ended(3, True)
    assert len(watched.records.of("state_flow")) == 1


def test_the_call_that_takes_over_a_state_is_placed() -> None:
    watched = Watched(nn.GRU(N, H))
    state = watched(watched())
    assert "location" not in watched.written(), "a state with its graph is no fault"
    watched(state)
    watched.flows.ended(2, True)
    placed = watched.records.of("state_flow")[-1]["location"]
    assert placed["function"] == "__call__"
    watched()
    watched.flows.ended(3, True)
    assert "location" not in watched.records.of("state_flow")[-1]


def _update(module: Any, state: Any) -> Any:
    output, state = module(torch.randn(T, B, N), state)
    output.square().mean().backward()
    return state


@pytest.mark.parametrize("kind", FUSED)
@pytest.mark.parametrize("learns", [False, True])
def test_a_state_that_only_acts_on_is_not_kept(kind: Any, learns: bool) -> None:
    module, state = kind(N, H), None
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    with observed() as records:
        for _ in range(3):
            acted, state = module(torch.randn(1, B, N), state)
            loss = module(torch.randn(T, B, N))[0].square().mean()
            (loss + acted.sum() if learns else loss).backward(retain_graph=True)
            with torch.no_grad():
                optimizer.zero_grad()
                optimizer.step()
    flows = records.of("state_flow")
    assert [f["kept"] for f in flows] == ([0, 1] if learns else [0, 0])
    assert ["location" in f for f in flows] == [bool(f["kept"]) for f in flows]


def test_an_update_whose_backward_pass_fails_is_written() -> None:
    gru = nn.GRU(N, H)
    optimizer = torch.optim.SGD(gru.parameters(), lr=0.1)
    with observed() as records:
        state = _update(gru, None)
        optimizer.step()
        with pytest.raises(RuntimeError, match="second time"):
            _update(gru, state)
    flows = records.of("state_flow")
    assert [(f["step"], f["fresh"], f["kept"]) for f in flows] == [(1, 1, 0), (2, 0, 1)]
    assert flows[1]["location"]["code"] == "output, state = module(torch.randn(T, B, N), state)"


def test_a_script_that_goes_on_after_failing_writes_no_more_than_once_an_update() -> None:
    gru = nn.GRU(N, H)
    optimizer = torch.optim.SGD(gru.parameters(), lr=0.1)
    with observed() as records:
        kept = gru(torch.randn(T, B, N))[0].sum()
        kept.backward()
        for _ in range(5):
            gru(torch.randn(T, B, N))
            with pytest.raises(RuntimeError, match="second time"):
                kept.backward()
        for _ in range(3):
            _update(gru, None)
            optimizer.step()
    assert [f["step"] for f in records.of("state_flow")] == [1, 1, 3]
    assert [s["step"] for s in records.steps] == [1, 2, 3]


def test_a_state_that_goes_on_within_the_batch_of_a_loader() -> None:
    gru, data = nn.GRU(N, H), TensorDataset(torch.randn(64, 2 * T, N))
    optimizer = torch.optim.SGD(gru.parameters(), lr=0.1)
    with observed() as records:
        state = None
        for (x,) in DataLoader(data, batch_size=32):
            for chunk in x.transpose(0, 1).split(T):
                output, state = gru(chunk, state)
                output.square().mean().backward()
                optimizer.step()
                state = state.detach()
    # Updates 1 and 3 are sampled: the first chunk of either batch, the second of which takes over a state.
    assert [(f["step"], f["continued"], f.get("same_batch", 0)) for f in records.of("state_flow")] == [
        (1, 0, 0), (3, 1, 0),
    ]  # fmt: skip
    watched, state = Watched(gru), None
    for batch, same in (((0, 1), 0), ((0, 1), 1), ((0, 2), 0), (None, 0), (None, 0)):
        x = torch.randn(T, B, N)
        output = gru(x, state)
        watched.flows.on_call(0, gru, x, state, output, batch)
        watched.flows.ended(1, True)
        assert watched.records.of("state_flow")[-1].get("same_batch", 0) == same
        state = output[1].detach()


class _Mark(torch.autograd.Function):
    """A node of the graph that can be referred to weakly."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return gradients[0]


@pytest.mark.parametrize("kind", ALL)
def test_no_graph_outlives_its_update(kind: Any) -> None:
    watched = Watched(kind(N, H))
    given = _Mark.apply(torch.randn((B, N) if kind in CELLS else (T, B, N), requires_grad=True))
    mark = weakref.ref(given.grad_fn)
    watched(watched(None, given), given)
    del given
    gc.collect()
    assert mark() is not None
    watched.flows.ended(1, True)
    gc.collect()
    assert mark() is None
