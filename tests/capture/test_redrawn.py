"""Whether updates are made of the same sequences again, and how much of a batch occurs in it once."""

# mypy: disable-error-code="no-untyped-call, no-any-return"

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from rnn_doctor.capture.probe.sensors.redrawn import seen_once
from tests.capture.records import observed

T, B, V, H = 6, 8, 7, 4
Pair = tuple[torch.Tensor, torch.Tensor]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def fresh() -> Pair:
    return torch.randint(V, (B, T)), torch.randint(V, (B, T))


class Net(nn.Module):
    """Tokens in, a class of each step out."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.rnn, self.head = (
            nn.Embedding(V, H),
            nn.GRU(H, H, batch_first=True),
            nn.Linear(H, V),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(self.embedding(x))[0])


def plain(net: Net, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(net(x).flatten(0, 1), y.flatten())


def order(
    batches: Iterator[Pair],
    loss: Callable[[Net, torch.Tensor, torch.Tensor], torch.Tensor] = plain,
    updates: int = 21,
    net: Callable[[], Net] | None = None,
) -> dict[str, Any]:
    """What is written of so many updates, of which 1, 3, 8 and 21 are looked at."""
    with observed() as records:
        trained = Net() if net is None else net()
        optimizer = torch.optim.SGD(trained.parameters(), lr=0.01)
        for _ in range(updates):
            optimizer.zero_grad()
            loss(trained, *next(batches)).backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    return records.of("batch_order")[-1]


def again(*pairs: Pair) -> Iterator[Pair]:
    while True:
        yield from pairs


def drawn() -> Iterator[Pair]:
    while True:
        yield fresh()


def test_one_batch_again_and_again() -> None:
    x, y = fresh()
    found = order(again((x, y)))
    assert (found["same"], found["sequences"], found["pairs"]) == (4, B, B * (T - 1))
    assert found["once"] == pytest.approx(seen_once(x.t())[1])


def test_copies_of_it_are_the_same() -> None:
    x, y = fresh()
    found = order((x.clone(), y.clone()) for _ in iter(int, 1))
    assert (found["same"], found["anew"]) == (4, True)


@pytest.mark.parametrize(
    "keep", [lambda x, y: (x, y), lambda x, y: (x.clone(), y), lambda x, y: (x[:], y.clone())]
)
def test_tensors_that_the_script_keeps(keep: Callable[[torch.Tensor, torch.Tensor], Pair]) -> None:
    x, y = fresh()
    assert order(keep(x, y) for _ in iter(int, 1))["anew"] is False


def test_batches_that_differ() -> None:
    assert "same" not in order(drawn())


@pytest.mark.parametrize("count", [2, 3, 5, 7])
def test_batches_that_take_turns(count: int) -> None:
    assert "same" not in order(again(*[fresh() for _ in range(count)]))


def test_the_same_inputs_with_other_targets() -> None:
    x, _ = fresh()
    assert "same" not in order((x, fresh()[1]) for _ in iter(int, 1))


def test_targets_that_say_nothing() -> None:
    x, _ = fresh()
    assert "same" not in order(again((x, torch.zeros(B, T, dtype=torch.long))))


def test_several_losses() -> None:
    batch = fresh()
    assert "same" not in order(again(batch), lambda net, x, y: plain(net, x, y) + plain(net, x, y))


def test_numbers_have_no_pairs() -> None:
    x, y = torch.randn(B, T, H), fresh()[1]

    def loss(net: Net, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(net.head(net.rnn(x)[0]).flatten(0, 1), y.flatten())

    found = order(again((x, y)), loss)
    assert found["same"] == 4
    assert "once" not in found


def test_packed_sequences() -> None:
    def loss(net: Net, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        packed = pack_padded_sequence(net.embedding(x), torch.tensor([T] * 4 + [3] * 4), batch_first=True)
        return F.cross_entropy(net.head(net.rnn(packed)[1][-1]), y[:, -1])

    assert order(again(fresh()), loss)["same"] == 4
    assert "same" not in order(drawn(), loss)


def encoded(net: Net, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(net.head(net.rnn(net.embedding(x).tanh())[0]).flatten(0, 1), y.flatten())


def test_tokens_beneath_layers_that_learn() -> None:
    assert order(again(fresh()), encoded)["same"] == 4
    assert "same" not in order(drawn(), encoded)


def test_layers_before_that_learn_hide_numbers() -> None:
    def loss(net: Net, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        learned = net.head.weight[:, :H].sum(0) * F.one_hot(x, H + 4)[..., :H].float()
        return F.cross_entropy(net.head(net.rnn(learned)[0]).flatten(0, 1), y.flatten())

    assert "same" not in order(again(fresh()), loss)


class Looped(Net):
    """The same over steps: a cell of torch's, or one written by hand."""

    def __init__(self, by_hand: bool = False) -> None:
        super().__init__()
        self.cell = nn.Linear(2 * H, H) if by_hand else nn.GRUCell(H, H)
        self.by_hand = by_hand

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h, outs = torch.zeros(len(x), H), []
        for t in range(x.shape[1]):
            now = self.embedding(x[:, t])
            h = torch.tanh(self.cell(torch.cat([now, h], 1))) if self.by_hand else self.cell(now, h)
            outs.append(h)
        return self.head(torch.stack(outs, 1))


