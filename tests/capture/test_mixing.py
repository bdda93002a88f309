"""Views that take the numbers of one sample for those of another."""

# mypy: disable-error-code="no-untyped-call"

import gc
import inspect
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnn_doctor.capture.probe.listening import Listening
from rnn_doctor.capture.probe.sensors.mixing import Mixings
from rnn_doctor.capture.probe.sensors.source import Source
from rnn_doctor.schema.recurrence import Mixing
from tests.capture.records import Records, observed

T, B, N, H = 6, 4, 3, 5
FUSED = [nn.RNN, nn.GRU, nn.LSTM]
Read = Callable[[Any, torch.Tensor], torch.Tensor]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


class Step:
    """One step of a training whose calls are passed on, as the observer does."""

    def __init__(self, mixings: Mixings | None = None) -> None:
        self.records = Records()
        self.mixings = mixings or Mixings(self.records, Listening())

    def call(self, module: Any, given: Any, state: Any = None, batch: Any = None, number: int = 0) -> Any:
        output = module(given, state)
        self.mixings.on_call(number, module, given, state, output, Source(batch))
        return output

    def found(self, result: torch.Tensor) -> list[tuple[str, list[int], list[int]]]:
        """What, shape and view of the records that the backward pass of the result's sum makes."""
        loss = result.square().sum()
        self.mixings.on_backward(1, loss)
        loss.backward()
        self.mixings.finish()
        for record in self.records.all:
            Mixing(**record)
        return [(r["what"], r["shape"], r["viewed"]) for r in self.records.of("mixing")]


def final(out: Any) -> torch.Tensor:
    """h_n. Shapes: (L*D, B, H)."""
    state: torch.Tensor = out[1][0] if isinstance(out[1], tuple) else out[1]
    return state


def state_views(module: Any, read: Callable[[torch.Tensor], torch.Tensor], batch: int = B) -> Any:
    step = Step()
    given = torch.randn((batch, T, N) if module.batch_first else (T, batch, N))
    return step.found(read(final(step.call(module, given))))


def output_views(module: Any, read: Callable[[torch.Tensor], torch.Tensor], batch: int = B) -> Any:
    step = Step()
    given = torch.randn((batch, T, N) if module.batch_first else (T, batch, N))
    return step.found(read(step.call(module, given)[0]))


# ---------------------------------------------------------------- final states


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(
    ("layers", "bidirectional"), [(2, False), (1, True), (2, True), (3, False), (3, True)]
)
@pytest.mark.parametrize("kind", FUSED)
def test_states_viewed_by_sample(kind: Any, layers: int, bidirectional: bool, batch_first: bool) -> None:
    module = kind(N, H, layers, bidirectional=bidirectional, batch_first=batch_first)
    count, rows = layers * (1 + bidirectional), 7
    for read in (
        lambda h: h.view(rows, -1),
        lambda h: h.reshape(-1, count * H),
        lambda h: h.contiguous().view(rows, count, H),
        lambda h: nn.functional.dropout(h.relu()).clone().view(rows, -1),
        lambda h: nn.Linear(H, 2)(h).view(rows, -1),
        lambda h: h.view(1, rows, count * H),
    ):
        ((what, _, viewed),) = state_views(module, read, rows)
        assert what == "state"
        assert rows in viewed


def test_states_viewed_by_layer() -> None:
    module = nn.LSTM(N, H, 2, bidirectional=True)
    assert state_views(module, lambda h: h.view(2, B + 3, 2 * H), B + 3) == [
        ("state", [4, B + 3, H], [2, B + 3, 2 * H])
    ]
    last = state_views(module, lambda h: h.view(2, 2, B, H)[-1].view(B, 2 * H))
    assert last == [("state", [2, B, H], [B, 2 * H])]


@pytest.mark.parametrize("batch", [2, 3, 8, 12])
def test_batches_that_divide_the_layers_or_are_divided(batch: int) -> None:
    module = nn.GRU(N, H, 3, bidirectional=True)
    assert state_views(module, lambda h: h.view(batch, -1), batch) == [
        ("state", [6, batch, H], [batch, 6 * H])
    ]


