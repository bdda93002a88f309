"""Along which axis the targets depend on other inputs: what is laid out how, what is tested, what is left alone."""

# mypy: disable-error-code="no-untyped-call, no-any-return"

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks.thresholds import axes as kinds
from rnn_doctor.capture.probe.sensors.axis_dependence import (
    BATCH,
    INPUTS,
    TARGETS,
    TIME,
    AxisDependence,
    Features,
)
from rnn_doctor.capture.probe.sensors.dependence import Abstained
from rnn_doctor.capture.probe.sensors.target_grids import grid_of
from rnn_doctor.derive.axes import IN_ORDER, SILENT, TELLS, mixed_up
from rnn_doctor.derive.target_orders import in_another_order
from tests.capture.records import Observation, observed

T, B, V, H, LAG = 9, 16, 5, 6, 3
Pair = tuple[torch.Tensor, torch.Tensor]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def echo(time: int = T, batch: int = B) -> Pair:
    """Tokens (B, T), and of each step the token three before; the first ones have no target."""
    x = torch.randint(V, (batch, time))
    y = x.roll(LAG, 1)
    y[:, :LAG] = -100
    return x, y


def record(records: Observation) -> dict[str, Any]:
    assert records.of("sensor_off") == []
    (found,) = records.of("axis_dependence")
    return found


class Net(nn.Module):
    """Embedding, recurrent layer, head on every step; transposed: the layer gets time for batch."""

    def __init__(self, transposed: bool = False, **options: Any) -> None:
        super().__init__()
        self.embedding = nn.Embedding(V, H)
        self.rnn = nn.GRU(H, H, **{"batch_first": True, **options})
        self.head = nn.Linear(H * (2 if options.get("bidirectional") else 1), V)
        self.turned = transposed == self.rnn.batch_first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shapes: x (B, T) -> (B, T, V)."""
        given = self.embedding(x)
        if self.turned:
            return self.head(self.rnn(given.transpose(0, 1))[0].transpose(0, 1))
        return self.head(self.rnn(given)[0])


def by_step(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(out.reshape(-1, V), y.reshape(-1))


def trained(
    net: nn.Module,
    draw: Callable[[], Pair] = echo,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = by_step,
    updates: int = 8,
) -> Observation:
    """Updates 1, 3 and 8 are looked at."""
    with observed() as records:
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        for _ in range(updates):
            x, y = draw()
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()
    return records


def is_mixed_up(found: dict[str, Any]) -> bool:
    return found["batch_score"] > TELLS and max(found["time_score"], found["positions"]) < SILENT


@pytest.mark.parametrize("batch_first", [True, False])
def test_batch_and_time_exchanged(batch_first: bool) -> None:
    found = record(trained(Net(transposed=True, batch_first=batch_first)))
    assert is_mixed_up(found)
    assert (found["batches"], found["batch_lag"]) == (3, LAG)
    assert found["batch_share"] > 0.8
    assert found["targets"] == 3 * B * (T - LAG)


@pytest.mark.parametrize("batch_first", [True, False])
def test_axes_in_order(batch_first: bool) -> None:
    found = record(trained(Net(batch_first=batch_first)))
    assert found["time_score"] > IN_ORDER
    assert found["time_lag"] == LAG
    assert found["batch_score"] < SILENT


def test_axes_of_equal_length() -> None:
    assert is_mixed_up(record(trained(Net(transposed=True), lambda: echo(12, 12))))
    assert record(trained(Net(), lambda: echo(12, 12)))["time_score"] > IN_ORDER


def test_numbers() -> None:
    class Filter(nn.Module):
        def __init__(self, transposed: bool) -> None:
            super().__init__()
            self.rnn, self.head = nn.LSTM(2, H, batch_first=not transposed), nn.Linear(H, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(torch.relu(self.rnn(x)[0])).squeeze(-1)

    def draw() -> Pair:
        x = torch.randn(B, T, 2)
        return x, x[..., 0] + x[..., 0].roll(1, 1) - x[..., 1].roll(2, 1)

    def loss(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.mse_loss(out, y)

    assert is_mixed_up(record(trained(Filter(True), draw, loss)))
    assert record(trained(Filter(False), draw, loss))["time_score"] > IN_ORDER


def test_classes_on_the_second_axis() -> None:
    found = record(trained(Net(transposed=True), loss=lambda out, y: F.cross_entropy(out.transpose(1, 2), y)))
    assert is_mixed_up(found)


def test_a_bidirectional_module() -> None:
    assert is_mixed_up(record(trained(Net(transposed=True, bidirectional=True), lambda: echo(16, 16))))


def turned(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Outputs time first, targets batch first."""
    return F.cross_entropy(out.transpose(0, 1).reshape(-1, V), y.reshape(-1))