@pytest.mark.parametrize("by_hand", [False, True])
def test_loops(by_hand: bool) -> None:
    """Of steps 1, 3, 8 and 21 the graph is searched at 1, 3 and 21, where no last one is known."""

    def looped() -> Any:
        return Looped(by_hand)

    found = order(again(fresh()), net=looped)
    assert (found["same"], found["sequences"], found["pairs"]) == (3, B, B * (T - 1))
    assert (found["looked"], found["different"]) == (3 * B, B)
    assert "same" not in order(drawn(), net=looped)


def test_how_many_sequences_differ() -> None:
    x, y = torch.randint(V, (5, T)), torch.randint(V, (5, T))

    def few() -> Iterator[Pair]:
        while True:
            rows = torch.randint(5, (B,))
            yield x[rows], y[rows]

    found = order(few())
    assert (found["looked"], found["different"]) == (4 * B, 5)
    assert (found["classified"], found["targets"]) == (True, T)
    assert order(drawn())["different"] == 4 * B


def test_sequences_that_are_short_repeat_by_themselves() -> None:
    assert "different" not in order((x[:, :1], y[:, :1]) for x, y in drawn())


def test_constant_inputs_are_no_copies() -> None:
    assert "different" not in order((torch.ones_like(x), y) for x, y in drawn())


