"""Targets that are inputs at a place that the network reads, and all that looks like it and is meant."""

# mypy: disable-error-code="no-untyped-call, no-any-return"

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from tests.capture.records import Observation, observed

T, B, V, H = 9, 16, 7, 6
Pair = tuple[torch.Tensor, torch.Tensor]
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def trained(net: nn.Module, draw: Callable[[], Pair], loss: Loss) -> dict[str, Any]:
    """What was compared; updates 1, 3 and 8 are looked at."""
    return record(observation(net, draw, loss))


def observation(net: nn.Module, draw: Callable[[], Pair], loss: Loss) -> Observation:
    with observed() as records:
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        for _ in range(8):
            x, y = draw()
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    return records


def record(records: Observation) -> dict[str, Any]:
    (found,) = records.of("copied_targets")
    return found


class Tokens(nn.Module):
    """An answer at each step."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.embedding = nn.Embedding(V, H)
        self.rnn = nn.GRU(H, H, **{"batch_first": True, **options})
        self.head = nn.Linear(H * (2 if options.get("bidirectional") else 1), V)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shapes: (B, T) -> (B, T, V)"""
        given = F.dropout(self.embedding(x), 0.2)
        if self.rnn.batch_first:
            return self.head(self.rnn(given)[0])
        return self.head(self.rnn(given.transpose(0, 1))[0]).transpose(0, 1)


class Numbers(nn.Module):
    """An answer at each step, or one a sequence."""

    def __init__(self, features: int, answers: int, read: str, **options: Any) -> None:
        super().__init__()
        self.rnn = nn.LSTM(features, H, **{"batch_first": True, **options})
        self.head, self.read = nn.Linear(H, answers), read

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out, (h, _) = self.rnn(x)
        return self.head({"each": out, "last": out[:, -1], "state": h[-1]}[self.read])