def test_the_cell_state_too() -> None:
    step = Step()
    _, (_, c) = step.call(nn.LSTM(N, H, 2), torch.randn(T, B, N))
    assert step.found(c.view(B, -1)) == [("state", [2, B, H], [B, 2 * H])]


@pytest.mark.parametrize("kind", FUSED)
def test_sound_states(kind: Any) -> None:
    module = kind(N, H, 2, bidirectional=True)
    sound: list[Callable[[torch.Tensor], torch.Tensor]] = [
        lambda h: h.transpose(0, 1).reshape(B + 1, -1),
        lambda h: h.permute(1, 0, 2).contiguous().view(B + 1, -1),
        lambda h: h.permute(1, 0, 2).reshape(B + 1, 2, 2 * H),
        lambda h: torch.cat((h[-2], h[-1]), 1),
        lambda h: torch.cat((h[-2], h[-1]), 1).view(B + 1, -1),
        lambda h: torch.cat([h[0:2:2], h[1:2:2]], 2).squeeze(0).view(B + 1, 2 * H),
        lambda h: h.view(2, 2, B + 1, H)[-1].transpose(0, 1).reshape(B + 1, -1),
        lambda h: h.view(2, 2, B + 1, H)[-1].sum(0),
        lambda h: h[-1].view(B + 1, -1),
        lambda h: h[-1:].view(B + 1, -1),
        lambda h: h.reshape(4 * (B + 1), H),
        nn.Linear(H, 2),
        lambda h: h.mean(0).view(B + 1, H),
        lambda h: h.flatten(),
        lambda h: h.unsqueeze(0).squeeze(0).swapaxes(0, 1).flatten(1),
    ]
    for read in sound:
        assert state_views(module, read, B + 1) == []


def test_one_layer_or_one_row_cannot_be_mixed() -> None:
    assert state_views(nn.LSTM(N, H), lambda h: h.view(B, -1)) == []
    assert state_views(nn.LSTM(N, H, 2), lambda h: h.view(1, -1), 1) == []
    assert state_views(nn.LSTM(N, H), lambda h: h.squeeze(0).view(B, H)) == []


@pytest.mark.parametrize("bidirectional", [False, True])
def test_states_of_packed_sequences(bidirectional: bool) -> None:
    module = nn.GRU(N, H, 2, bidirectional=bidirectional)
    for read, expected in (
        (lambda h: h.view(B + 3, -1), 1),
        (lambda h: h.transpose(0, 1).reshape(B + 3, -1), 0),
    ):
        step = Step()
        packed = pack_padded_sequence(
            torch.randn(T, B + 3, N), torch.tensor([2, 6, 4, 3, 1, 1, 5]), enforce_sorted=False
        )
        assert len(step.found(read(final(step.call(module, packed))))) == expected


def test_an_encoders_state_for_a_decoder() -> None:
    encoder, decoder = nn.GRU(N, H, bidirectional=True), nn.GRU(N, 2 * H)
    for hand, expected in (
        (lambda h: h.view(1, B, -1), [("state", [2, B, H], [1, B, 2 * H])]),
        (lambda h: h.transpose(0, 1).reshape(1, B, -1), []),
    ):
        step = Step()
        _, h = step.call(encoder, torch.randn(T, B, N))
        out, _ = step.call(decoder, torch.randn(T + 2, B, N), hand(h), number=1)
        assert step.found(out) == expected
        assert all(record["module"] == 0 for record in step.records.all)