def turned_back(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Outputs batch first, targets time first."""
    return F.cross_entropy(out.reshape(-1, V), y.t().reshape(-1))


@pytest.mark.parametrize("loss", [turned, turned_back])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("size", [(T, B), (B, T), (12, 12)])
def test_targets_flattened_in_another_order(
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], batch_first: bool, size: tuple[int, int]
) -> None:
    found = record(trained(Net(batch_first=batch_first), lambda: echo(*size), loss))
    assert in_another_order(**found)
    assert found["own_share"] < 0.05
    assert found["turned_share"] > 0.95


def test_numbers_flattened_in_another_order() -> None:
    class Filter(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.head = nn.LSTM(2, H, batch_first=True), nn.Linear(H, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.rnn(x)[0]).squeeze(-1)

    def draw() -> Pair:
        x = torch.randn(B, T, 2)
        return x, x[..., 0].roll(1, 1)

    def loss(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.mse_loss(out.t().reshape(-1), y.reshape(-1))

    assert in_another_order(**record(trained(Filter(), draw, loss)))
    as_column = record(trained(Filter(), draw, lambda out, y: loss(out, y.reshape(-1, 1).squeeze(1))))
    assert in_another_order(**as_column)


def test_targets_in_order_are_held_against_no_other() -> None:
    assert "turned_share" not in record(trained(Net()))
    separate = record(trained(Net(), loss=lambda out, y: F.cross_entropy(out.transpose(1, 2), y)))
    assert "turned_share" not in separate


def test_targets_that_their_own_step_tells_alone() -> None:
    def tags() -> Pair:
        x = torch.randint(V, (B, T))
        return x, (x * 2) % V

    found = record(trained(Net(), tags))
    assert found["own_share"] > 0.9
    assert not in_another_order(**found)
    assert in_another_order(**record(trained(Net(), tags, turned)))


def test_samples_in_no_order_with_targets_that_no_step_tells() -> None:
    def parity() -> Pair:
        x = torch.randint(2, (B, T))
        return x, x ^ x.roll(1, 1)

    found = record(trained(Net(), parity))
    assert found["time_score"] < SILENT
    assert found["batch_score"] < SILENT
    assert not in_another_order(**found)


@pytest.mark.parametrize("stride", [1, 3])
def test_windows_of_a_series_in_their_order(stride: int) -> None:
    series = torch.randint(V, (400,))

    def draw() -> Pair:
        rows = torch.randint(100, ()) + stride * torch.arange(B)[:, None] + torch.arange(T)
        return series[rows], series[rows + 1]

    found = record(trained(Net(), draw))
    assert found["batch_score"] > TELLS or stride > 1
    assert found["time_score"] > IN_ORDER  # of both axes, so that they are right


def test_the_same_batch_is_one_batch() -> None:
    x, y = echo()
    found = record(trained(Net(transposed=True), lambda: (x, y)))
    assert found["batches"] == 1


def test_places_that_stand_out_in_every_batch() -> None:
    """Rows of a batch that keep their place, as streams do, are no time steps in order."""

    def draw() -> Pair:
        x, y = echo()
        x[: B // 2] = x[: B // 2] % 2
        return x, y

    assert record(trained(Net(transposed=True), draw))["positions"] > SILENT


def packed(net: Net, x: torch.Tensor) -> torch.Tensor:
    out = net.rnn(pack_padded_sequence(net.embedding(x), torch.full((B,), T), batch_first=True))[0]
    return net.head(pad_packed_sequence(out, batch_first=True)[0])


def twice(net: Net, x: torch.Tensor) -> torch.Tensor:
    return net.head(net.rnn(net.embedding(x))[0] + net.rnn(net.embedding(x))[0])


def encoded(net: Net, x: torch.Tensor) -> torch.Tensor:
    return net.head(net.rnn(net.embedding.weight.mean(0) + F.one_hot(x, H).float())[0])


def shortened(net: Net, x: torch.Tensor) -> torch.Tensor:
    return net.head(F.pad(net.rnn(net.embedding(x))[0][:, 1:], (0, 0, 1, 0)))


@pytest.mark.parametrize(
    ("forward", "reason"),
    [
        (packed, "packed sequences"),
        (twice, "several times"),
        (encoded, "layers that learn"),
        (shortened, "not told"),
    ],
)
def test_what_is_not_tested(forward: Callable[[Net, torch.Tensor], torch.Tensor], reason: str) -> None:
    class Other(Net):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return forward(self, x)

    assert reason in record(trained(Other()))["absent"]


def wide() -> Pair:
    return echo(11, 24)


class Beneath(Net):
    """Tokens and a number, joined, through layers that learn."""

    def __init__(self, transposed: bool = False) -> None:
        super().__init__(transposed)
        self.front = nn.Sequential(nn.Linear(H + 1, H), nn.LayerNorm(H))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        given = self.front(torch.cat([self.embedding(x), torch.randn(*x.shape, 1)], 2))
        if self.turned:
            return self.head(self.rnn(given.transpose(0, 1))[0].transpose(0, 1))
        return self.head(self.rnn(given)[0])


def test_tokens_beneath_layers_that_learn() -> None:
    assert is_mixed_up(record(trained(Beneath(transposed=True), wide)))
    assert record(trained(Beneath()))["time_score"] > IN_ORDER


def test_tokens_beneath_are_not_told_where_both_axes_are_of_one_size() -> None:
    assert "layers that learn" in record(trained(Beneath(), lambda: echo(12, 12)))["absent"]


class Loop(nn.Module):
    """A loop along time, or along the samples."""

    def __init__(self, axis: int, by_hand: bool, step_by_step: bool = False) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(V, H), nn.Linear(H, V)
        self.cell = nn.Linear(2 * H, H) if by_hand else nn.LSTMCell(H, H)
        self.axis, self.by_hand, self.step_by_step = axis, by_hand, step_by_step

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shapes: x (B, T) -> (B, T, V)"""
        whole = None if self.step_by_step else self.embedding(x)
        h = c = torch.zeros(x.shape[1 - self.axis], H)
        outs = []
        for k in range(x.shape[self.axis]):
            now = self.embedding(x.select(self.axis, k)) if whole is None else whole.select(self.axis, k)
            if self.by_hand:
                h = torch.tanh(self.cell(torch.cat([now, h], 1)))
            else:
                h, c = self.cell(now, (h, c))
            outs.append(h)
        return self.head(torch.stack(outs, self.axis))


@pytest.mark.parametrize("step_by_step", [False, True])
@pytest.mark.parametrize("by_hand", [False, True])
def test_a_loop_over_the_samples(by_hand: bool, step_by_step: bool) -> None:
    """Of steps 1, 3, 8 and 21 the graph is searched at 1, 3 and 21."""
    found = record(trained(Loop(0, by_hand, step_by_step), wide, updates=21))
    assert is_mixed_up(found)
    assert (found["batches"], found["batch_lag"]) == (3, LAG)
    in_order = record(trained(Loop(1, by_hand, step_by_step), updates=21))
    assert in_order["time_score"] > IN_ORDER
    assert in_order["batch_score"] < SILENT


def following() -> Pair:
    """Each token is the one before plus 0 or 1, and the targets are the next tokens, cut out of one tensor."""
    whole = (torch.randint(V, (B, 1)) + torch.randint(2, (B, T + 1)).cumsum(1)) % V
    return whole[:, :-1], whole[:, 1:]


def test_flat_targets_that_are_the_next_tokens() -> None:
    assert is_mixed_up(record(trained(Loop(0, by_hand=False), following, updates=21)))
    assert record(trained(Loop(1, by_hand=False), following, updates=21))["time_score"] > IN_ORDER


def test_flat_targets_whose_layout_nothing_tells() -> None:
    found = record(trained(Loop(0, by_hand=False), lambda: tuple(t.clone() for t in echo()), by_step_copied))  # type: ignore[arg-type, return-value]
    assert "not laid out" in found["absent"]


def by_step_copied(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(out.reshape(-1, V), y.reshape(-1).clone())


class Cell(nn.Module):
    """A cell of torch's over numbers, along time or along the samples."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.cell, self.head, self.axis = nn.GRUCell(2, H), nn.Linear(H, 1), axis

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shapes: x (B, T, 2) -> (B, T, 1)"""
        h, outs = torch.zeros(x.shape[1 - self.axis], H), []
        for now in x.unbind(self.axis):
            h = self.cell(now, h)
            outs.append(h)
        return self.head(torch.stack(outs, self.axis))


def test_cells_over_numbers() -> None:
    def draw() -> Pair:
        x = torch.randn(B, T, 2)
        return x, x[..., :1] + x[..., :1].roll(1, 1) - x[..., 1:].roll(2, 1)

    def loss(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.mse_loss(out, y)

    assert is_mixed_up(record(trained(Cell(0), draw, loss, updates=21)))
    assert record(trained(Cell(1), draw, loss, updates=21))["time_score"] > IN_ORDER


def test_loops_of_equal_axes_are_left_alone() -> None:
    same = record(trained(Loop(1, by_hand=False), lambda: echo(12, 12)))
    assert "one time step at a time" in same["absent"]


def test_a_loss_of_its_own_and_cells() -> None:
    by_hand = trained(Net(), loss=lambda out, y: out.square().mean())
    assert "no loss function" in record(by_hand)["absent"]
    with observed() as records:
        cell = nn.GRUCell(2, 3)
        cell(torch.randn(B, 2)).square().mean().backward()
        torch.optim.SGD(cell.parameters(), 0.1).step()
    assert "one time step at a time" in record(records)["absent"]


def test_a_loss_of_the_last_step_is_left_alone() -> None:
    found = record(trained(Net(), loss=lambda out, y: F.cross_entropy(out[:, -1], y[:, -1])))
    assert "not told" in found["absent"]


def test_batches_of_a_few_are_not_looked_at() -> None:
    assert trained(Net(), lambda: echo(batch=4)).of("axis_dependence") == []


def test_it_draws_no_random_numbers_of_the_script() -> None:
    x, y = echo()
    net = Net()
    state = torch.get_rng_state()
    trained(net, lambda: (x, y))
    assert torch.equal(state, torch.get_rng_state())


def test_nothing_of_an_update_is_kept() -> None:
    seen: list[Any] = []

    def loss(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        seen.append(weakref.ref(out))
        return by_step(out, y)

    with observed():
        net = Net(transposed=True)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        x, y = echo()
        loss(net(x), y).backward()
        optimizer.step()
        gc.collect()
        assert seen[0]() is None


@pytest.mark.parametrize("arrange", [
    lambda out: out,
    lambda out: out.transpose(0, 1),
    lambda out: out.reshape(-1, H),
    lambda out: out.transpose(0, 1).reshape(-1, H),
    lambda out: out.permute(1, 2, 0),
])  # fmt: skip
def test_targets_by_the_axes_of_the_output(arrange: Callable[[torch.Tensor], torch.Tensor]) -> None:
    out = nn.GRU(2, H)(torch.randn(T, B, 2))[0]
    number = torch.arange(T * B * H).view(T, B, H).float()
    grid = grid_of("mse_loss", arrange(out), arrange(number), {}, out)
    assert grid is not None
    assert torch.equal(grid.values, number)
    assert bool(grid.known.all())


def test_targets_that_the_loss_leaves_out() -> None:
    out = nn.GRU(2, H)(torch.randn(T, B, 2))[0]
    target = torch.full((T, B), 2)
    target[3, 4] = 9
    grid = grid_of("cross_entropy", out.flatten(0, 1), target.flatten(), {"ignore_index": 9}, out)
    assert grid is not None
    assert grid.known.sum() == T * B - 1
    assert not grid.known[3, 4]


def test_a_loss_of_something_else() -> None:
    out = nn.GRU(2, H)(torch.randn(T, B, 2))[0]
    other = nn.Linear(2, H)(torch.randn(T, B, 2))
    assert grid_of("mse_loss", other, torch.zeros(T, B, H), {}, out) is None
    with pytest.raises(Abstained, match="element by element"):
        grid_of("kl_div", out, torch.zeros(T, B, H), {}, out)
    with pytest.raises(Abstained, match="differ in shape"):
        grid_of("mse_loss", out, torch.zeros(B, T, H), {}, out)


def dependence(x: torch.Tensor, y: torch.Tensor) -> AxisDependence:
    known = torch.ones(y.shape[:2], dtype=torch.bool)
    found = AxisDependence()
    found.add(Features(x, INPUTS).of(x), Features(y, TARGETS, known).of(y), known)
    return found


def test_what_its_own_input_tells_does_not_count() -> None:
    x = torch.randn(21, 40, 1).cumsum(0)  # each step tells of the next
    assert dependence(x, 2 * x + 1).told(TIME).score == 0
    assert dependence(x[1:], 2 * x[:-1] + 1).told(TIME).score > IN_ORDER


def test_the_axes_exchanged_exchange_what_is_told() -> None:
    x = torch.randn(12, 12, 3)
    y = x.roll(2, 0)[..., :1]
    one, other = dependence(x, y), dependence(x.transpose(0, 1), y.transpose(0, 1))
    assert one.told(TIME).lag == other.told(BATCH).lag == 2
    assert one.told(TIME).share == pytest.approx(other.told(BATCH).share, abs=0.05)


def test_the_scale_of_the_numbers_does_not_matter() -> None:
    x = torch.randn(12, B, 3)
    y = x.roll(1, 0)[..., :2]
    one, other = dependence(x, y).told(TIME), dependence(1000 * x - 5, 0.01 * y + 3).told(TIME)
    assert one.share == pytest.approx(other.share, rel=1e-3)
    assert one.score == pytest.approx(other.score, rel=1e-3)


def test_more_features_than_are_compared() -> None:
    x = torch.randn(20, 40, 40)
    assert dependence(x, x.roll(1, 0)).told(TIME).score > IN_ORDER


def test_what_does_not_vary_tells_nothing() -> None:
    x = torch.zeros(12, B, 2)
    assert dependence(x, torch.randn(12, B, 1)).told(TIME).score == 0
    assert dependence(torch.randn(12, B, 2), torch.ones(12, B, 1)).told(BATCH).score == 0


_INNOCENT = [kind for kind in (*kinds.TASKS, *kinds.TRAPS) if kind is not kinds.seasonal]
"""Of the seasonal windows it is known (RD405, limits): their steps tell nothing of each other."""


@pytest.mark.parametrize("kind", _INNOCENT, ids=lambda kind: kind.__name__)
def test_data_in_order_are_not_called_mixed_up(kind: Any) -> None:
    assert not mixed_up(**kinds.measured(kind, 20, 32, seed=7, swapped=False))


def test_silent_data_are_asked_no_further() -> None:
    assert kinds.measured(kinds.unrelated, 20, 32, seed=7, swapped=False)["batches"] == 3
    assert kinds.measured(kinds.echo, 20, 32, seed=7, swapped=True)["batches"] == kinds.BATCHES


def test_few_orders_say_no_more_than_all() -> None:
    """What few random orders leave at 1 or below has not been compared with the others; it would stay there."""
    draw = torch.Generator().manual_seed(3)
    found = dependence(torch.randn(20, 30, 2, generator=draw), torch.randn(20, 30, 1, generator=draw))
    few = found.told(BATCH).score
    assert few <= 1
    for axis in found._axes:
        assert axis.complete()
    found._told.clear()
    assert found.told(BATCH).score <= few


@pytest.mark.parametrize("kind", kinds.TASKS, ids=lambda kind: kind.__name__)
def test_data_with_their_axes_exchanged_are(kind: Any) -> None:
    assert mixed_up(**kinds.measured(kind, 20, 32, seed=7, swapped=True))