def by_step(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(out.reshape(-1, V), y.reshape(-1))


def squared(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.mse_loss(out, y)


def absolute(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.l1_loss(out, y)


def classes(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(out, y)


def text(shift: int) -> Pair:
    tokens = torch.randint(V, (B, T + 2))
    return tokens[:, 1:-1], tokens[:, 1 + shift : T + 1 + shift]


@pytest.mark.parametrize("options", [{}, {"batch_first": False}, {"num_layers": 2}])
def test_targets_that_are_not_shifted(options: dict[str, Any]) -> None:
    found = trained(Tokens(**options), lambda: text(0), by_step)
    assert (found["place"], found["columns"], found["of"]) == ("same", 1, 1)
    assert (found["looks"], found["targets"]) == (3, 3 * B * T)
    assert found["still"] < 0.3


def test_the_next_token() -> None:
    assert "place" not in trained(Tokens(), lambda: text(1), by_step)
    assert trained(Tokens(bidirectional=True), lambda: text(1), by_step)["place"] == "next"


def test_both_directions_of_other_targets() -> None:
    assert "place" not in trained(Tokens(bidirectional=True), lambda: text(-1), by_step)  # an echo
    assert "place" not in trained(
        Tokens(bidirectional=True), lambda: (text(0)[0], torch.randint(V, (B, T))), by_step
    )


def test_a_loss_for_each_direction_is_several() -> None:
    class Both(Tokens):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out = self.rnn(self.embedding(x))[0]
            return torch.stack([self.head(out[..., :H]), self.head(out[..., H:])])

    net = Both(bidirectional=True)
    net.head = nn.Linear(H, V)

    def loss(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return by_step(out[0], y) + by_step(out[1], y.roll(2, 1))

    assert "place" not in trained(net, lambda: text(1), loss)


def test_masked_tokens() -> None:
    def masked() -> Pair:
        x = torch.randint(1, V, (B, T))
        hidden = torch.rand(B, T) < 0.3
        return x.masked_fill(hidden, 0), x.masked_fill(~hidden, -100)

    assert "place" not in trained(Tokens(bidirectional=True), masked, by_step)


def test_vectors_of_one_1() -> None:
    def draw(shift: int) -> Pair:
        x, y = text(shift)
        return F.one_hot(x, V).float(), y

    def loss(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(out.transpose(1, 2), y)

    assert trained(Numbers(V, V, "each"), lambda: draw(0), loss)["place"] == "same"
    assert "place" not in trained(Numbers(V, V, "each"), lambda: draw(1), loss)


@pytest.mark.parametrize("read", ["last", "state"])
@pytest.mark.parametrize("batch_first", [True, False])
def test_a_window_that_ends_one_step_too_late(read: str, batch_first: bool) -> None:
    def draw(late: int) -> Pair:
        x = torch.randn(B, T + 1, 3)
        given = x[:, late : T + late]
        return given if batch_first else given.transpose(0, 1).contiguous(), x[:, T, 1:2]

    class Net(Numbers):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out, (h, _) = self.rnn(x)
            return self.head(h[-1] if self.read == "state" else out[:, -1] if batch_first else out[-1])

    found = trained(Net(3, 1, read, batch_first=batch_first), lambda: draw(1), squared)
    assert (found["place"], found["columns"], found["of"], found["still"]) == ("last", 1, 1, 0.0)
    healthy = trained(Net(3, 1, read, batch_first=batch_first), lambda: draw(0), squared)
    assert "place" not in healthy
    assert healthy["targets"] == 3 * B


def test_the_last_token_is_the_class() -> None:
    class Net(Tokens):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.rnn(self.embedding(x))[1][-1])

    def draw(at: int) -> Pair:
        x = torch.randint(V, (B, T))
        return x, x[:, at]

    assert trained(Net(), lambda: draw(-1), classes)["place"] == "last"
    assert "place" not in trained(Net(), lambda: draw(0), classes)  # delayed recall


def test_a_part_of_a_horizon() -> None:
    def draw() -> Pair:
        x = torch.randn(B, T + 4, 1)
        return x[:, :T], x[:, T - 1 : T + 3, 0]

    found = trained(Numbers(1, 4, "state"), draw, absolute)
    assert (found["place"], found["columns"], found["of"]) == ("last", 1, 4)


def test_a_series_whose_past_is_a_feature() -> None:
    def draw(at: int) -> Pair:
        x = torch.randn(B, T + 1, 2)
        return x[:, :-1], x[:, at : T + at, :1]

    assert "place" not in trained(Numbers(2, 1, "each"), lambda: draw(1), squared)
    found = trained(Numbers(2, 1, "each"), lambda: draw(0), squared)
    assert (found["place"], found["columns"], found["of"]) == ("same", 1, 1)


def test_an_autoencoder_of_single_steps_copies_all() -> None:
    def draw() -> Pair:
        x = torch.randn(B, T, 3)
        return x, x

    found = trained(Numbers(3, 3, "each"), draw, squared)
    assert (found["place"], found["columns"], found["of"]) == ("same", 3, 3)

    def noisy() -> Pair:
        x = torch.randn(B, T, 3)
        return x + 0.1 * torch.randn(B, T, 3), x

    assert "place" not in trained(Numbers(3, 3, "each"), noisy, squared)


def test_an_autoencoder_through_one_state_copies_nothing() -> None:
    class Autoencoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.decoder = nn.LSTM(2, H, batch_first=True), nn.LSTM(H, H, batch_first=True)
            self.head = nn.Linear(H, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            code = self.encoder(x)[1][0][-1]
            return self.head(self.decoder(code.unsqueeze(1).repeat(1, x.shape[1], 1))[0])

    def draw() -> Pair:
        x = torch.randn(B, T, 2)
        return x, x

    assert not any(
        "place" in found for found in observation(Autoencoder(), draw, squared).of("copied_targets")
    )


@pytest.mark.parametrize(("shifted", "place"), [(True, None), (False, "same")])
def test_a_decoder_of_its_target(shifted: bool, place: str | None) -> None:
    class Pairs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.head = nn.Embedding(V + 1, H), nn.Linear(H, V)
            self.encoder, self.decoder = nn.GRU(H, H, batch_first=True), nn.GRU(H, H, batch_first=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            target = x.flip(1)
            begun = torch.cat([torch.full((B, 1), V), target[:, :-1]], 1)
            state = self.encoder(self.embedding(x))[1]
            return self.head(self.decoder(self.embedding(begun if shifted else target), state)[0])

    def draw() -> Pair:
        x = torch.randint(V, (B, T))
        return x, x.flip(1)

    found = observation(Pairs(), draw, by_step).of("copied_targets")
    assert [each.get("place") for each in found if each["looks"]] == [place]


def test_what_stands_still() -> None:
    def draw() -> Pair:
        x = torch.randint(V, (B, 1)).repeat(1, T)
        return x, x

    assert trained(Tokens(), draw, by_step)["still"] == 1.0


def test_constant_targets_are_no_copies() -> None:
    def draw() -> Pair:
        return torch.zeros(B, T, dtype=torch.long), torch.zeros(B, T, dtype=torch.long)

    assert "place" not in trained(Tokens(), draw, by_step)


def test_what_is_not_compared() -> None:
    class Packed(Tokens):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            packed = pack_padded_sequence(self.embedding(x), torch.full((B,), T), batch_first=True)
            return self.head(self.rnn(packed)[1][-1])

    assert (
        "not those of one batch"
        in trained(Packed(), lambda: (text(0)[0], text(0)[1][:, 0]), classes)["absent"]
    )

    class Learned(Numbers):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.rnn(self.head(x))[0])

    def draw() -> Pair:
        x = torch.randn(B, T, H)
        return x, x

    assert "layers that learn" in trained(Learned(H, H, "each"), draw, squared)["absent"]


def padded(shift: int = 1) -> Pair:
    """Tags 1 to V - 1 of words 1 to V - 1, in rows of two to T - 2 of them; 0 behind."""
    x = torch.randint(1, V, (B, T))
    x = x.masked_fill(torch.arange(T) >= torch.randint(2, T - 1, (B, 1)), 0)
    return x, torch.where(x > 0, (x + shift) % (V - 1) + 1, 0)


def ignoring(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(out.reshape(-1, V), y.reshape(-1), ignore_index=0)


def test_padding_that_the_loss_counts() -> None:
    assert trained(Tokens(), padded, by_step)["idle"] > 0.3
    assert trained(Tokens(), padded, ignoring)["idle"] == 0.0
    assert trained(Tokens(), lambda: text(1), by_step)["idle"] == 0.0


def test_a_pause_in_which_all_rows_answer() -> None:
    def copying() -> Pair:
        x = torch.randint(1, V, (B, T))
        x[:, T // 2 :] = 0
        return x, x.roll(T // 2 + 1, 1)

    assert trained(Tokens(), copying, by_step)["idle"] == 0.0


def test_rows_of_different_lengths_that_answer_behind_them() -> None:
    def copying() -> Pair:
        x, _ = padded()
        return x, torch.randint(1, V, (B, T))

    assert trained(Tokens(), copying, by_step)["idle"] < 0.1


@pytest.mark.parametrize(("late", "place"), [(1, "last"), (0, None)])
def test_a_loss_that_is_written_by_hand(late: int, place: str | None) -> None:
    def draw() -> Pair:
        x = torch.randn(B, T + 1, 3)
        return x[:, late : T + late], x[:, T, 1:2]

    def loss(out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return ((out - y) ** 2).mean()

    assert trained(Numbers(3, 1, "last"), draw, loss).get("place") == place


class Cells(nn.Module):
    """A cell over all steps, read at the end."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.cell, self.head = nn.LSTMCell(features, H), nn.Linear(H, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = c = x.new_zeros(len(x), H)
        for step in x.unbind(1):
            h, c = self.cell(step, (h, c))
        return self.head(h)


@pytest.mark.parametrize(("late", "place"), [(1, "last"), (0, None)])
def test_a_cell(late: int, place: str | None) -> None:
    def draw() -> Pair:
        x = torch.randn(B, T + 1, 3)
        return x[:, late : T + late], x[:, T, 1:2]

    assert trained(Cells(3), draw, squared).get("place") == place


def test_a_cell_with_a_loss_at_each_step_has_several() -> None:
    class Each(Cells):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = c = x.new_zeros(len(x), H)
            found = x.new_zeros(())
            for k in range(T - 1):
                h, c = self.cell(x[:, k], (h, c))
                found = found + F.mse_loss(self.head(h), x[:, k + 1, :1])
            return found

    def draw() -> Pair:
        x = torch.randn(B, T, 3)
        return x, x

    assert "several" in trained(Each(3), draw, lambda out, _: out)["absent"]


def test_batches_whose_gradients_are_added() -> None:
    net = Tokens()
    with observed() as records:
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        for _ in range(3):
            optimizer.zero_grad()
            for _ in range(2):
                x, y = text(0)
                by_step(net(x), y).backward()
            optimizer.step()
    found = record(records)
    assert (found["looks"], found["place"], found["targets"]) == (4, "same", 4 * B * T)


def test_nothing_is_kept_once_the_graph_is_gone() -> None:
    net = Tokens()
    with observed() as records:
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        x, y = text(0)
        loss = by_step(net(x), y)
        assert records.observer.calls.copied.waits
        loss.backward()
        assert not records.observer.calls.copied.waits
        optimizer.step()
