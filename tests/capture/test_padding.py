"""How far sequences are padded, whether the loss reads the padding, and what it reads of the reverse direction."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnn_doctor.capture.probe.origins import Origins
from rnn_doctor.capture.probe.sensors.padded import Padded, padding_of
from rnn_doctor.capture.probe.sensors.padding import Paddings, state_left
from rnn_doctor.capture.probe.sensors.read_sites import ReadSites
from rnn_doctor.capture.probe.sensors.readings import Reading, reverse_last_share
from rnn_doctor.schema.recurrence import Padding
from tests.capture.records import Records

T, B, N, H = 10, 6, 4, 5
LENGTHS = [10, 7, 4, 8, 10, 2]
FUSED = [nn.RNN, nn.GRU, nn.LSTM]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def padded(lengths: list[int] | None = None, filler: float = 0.0) -> torch.Tensor:
    """Shapes: (T, B, N)."""
    x = torch.randn(T, B, N)
    for row, length in enumerate(lengths or LENGTHS):
        x[length:, row] = filler
    return x


def tokens(lengths: list[int] | None = None) -> torch.Tensor:
    """Indices padded with 0. Shapes: (B, T)."""
    x = torch.randint(1, 50, (B, T))
    for row, length in enumerate(lengths or LENGTHS):
        x[row, length:] = 0
    return x


def record(module: Any, given: Any, read: Callable[[Any], torch.Tensor]) -> dict[str, Any]:
    records = Records()
    paddings = Paddings(records, ReadSites(Origins()))
    output = module(given)
    paddings.on_call(3, module, given, output)
    read(output).backward()
    paddings.write(7)
    (found,) = records.of("padding")
    Padding(**found)
    assert (found["step"], found["module"]) == (7, 3)
    return found


def ends(given: Any, batch_first: bool = False) -> list[int]:
    found = padding_of(given, batch_first)
    assert found is not None
    return found.ends


# ---------------------------------------------------------------- what is padding


@pytest.mark.parametrize("filler", [0.0, 7.0])
@pytest.mark.parametrize("batch_first", [False, True])
def test_rows_that_end_in_the_same_vector(batch_first: bool, filler: float) -> None:
    x = padded(filler=filler)
    assert ends(x.transpose(0, 1) if batch_first else x, batch_first) == LENGTHS
    found = padding_of(x, False)
    assert found is not None
    assert found.padded_share == pytest.approx(4 / 6)
    assert found.padding == pytest.approx(1 - sum(LENGTHS) / (T * B))


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("padding_idx", [0, None])
@pytest.mark.parametrize("batch_first", [False, True])
def test_embedded_tokens(batch_first: bool, padding_idx: int | None, dropout: float) -> None:
    embedding = nn.Embedding(50, N, padding_idx=padding_idx)
    x = nn.functional.dropout(embedding(tokens()), dropout)
    assert ends(x if batch_first else x.transpose(0, 1), batch_first) == LENGTHS


def test_frozen_embeddings() -> None:
    embedding = nn.Embedding(50, N).requires_grad_(False)
    assert ends(embedding(tokens()), True) == LENGTHS


def test_one_step_of_padding_is_too_little() -> None:
    assert ends(padded([10, 9, 9, 10, 10, 10])) == [T] * B
    assert ends(padded([10, 9, 8, 10, 8, 10])) == [10, 10, 8, 10, 8, 10]


def test_what_all_rows_share_does_not_count() -> None:
    assert ends(padded([5] * B)) == [T] * B
    assert ends(padded([6, 4, 5, 6, 3, 6])) == [10, 8, 9, 10, 7, 10]


def last_step(out: Any) -> torch.Tensor:
    return out[0][-1].square().sum()  # type: ignore[no-any-return]


def every_step(out: Any) -> torch.Tensor:
    return out[0].square().sum()  # type: ignore[no-any-return]


UNEVEN = [4, 6, 3, 5, 2, 6]
"""All padded to 10, which is 4 more than the longest."""


@pytest.mark.parametrize("kind", FUSED)
def test_padding_to_a_fixed_length(kind: Any) -> None:
    found = record(kind(N, H), padded(UNEVEN), last_step)
    assert found["padded_share"] == 1.0
    assert found["padding"] == pytest.approx(1 - sum(UNEVEN) / (B * T))
    assert found["read_share"] == pytest.approx(1.0)
    assert found["state_left"] == pytest.approx(
        state_left(Padded([*range(B)], UNEVEN, T), *_run(kind, UNEVEN))
    )


def _run(kind: Any, lengths: list[int]) -> tuple[Any, torch.Tensor]:
    """The same network and input once more."""
    torch.manual_seed(0)
    module = kind(N, H)
    return module, module(padded(lengths))[0]


@pytest.mark.parametrize(
    ("lengths", "read", "expected"),
    [
        (UNEVEN, every_step, 4 / 6),  # answers come during what all share
        ([6] * B, last_step, 0.0),  # a pause of one length
        ([6, 6, 6, 6, 6, 3], last_step, 1 / 6),  # one row that ends early
    ],
)
def test_what_all_rows_share_may_be_a_pause(
    lengths: list[int], read: Callable[[Any], torch.Tensor], expected: float
) -> None:
    found = record(nn.GRU(N, H), padded(lengths), read)
    assert found["padded_share"] == pytest.approx(expected)


def test_lengths_that_take_in_padding_to_a_fixed_length() -> None:
    whole = pack_padded_sequence(padded(UNEVEN), torch.full((B,), T))
    found = record(nn.LSTM(N, H), whole, lambda out: out[1][0].sum())
    assert (found["padded_share"], found["read_share"]) == (1.0, pytest.approx(1.0))


def test_sound_inputs() -> None:
    blanks = torch.zeros(T, B, N)  # the copy task: symbols, silence
    blanks[: T // 2] = torch.randn(T // 2, B, N)
    left = padded().flip(0)
    repeats = padded([T] * B)  # each row stands still at a value of its own
    for row in range(3):
        repeats[-row - 2 :, row] = repeats[-1, row]
    for x in (torch.randn(T, B, N), torch.ones(T, B, N), blanks, left, repeats):
        assert ends(x) == [T] * B


def test_rows_that_end_in_what_also_occurs_within_them_cannot_be_told_from_padded_ones() -> None:
    image = torch.zeros(T, B, N)  # rows of pixels, blank above and below
    for row in range(B):
        image[2 : 9 - row % 3, row] = torch.rand(7 - row % 3, N)
    bits = torch.ones(T, B, 1)
    bits[1] = 0
    bits[-2:, :3] = 0
    words = padded()
    words[0, 0] = words[-1, -1]  # the padding has the number of a word
    for x in (image, bits, words):
        assert padding_of(x, False) is None


@pytest.mark.parametrize("shape", [(T, N), (2, B, N), (T, 1, N)])
def test_what_has_no_padding_to_find(shape: tuple[int, ...]) -> None:
    assert padding_of(torch.zeros(shape), False) is None


def test_few_rows_of_many_are_looked_at() -> None:
    x = torch.randn(T, 100, N)
    x[4:, ::4] = 0
    found = padding_of(x, False)
    assert found is not None
    assert found.rows == list(range(0, 100, 4))
    assert found.ends == [T] * 25  # all of them end alike
    x[4:, 0] = torch.randn(6, N)
    found = padding_of(x, False)
    assert found is not None
    assert found.ends == [T] + [4] * 24


# ---------------------------------------------------------------- who reads it


@pytest.mark.parametrize("kind", FUSED)
@pytest.mark.parametrize("batch_first", [False, True])
def test_the_last_step_reads_the_padding(kind: Any, batch_first: bool) -> None:
    module = kind(N, H, batch_first=batch_first)
    x = padded().transpose(0, 1) if batch_first else padded()

    def by_output(out: Any) -> Any:
        return (out[0][:, -1] if batch_first else out[0][-1]).sum()

    def by_state(out: Any) -> Any:
        return (out[1][0] if kind is nn.LSTM else out[1])[-1].sum()

    for read in (by_output, by_state):
        found = record(module, x, read)
        assert found["read_share"] == pytest.approx(4 / 6)
        assert found["padded_share"] == pytest.approx(4 / 6)
        assert (found["packed"], found["rows"]) == (False, B)
        assert "unread_share" not in found


@pytest.mark.parametrize("kind", FUSED)
def test_a_loss_that_leaves_the_padding_out(kind: Any) -> None:
    module, index = kind(N, H), torch.tensor(LENGTHS) - 1
    valid = (torch.arange(T).unsqueeze(1) < torch.tensor(LENGTHS)).unsqueeze(2)
    target = torch.where(valid.squeeze(2), torch.randint(0, H, (T, B)), -100)
    reads: list[Callable[[Any], torch.Tensor]] = [
        lambda out: out[0][index, torch.arange(B)].sum(),
        lambda out: nn.functional.cross_entropy(out[0].reshape(-1, H), target.reshape(-1)),
        lambda out: (out[0] * valid).sum(),
        lambda out: out[0].masked_fill(~valid, -1e9).amax(0).sum(),
    ]
    for read in reads:
        assert record(module, padded(), read)["read_share"] == 0.0


def test_a_mean_over_all_steps_reads_some_of_it() -> None:
    found = record(nn.GRU(N, H), padded(), lambda out: out[0].sum())
    assert found["read_share"] == pytest.approx(1 - sum(LENGTHS) / (T * B))
    assert found["padding"] == pytest.approx(found["read_share"])


def test_two_directions() -> None:
    module = nn.LSTM(N, H, bidirectional=True)
    found = record(module, padded(), lambda out: torch.cat((out[1][0][-2], out[1][0][-1]), 1).sum())
    assert found["read_share"] == pytest.approx(4 / 6)


def test_without_padding_nothing_of_it_is_read() -> None:
    found = record(nn.GRU(N, H), torch.randn(T, B, N), lambda out: out[0][-1].sum())
    assert (found["padded_share"], found["padding"], found["read_share"]) == (0.0, 0.0, 0.0)


def test_nothing_read() -> None:
    found = record(nn.GRU(N, H), padded(), lambda out: torch.zeros(1, requires_grad=True).sum())
    assert "read_share" not in found


@pytest.mark.parametrize("lengths", [LENGTHS, sorted(LENGTHS, reverse=True)], ids=["unsorted", "sorted"])
@pytest.mark.parametrize("kind", FUSED)
def test_packed_sequences(kind: Any, lengths: list[int]) -> None:
    module = kind(N, H)

    def packed() -> Any:
        return pack_padded_sequence(padded(lengths), torch.tensor(lengths), enforce_sorted=False)

    def by_last_step(out: Any) -> torch.Tensor:  # zero for all but the two longest
        return pad_packed_sequence(out[0], batch_first=True)[0][:, -1].sum()

    def by_own_last_step(out: Any) -> torch.Tensor:
        return pad_packed_sequence(out[0])[0][torch.tensor(lengths) - 1, torch.arange(B)].sum()

    def by_state(out: Any) -> Any:
        return (out[1][0] if kind is nn.LSTM else out[1])[-1].sum()

    found = record(module, packed(), by_last_step)
    assert (found["packed"], found["unread_share"]) == (True, pytest.approx(4 / 6))
    assert found["padding"] == pytest.approx(1 - sum(lengths) / (T * B))
    assert "read_share" not in found
    for read in (by_own_last_step, by_state, lambda out: pad_packed_sequence(out[0])[0].sum()):
        assert record(module, packed(), read)["unread_share"] == 0.0
    assert "unread_share" not in record(
        module, packed(), lambda out: torch.zeros(1, requires_grad=True).sum()
    )


def test_cells_and_later_calls_are_left_out() -> None:
    records = Records()
    paddings = Paddings(records, ReadSites(Origins()))
    cell, module, x = nn.GRUCell(N, H), nn.GRU(N, H), padded()
    paddings.on_call(0, cell, x[0], cell(x[0]))
    first, second = module(x), module(torch.randn(T, B, N))
    paddings.on_call(1, module, x, first)
    paddings.on_call(1, module, x, second)
    (first[0][-1].sum() + second[0].sum()).backward()
    paddings.write(1)
    (found,) = records.of("padding")
    assert (found["module"], found["read_share"]) == (1, pytest.approx(4 / 6))
    paddings.write(2)
    assert len(records.of("padding")) == 1


def test_a_failure_within_the_backward_pass_waits_for_the_end_of_the_step() -> None:
    paddings = Paddings(Records(), ReadSites(Origins()))
    module, x = nn.GRU(N, H), padded()
    output = module(x)
    paddings.on_call(0, module, x, output)
    ((_, reading, _),) = paddings._calls.values()
    reading.output = torch.zeros(3, 17)  # what follows cannot be added to it
    output[0].sum().backward()
    with pytest.raises(RuntimeError, match="size of tensor"):
        paddings.write(1)


# ---------------------------------------------------------------- what is left of the state


ROWS = 40
ENDS = [3 + k % 5 for k in range(ROWS)]


def states(last: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """Noise, with what is made of the states before the padding at the last step. Shape: (T, ROWS, H)."""
    output = torch.randn(T, ROWS, H)
    output[-1] = last(output[torch.tensor(ENDS) - 1, torch.arange(ROWS)])
    return output


def left(output: torch.Tensor, ends: list[int] | None = None, **options: Any) -> float | None:
    return state_left(Padded(list(range(ROWS)), ends or ENDS, T), nn.GRU(N, H, **options), output)


def test_a_state_that_waits_is_all_left() -> None:
    assert left(states(lambda h: h)) == pytest.approx(1.0)
    assert left(states(lambda h: 2 - 0.1 * h)) == pytest.approx(1.0)  # a head can tell it as well
    assert left(states(lambda h: h).transpose(0, 1), batch_first=True) == pytest.approx(1.0)


def test_a_state_that_is_run_over_is_not() -> None:
    gone = left(states(torch.randn_like))
    half = left(states(lambda h: h + torch.randn_like(h)))
    assert gone is not None
    assert gone < 0.1
    assert half == pytest.approx(0.5, abs=0.15)
    assert left(states(torch.zeros_like)) == 0


def test_units_count_by_what_they_tell() -> None:
    output = states(lambda h: torch.cat([h[:, :1], torch.randn(ROWS, H - 1)], 1))
    output[..., 0] *= 100
    found = left(output)
    assert found is not None
    assert found > 0.95


def test_of_two_directions_the_forward_one_is_looked_at() -> None:
    forward = states(lambda h: h)
    both = torch.cat([forward, torch.randn(T, ROWS, H)], 2)
    assert left(both, bidirectional=True) == pytest.approx(1.0)


def test_nothing_is_told_of_a_single_padded_row() -> None:
    assert left(states(lambda h: h), [3] + [T] * (ROWS - 1)) is None
    assert left(states(lambda h: h), [T] * ROWS) is None
    assert left(torch.ones(T, ROWS, H)) is None


def test_what_is_left_is_written_at_each_sample() -> None:
    found = record(nn.GRU(N, H), padded(), lambda output: output[0][-1].sum())
    assert 0 <= found["state_left"] <= 1
    packed = pack_padded_sequence(padded(), torch.tensor(LENGTHS), enforce_sorted=False)
    assert "state_left" not in record(nn.GRU(N, H), packed, lambda output: output[0].data.sum())


# ---------------------------------------------------------------- the reverse direction


def reverse(module: Any, given: Any, read: Callable[[Any], torch.Tensor]) -> float | None:
    output = module(given)
    reading = Reading(module, output)
    reading.watch(output)
    read(output).backward()
    assert reading.error is None
    return reverse_last_share(reading)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", FUSED)
@pytest.mark.parametrize("batch_first", [False, True])
def test_what_is_read_of_the_reverse_direction(kind: Any, layers: int, batch_first: bool) -> None:
    module = kind(N, H, layers, bidirectional=True, batch_first=batch_first)
    x = torch.randn((B, T, N) if batch_first else (T, B, N))
    by_time = (lambda out: out[0].transpose(0, 1)) if batch_first else (lambda out: out[0])
    state = (lambda out: out[1][0]) if kind is nn.LSTM else (lambda out: out[1])
    assert reverse(module, x, lambda out: by_time(out)[-1].sum()) == 1.0
    assert reverse(module, x, lambda out: by_time(out).sum()) == pytest.approx(1 / T)
    assert reverse(module, x, lambda out: by_time(out)[0].sum()) == 0.0
    assert reverse(module, x, lambda out: state(out)[-2:].sum()) == 0.0
    assert reverse(module, x, lambda out: state(out)[-2].sum()) is None
    assert reverse(module, x, lambda out: by_time(out)[-1, :, :H].sum()) is None
    both = reverse(module, x, lambda out: by_time(out)[-1].sum() + state(out)[-1].sum())
    assert both == pytest.approx(0.5)


@pytest.mark.parametrize("sort", [False, True])
def test_the_reverse_direction_of_packed_sequences(sort: bool) -> None:
    lengths = torch.tensor(sorted(LENGTHS, reverse=True) if sort else LENGTHS)
    module = nn.GRU(N, H, bidirectional=True)
    packed = pack_padded_sequence(torch.randn(T, B, N), lengths, enforce_sorted=False)

    def at(steps: torch.Tensor) -> Callable[[Any], torch.Tensor]:
        return lambda out: pad_packed_sequence(out[0])[0][steps, torch.arange(B)].sum()

    assert reverse(module, packed, at(lengths - 1)) == 1.0
    assert reverse(module, packed, at(lengths - 2)) == 0.0
    assert reverse(module, packed, lambda out: out[1][-1].sum()) == 0.0
    assert reverse(module, packed, lambda out: pad_packed_sequence(out[0])[0].sum()) == pytest.approx(
        B / sum(LENGTHS)
    )


def test_unbatched_and_single_steps() -> None:
    module = nn.GRU(N, H, bidirectional=True)
    assert reverse(module, torch.randn(T, N), lambda out: out[0][-1].sum()) == 1.0
    assert reverse(module, torch.randn(T, N), lambda out: out[1][-1].sum()) == 0.0
    assert reverse(module, torch.randn(1, B, N), lambda out: out[0][-1].sum()) is None
    assert reverse(nn.GRU(N, H), torch.randn(T, N), lambda out: out[0][-1].sum()) is None