# ---------------------------------------------------------------- outputs


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("kind", FUSED)
@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"bidirectional": True}], ids=str)
def test_outputs_with_their_axes_exchanged(kind: Any, options: dict[str, Any], batch_first: bool) -> None:
    width = H * (1 + options.get("bidirectional", False))
    module, head = kind(N, H, batch_first=batch_first, **options), nn.Linear(width, 2)
    a, b = (B, T) if batch_first else (T, B)
    for read, shape, viewed in (
        (lambda out: out.contiguous().view(b, a, -1), [a, b, width], [b, a, width]),
        (lambda out: out.reshape(b, -1), [a, b, width], [b, a * width]),
        (lambda out: head(out).view(b, a, 2), [a, b, 2], [b, a, 2]),
        (lambda out: head(out.reshape(-1, width)).view(b, a, 2), [a * b, 2], [b, a, 2]),
    ):
        assert output_views(module, read) == [("output", shape, viewed)]


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("kind", FUSED)
def test_sound_outputs(kind: Any, batch_first: bool) -> None:
    module, head = kind(N, H, batch_first=batch_first), nn.Linear(H, 2)
    a, b = (B, T) if batch_first else (T, B)
    sound: list[Callable[[torch.Tensor], torch.Tensor]] = [
        lambda out: out.reshape(-1, H),
        lambda out: head(out.reshape(-1, H)).view(a, b, 2),
        lambda out: head(out).view(-1, 2),
        lambda out: out.permute(1, 0, 2).reshape(b, -1),
        lambda out: out.transpose(0, 1).contiguous().view(b, a * H),
        lambda out: out.reshape(a, -1),
        lambda out: out.reshape(a, b, H, 1),
        lambda out: out.reshape(a, b // 2, 2 * H),
        lambda out: out[:, -1].view(a, H),
        lambda out: out[-1].view(b, -1),
        lambda out: out.mean(1).view(-1, H),
        lambda out: out.transpose(1, 2).reshape(a, H, b),
        lambda out: nn.functional.max_pool1d(out.permute(1, 2, 0), a).view(b, -1),
        lambda out: out.sum(2).t().reshape(b, -1),
        lambda out: (out @ torch.randn(H, b)).reshape(a, b, b),
    ]
    for read in sound:
        assert output_views(module, read) == []


def _compared(target: torch.Tensor, batch: torch.Tensor | None) -> list[Any]:
    step = Step()
    output, _ = step.call(nn.GRU(N, H), torch.randn(T, B, N), batch=batch)
    loss = nn.functional.mse_loss(output.view(B, -1).tanh(), target)
    step.mixings.on_backward(1, loss)
    step.mixings.finish()
    return step.records.of("mixing")


def test_numbers_held_against_a_target_that_is_viewed_alike() -> None:
    series = torch.randn(3 * T, B, H)
    for batch in (None, torch.randn(B, T, N)):
        assert _compared(series[1 : T + 1].view(B, -1), batch) == []
        assert _compared(torch.randn(B, T, H).view(B, -1), batch), "of samples, viewed by samples"
    assert _compared(torch.randn(T * H, B).t().contiguous(), torch.randn(B, T, N)), "as a loader gives it"
    assert _compared(series[1 : T + 1].reshape(B, -1).clone(), None) == [], "how it lies is not known"


def test_a_layer_behind_a_mixing_view_learns_from_it() -> None:
    step, head = Step(), nn.Linear(T * H, 1)
    output, _ = step.call(nn.GRU(N, H), torch.randn(T, B, N))
    loss = nn.functional.mse_loss(head(output.view(B, -1)), torch.randn(T, B, 1)[0].view(B, 1))
    step.mixings.on_backward(1, loss)
    step.mixings.finish()
    assert len(step.records.of("mixing")) == 1


def test_as_many_steps_as_rows_cannot_be_told() -> None:
    assert output_views(nn.GRU(N, H), lambda out: out.view(T, T, H), batch=T) == []


@pytest.mark.parametrize("batch_first", [False, True])
def test_outputs_padded_from_packed(batch_first: bool) -> None:
    module = nn.GRU(N, H)
    a, b = (B, T) if batch_first else (T, B)
    for read, expected in (
        (lambda out: out.reshape(b, a, H), [("output", [a, b, H], [b, a, H])]),
        (lambda out: out.reshape(-1, H), []),
        (lambda out: out.transpose(0, 1).reshape(b, -1), []),
    ):
        step = Step()
        packed = pack_padded_sequence(torch.randn(T, B, N), torch.tensor([6, 4, 4, 1]))
        padded, _ = pad_packed_sequence(step.call(module, packed)[0], batch_first=batch_first)
        assert step.found(read(padded)) == expected


def test_outputs_gathered_in_a_loop() -> None:
    step, cell, out = Step(), nn.GRUCell(N, H), torch.zeros(T, B, H)
    h = torch.zeros(B, H)
    for t in range(T):
        h = step.call(cell, torch.randn(B, N), h)
        out[t] = h
    assert step.found(out.view(-1, H)) == []


# ---------------------------------------------------------------- inputs


@pytest.mark.parametrize("kind", [*FUSED, nn.GRUCell])
def test_a_view_of_the_loaders_batch(kind: Any) -> None:
    batch = torch.randn(B, T, N)
    cell = kind is nn.GRUCell
    for given, mixes in (
        (batch.view(T, B, N), True),
        (batch.reshape(T, B, -1).double().float(), True),
        (batch.transpose(0, 1), False),
        (batch.transpose(0, 1).contiguous(), False),
        (batch.clone(), False),
        (batch.view(T, B, N) * 2, True),
        (batch.view(T, B, N).square(), False),  # no longer the batch: not known
    ):
        step = Step()
        x = given[0] if cell else given
        out = step.call(kind(N, H), x, batch=batch)
        expected = [("input", [B, T, N], [T, B, N])] if mixes and not cell else []
        assert step.found(out if cell else out[0]) == expected


def test_a_view_of_a_batch_that_no_loader_gave() -> None:
    series, wide = torch.randn(B, T, N), torch.randn(B, 2 * B * N)
    flat = torch.randn(B * T * N)
    gru, first = nn.GRU(N, H), nn.GRU(N, H, batch_first=True)
    for module, given, shapes in (
        (gru, series.view(T, B, N), ([B, T, N], [T, B, N])),
        (gru, series.reshape(T, B, N), ([B, T, N], [T, B, N])),
        (first, torch.randn(T, B, N).view(B, T, N), ([T, B, N], [B, T, N])),
        (gru, series.flatten(1).view(T, B, N), ([B, T, N], [T, B, N])),
        (gru, series.transpose(0, 1), None),
        (gru, series.transpose(0, 1).contiguous(), None),
        (gru, flat.view(T, B, N), None),
        (gru, flat.view(B, T, N).view(T, B, N), None),  # what the numbers meant is not known
        (gru, torch.zeros(B, T, N).view(T, B, N), None),
        (first, wide.view(2 * B, B, N), None),  # windows of each sample
        (gru, torch.randn(40, T, N)[:B].transpose(0, 1), None),
        (gru, torch.randn(T, N).view(T, 1, N), None),
    ):
        step = Step()
        assert step.found(step.call(module, given)[0]) == ([("input", *shapes)] if shapes else [])


def test_the_line_of_a_view_without_a_gradient_is_found() -> None:
    records = Records()
    mixings = Mixings(records, Listening())
    gru = nn.GRU(N, H)
    line = 0
    for look in (1, 3):
        step = Step(mixings)
        series = torch.randn(B, T, N)
        line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
        given = series.view(T, B, N)
        mixings.on_backward(look, step.call(gru, given)[0].sum())
        mixings.ended()
    first, second = records.of("mixing")
    assert "location" not in first
    assert second["location"]["line"] == line


def test_pixels_as_steps() -> None:
    batch = torch.rand(B, T * N)
    for given, module, mixes in (
        (batch.view(T, B, N), nn.GRU(N, H), True),
        (batch.view(B, T, N), nn.GRU(N, H, batch_first=True), False),
        (batch.view(B, T, N).transpose(0, 1), nn.GRU(N, H), False),
    ):
        step = Step()
        assert bool(step.found(step.call(module, given, batch=batch)[0])) is mixes


def test_windows_of_each_sample_are_sound() -> None:
    batch = torch.rand(B, 2 * B * N)
    step = Step()
    out, _ = step.call(nn.GRU(N, H, batch_first=True), batch.view(2 * B, B, N), batch=batch)
    assert step.found(out) == []


def test_constant_batches_tell_nothing() -> None:
    batch = torch.zeros(B, T, N)
    step = Step()
    assert step.found(step.call(nn.GRU(N, H), batch.view(T, B, N), batch=batch)[0]) == []


def test_embedded_tokens() -> None:
    batch, embedding = torch.randint(0, 50, (B, T)), nn.Embedding(50, N)
    for given, expected in (
        (embedding(batch).view(T, B, N), [("input", [B, T, N], [T, B, N])]),
        (nn.functional.dropout(embedding(batch)).view(T, B, -1), [("input", [B, T, N], [T, B, N])]),
        (embedding(batch.view(T, B)), [("input", [B, T], [T, B])]),
        (embedding(batch.t()), []),
        (embedding(batch.t().contiguous()), []),
        (embedding(batch).transpose(0, 1), []),
        (embedding(batch).permute(1, 0, 2).contiguous().view(T, B, N), []),
    ):
        step = Step()
        assert step.found(step.call(nn.LSTM(N, H), given, batch=batch)[0]) == expected
    step = Step()
    assert step.found(step.call(nn.LSTM(N, H), embedding(batch).view(T, B, N))[0]) != []


def test_packed_embeddings() -> None:
    embedding, lengths = nn.Embedding(50, N), torch.tensor([6, 4, 4, 1])
    tokens = torch.randint(0, 50, (B, T))
    for x, count in ((embedding(tokens).view(T, B, N), 1), (embedding(tokens).transpose(0, 1), 0)):
        step = Step()
        _, h = step.call(nn.GRU(N, H), pack_padded_sequence(x, lengths), batch=tokens)
        assert len(step.found(h)) == count


# ---------------------------------------------------------------- records


def test_the_line_is_found_at_the_next_look() -> None:
    records = Records()
    mixings = Mixings(records, Listening())
    module = nn.LSTM(N, H, bidirectional=True)
    methods = {name: vars(torch.Tensor).get(name) for name in ("view", "reshape", "flatten", "unflatten")}
    line = 0
    for look, rows in ((1, B), (3, B - 1), (8, B)):
        step = Step(mixings)
        h = final(step.call(module, torch.randn(T, rows, N)))
        line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
        mixed = h.view(rows, -1)
        loss = mixed.sum() + nn.Linear(H, 1)(h).view(2, -1).sum()
        mixings.on_backward(look, loss)
        loss.backward()
        mixings.ended()
    first, second = records.of("mixing")
    assert (first["step"], first["shape"], "location" in first) == (1, [2, B, H], False)
    assert (second["step"], second["shape"]) == (3, [2, B - 1, H])
    location = Mixing(**second).location
    assert location is not None
    assert (location.line, location.file.endswith("test_mixing.py")) == (line, True)
    assert methods == {name: vars(torch.Tensor).get(name) for name in methods}


def test_views_are_left_alone_when_nothing_more_is_looked_at() -> None:
    mixings = Mixings(Records(), Listening())
    before = vars(torch.Tensor).get("view")
    step = Step(mixings)
    h = final(step.call(nn.GRU(N, H, 2), torch.randn(T, B, N)))
    mixings.on_backward(1, h.view(B, -1).sum())
    assert vars(torch.Tensor).get("view") is not before
    assert torch.arange(6).view(2, 3).tolist() == torch.arange(6).reshape((2, 3)).tolist()
    with pytest.raises(RuntimeError, match="invalid"):
        torch.arange(6).view(4, 3)
    mixings.finish()
    assert vars(torch.Tensor).get("view") is before


def test_one_record_for_each_module_and_kind() -> None:
    step = Step()
    module = nn.GRU(N, H, 2)
    outputs = [step.call(module, torch.randn(T, B, N)) for _ in range(3)]
    loss = torch.stack([out[1].view(B, -1).sum() + out[0].view(B, T, H).sum() for out in outputs])
    assert sorted(what for what, _, _ in step.found(loss)) == ["output", "state"]


def test_the_inside_of_a_recurrence_is_not_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn_doctor.capture.probe.sensors.mixing._MOST_NODES", 40)
    step, embedding = Step(), nn.Embedding(50, N)
    given = embedding(torch.randint(0, 50, (B, 30))).view(30, B, N)
    out, h = step.call(nn.GRU(N, H, 2), given)
    assert sorted(what for what, _, _ in step.found(out.sum() + h.view(B, -1))) == ["input", "state"]


def test_a_backward_pass_without_a_call_finds_nothing() -> None:
    assert Step().found(torch.ones(2, requires_grad=True)) == []


class _Mark(torch.autograd.Function):
    """A node of the graph that can be referred to weakly."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return gradients[0]


@pytest.mark.parametrize("backward", [True, False])
@pytest.mark.parametrize("kind", [*FUSED, nn.GRUCell])
def test_no_graph_outlives_its_step(kind: Any, backward: bool) -> None:
    step = Step()
    given = _Mark.apply(torch.randn((B, N) if kind is nn.GRUCell else (T, B, N), requires_grad=True))
    mark = weakref.ref(given.grad_fn)
    out = step.call(kind(N, H), given)
    if backward:
        step.mixings.on_backward(1, (out if kind is nn.GRUCell else out[0]).sum())
    else:
        del out
        gc.collect()
        assert mark() is not None
        step.mixings.ended()
    out = given = None
    gc.collect()
    assert mark() is None


# ---------------------------------------------------------------- packed and not


def _flat(states: torch.Tensor) -> torch.Tensor:
    return states.view(B, -1)


def _moved(states: torch.Tensor) -> torch.Tensor:
    return states.transpose(0, 1).reshape(B, -1)


def _recounted(output: torch.Tensor) -> torch.Tensor:
    return output.reshape(B, T, -1).mean(1)


def _averaged(output: torch.Tensor) -> torch.Tensor:
    return output.transpose(0, 1).mean(1)


class Readout(nn.Module):
    """A layer of two directions over sequences that are packed, or as they are, and how it is read out."""

    def __init__(self, kind: Any, packs: bool, state: Any = None, output: Any = None) -> None:
        super().__init__()
        self.rnn, self.packs, self.state, self.output = kind(N, H, bidirectional=True), packs, state, output
        self.head = nn.Linear(2 * H, 2)

    def forward(self, xs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        given = pack_padded_sequence(xs, lengths, enforce_sorted=False) if self.packs else xs
        output, last = self.rnn(given)
        if self.packs:
            output = pad_packed_sequence(output, total_length=T)[0]
        h = last[0] if isinstance(last, tuple) else last
        read: torch.Tensor = self.head(self.state(h) if self.state else self.output(output))
        return read


def of_training(network: Readout, lengths: list[int]) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    """What a run of a few updates records of mixed samples, and that of nothing else does it go wrong."""
    torch.manual_seed(0)
    with observed() as records:
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
        for _ in range(3):
            optimizer.zero_grad()
            network(torch.randn(T, B, N), torch.tensor(lengths)).square().mean().backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    found = [Mixing(**record) for record in records.of("mixing")]
    return sorted({(each.what, each.shape, each.viewed) for each in found})


@pytest.mark.parametrize("lengths", [[T] * B, [6, 4, 1, 6]], ids=["equal", "unequal"])
@pytest.mark.parametrize("kind", FUSED)
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"state": _flat}, [("state", (2, B, H), (B, 2 * H))]),
        ({"state": _moved}, []),
        ({"output": _recounted}, [("output", (T, B, 2 * H), (B, T, 2 * H))]),
        ({"output": _averaged}, []),
    ],
    ids=["state mixed", "state moved", "output mixed", "output moved"],
)
def test_a_packed_run_is_judged_as_one_that_is_not(
    how: dict[str, Any], expected: list[Any], kind: Any, lengths: list[int]
) -> None:
    packed, plain = (of_training(Readout(kind, packs, **how), lengths) for packs in (True, False))
    assert plain == expected
    assert packed == plain


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("read", ["view", "transpose"])
def test_scores_whose_classes_are_viewed_to_the_second_axis(read: str, packed: bool) -> None:
    """As cross entropy wants them; a padded output is made time first, and transposed."""
    step, gru, head = Step(), nn.GRU(N, H, batch_first=True), nn.Linear(H, 5)
    given = torch.randn(B, T, N)
    lengths = torch.full((B,), T)
    if packed:
        out = step.call(gru, pack_padded_sequence(given, lengths, batch_first=True))[0]
        out = pad_packed_sequence(out, batch_first=True)[0]
    else:
        out = step.call(gru, given)[0]
    scores = head(out)
    scores = scores.view(B, 5, T) if read == "view" else scores.transpose(1, 2)
    assert step.found(scores) == ([("output", [B, T, 5], [B, 5, T])] if read == "view" else [])