def test_targets_that_are_numbers() -> None:
    def loss(net: Net, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.mse_loss(net(x)[:, -1, 0], x.float().mean(1))

    assert order(drawn(), loss)["classified"] is False


def test_pairs_that_occur_once() -> None:
    rows = torch.tensor([[1, 2, 1, 2], [5, 9, 5, 3]])  # 12 21 12, 59 95 53
    for found in (seen_once(rows.t()), seen_once(rows.t() * 1000)):
        assert found[0] == 6
        assert found[1] == pytest.approx(4 / 6)
    assert seen_once(torch.zeros(9, 3, dtype=torch.long)) == (24, 0.0)


def test_what_occurs_once_foretells_what_is_new() -> None:
    """Good and Turing: the share of pairs in fresh rows that the first rows do not hold."""
    weights = 1.0 / torch.arange(1, 31)
    first, other = (torch.multinomial(weights, 40 * T, replacement=True).view(T, 40) for _ in range(2))
    known = set((first[:-1] * 30 + first[1:]).flatten().tolist())
    fresh_pairs = (other[:-1] * 30 + other[1:]).flatten().tolist()
    new = sum(pair not in known for pair in fresh_pairs) / len(fresh_pairs)
    assert seen_once(first)[1] == pytest.approx(new, abs=0.08)


ALL = 5 * B
"""Sequences of which a batch is a part."""
PARTS: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], int | None]] = {
    "a slice": (lambda x: x[:B], ALL),
    "a slice as classes": (lambda x: x[:B].flip(0).flip(0), None),  # a copy of it
    "an index": (lambda x: x[torch.arange(B)], ALL),
    "index_select": (lambda x: x.index_select(0, torch.arange(B)), ALL),
    "a function of torch's": (lambda x: torch.index_select(x, 0, torch.arange(B)), ALL),
    "a list": (lambda x: torch.stack([x[k] for k in range(B)]), None),
    "all of it": (lambda x: x[torch.arange(ALL)], ALL),
}


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("numbers", [True, False])
def test_what_one_batch_is_a_part_of(name: str, numbers: bool) -> None:
    take, held = PARTS[name]
    x = torch.randn(ALL, T, H) if numbers else torch.randint(V, (ALL, T))
    y = torch.randn(ALL, V) if numbers else torch.randint(V, (ALL, T))

    def loss(net: Net, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.mse_loss(net.head(net.rnn(x)[0][:, -1]), y) if numbers else plain(net, x, y)

    found = order(((take(x), take(y)) for _ in range(99)), loss)
    assert found["same"] == 4
    assert found.get("drawn_from") == held


def test_what_differs_is_not_asked_where_it_comes_from() -> None:
    x, y = torch.randint(V, (ALL, T)), torch.randint(V, (ALL, T))

    def parts() -> Iterator[Pair]:
        while True:
            rows = torch.randint(ALL, (B,))
            assert "__getitem__" not in vars(torch.Tensor)
            yield x[rows], y[rows]

    assert "drawn_from" not in order(parts())
    order((x[torch.arange(B)], y[:B]) for _ in range(99))
    assert "__getitem__" not in vars(torch.Tensor)


@pytest.mark.parametrize("same", [False, True])
def test_cells_over_numbers(same: bool) -> None:
    class Cells(Looped):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = torch.zeros(len(x), H)
            for t in range(x.shape[1]):
                h = self.cell(x[:, t], h)
            return self.head(h)

    x, y = torch.randn(ALL, T, H), torch.randn(ALL, V)
    rows = (torch.arange(B) if same else torch.randperm(ALL)[:B] for _ in range(99))
    found = order(((x[r], y[r]) for r in rows), lambda net, x, y: F.mse_loss(net(x), y), net=Cells)
    assert (found.get("same"), found.get("drawn_from")) == ((4, ALL) if same else (None, None))
    assert found["looked"] == 4 * B


@pytest.mark.parametrize("by_hand", [False, True])
def test_numbers_and_a_loss_without_any_function_of_torchs(by_hand: bool) -> None:
    class Numbers(Looped):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = torch.zeros(len(x), H)
            for t in range(x.shape[1]):
                joined = torch.cat([x[:, t], h], 1)
                h = torch.tanh(self.cell(joined))
            return self.head(h) if by_hand else self.head(self.rnn(x)[0][:, -1])

    def loss(net: Net, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (net(x) - y).square().mean()

    x, y = torch.randn(ALL, T, H), torch.randn(ALL, V)
    found = order(((x[torch.arange(B)], y[:B]) for _ in range(99)), loss, net=lambda: Numbers(True))
    assert (found["same"], found["sequences"]) == (3 if by_hand else 4, B)
    assert "targets" not in found
    assert found.get("drawn_from") == (None if by_hand else ALL)
    alike = torch.randn(1, T, H).expand(B, T, H).clone()
    assert "same" not in order(((alike.clone(), y[:B]) for _ in range(99)), loss, net=lambda: Numbers(True))


class Reader(Net):
    """Reads the sentences of a story one by one, or its words letter by letter and then as a whole."""

    def __init__(self, calls: int, words: int) -> None:
        super().__init__()
        self.calls, self.words = calls, words
        self.over = nn.GRU(H, H, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(self.calls):
            read = self.rnn(self.embedding(x))[0]
        if self.words:
            read = read + self.over(read[:, -1].view(B // self.words, self.words, H))[0].reshape(B, 1, H)
        return self.head(read)


@pytest.mark.parametrize(
    ("calls", "words", "told"), [(1, 0, True), (1, 1, True), (2, 0, False), (1, 4, False)]
)
def test_parts_of_examples_are_not_counted_as_examples(calls: int, words: int, told: bool) -> None:
    again = fresh()
    found = order(
        ((again[0][torch.randperm(B)], again[1]) for _ in range(21)), net=lambda: Reader(calls, words)
    )
    assert found.get("different") == (B if told else None)
