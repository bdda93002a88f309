"""Whether a maximum or a mean over time takes in padding, and padding that lengths take in."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnn_doctor.capture.probe.sensors.padded import padding_of
from tests.capture.test_padding import FUSED, LENGTHS, B, H, N, T, padded, record, tokens

VALID = (torch.arange(T).unsqueeze(1) < torch.tensor(LENGTHS)).unsqueeze(2)
SHORT = [length for length in LENGTHS if length < T]
Read = Callable[[Any], torch.Tensor]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def packed(lengths: list[int], given: torch.Tensor | None = None) -> PackedSequence:
    """Padded as LENGTHS say, and packed by other lengths. Shapes: (T, B, N)."""
    x = padded() if given is None else given
    return pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)


# ---------------------------------------------------------------- a maximum, a mean


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("kind", FUSED)
def test_a_maximum_over_the_padding(kind: Any, both: bool) -> None:
    module = kind(N, H, bidirectional=both)
    x = padded()
    out = module(x)[0].detach()
    won = out[:, [k for k, length in enumerate(LENGTHS) if length < T]].argmax(0) >= torch.tensor(
        SHORT
    ).unsqueeze(1)
    found = record(module, x, lambda out: (out[0].amax(0) * torch.rand(B, out[0].shape[-1])).sum())
    assert found["pooling"] == "maximum"
    assert found["pooled_share"] == pytest.approx(float(won.float().mean()))
    masked = record(module, x, lambda out: out[0].masked_fill(~VALID, -torch.inf).amax(0).sum())
    assert (masked["pooling"], masked["pooled_share"]) == ("maximum", 0.0)


def test_a_mean_over_the_padding() -> None:
    expected = 1 - sum(SHORT) / (T * len(SHORT))
    reads: tuple[Read, ...] = (lambda out: out[0].mean(0).square().sum(), lambda out: out[0].sum())
    for read in reads:
        found = record(nn.GRU(N, H), padded(), read)
        assert found["pooling"] == "mean"
        assert found["pooled_share"] == pytest.approx(expected)


def test_a_mean_over_padding_to_a_fixed_length() -> None:
    """What all rows end in dilutes a mean as well, where they are padded; a maximum takes it or not."""
    more = 5
    fixed = torch.cat([padded(), torch.zeros(more, B, N)])
    mean = record(nn.GRU(N, H), fixed, lambda out: out[0].mean(0).square().sum())
    assert mean["pooling"] == "mean"
    assert mean["pooled_share"] == pytest.approx(1 - sum(LENGTHS) / ((T + more) * B))
    paused = torch.cat([torch.randn(T, B, N), torch.zeros(more, B, N)])
    assert not record(nn.GRU(N, H), paused, lambda out: out[0].mean(0).sum()).get("pooled_share")


def test_what_takes_no_steps_together() -> None:
    weights = torch.softmax(torch.randn(T, B, 1), 0)
    reads: tuple[Read, ...] = (
        lambda out: out[0][-1].sum(),
        lambda out: out[1][-1].sum(),
        lambda out: out[0][-2:].sum(),
        lambda out: (weights * out[0]).sum(),
        lambda out: (out[0] * VALID).sum(),
        lambda out: torch.zeros(1, requires_grad=True).sum(),
    )
    for read in reads:
        found = record(nn.GRU(N, H), padded(), read)
        assert found["pooling"] == "otherwise"
        assert "pooled_share" not in found


def test_without_padding_nothing_is_counted() -> None:
    found = record(nn.GRU(N, H), torch.randn(T, B, N), lambda out: out[0].amax(0).sum())
    assert "pooling" not in found


def test_both_ends_of_two_directions_are_no_maximum() -> None:
    module = nn.GRU(N, H, bidirectional=True)
    found = record(module, padded(), lambda out: (out[0][-1, :, :H] + out[0][0, :, H:]).sum())
    assert found["pooling"] == "otherwise"


def test_gradients_twice_as_large_are_taken_from_the_same_steps() -> None:
    module, x = nn.GRU(N, H), padded()
    shares = [record(module, x, lambda out, k=k: k * out[0].amax(0).sum())["pooled_share"] for k in (1, 2)]  # type: ignore[misc]
    assert shares[0] == shares[1]


# ---------------------------------------------------------------- lengths that take in padding


def test_lengths_that_are_all_full() -> None:
    found = padding_of(packed([T] * B), False)
    assert found is not None
    assert (found.rows, found.ends, found.lengths) == (list(range(B)), LENGTHS, [T] * B)
    assert found.padded_share == pytest.approx(4 / 6)
    assert found.padding == pytest.approx(1 - sum(LENGTHS) / (T * B))


def test_lengths_that_are_too_long_by_some_steps() -> None:
    longer = [min(T, length + 3) for length in LENGTHS]
    found = padding_of(packed(longer), False)
    assert found is not None
    assert (found.ends, found.lengths) == (LENGTHS, longer)
    assert found.padding == pytest.approx(sum(longer) / (T * B) - sum(LENGTHS) / (T * B))


def test_tokens_that_were_embedded() -> None:
    embedded = nn.functional.dropout(nn.Embedding(50, N)(tokens()), 0.5)
    given = pack_padded_sequence(embedded, torch.tensor([T] * B), batch_first=True, enforce_sorted=False)
    found = padding_of(given, True)
    assert found is not None
    assert found.ends == LENGTHS


@pytest.mark.parametrize("lengths", [LENGTHS, [T, 7, 5, 8, T, 3]])
def test_lengths_that_are_right_or_too_long_by_one(lengths: list[int]) -> None:
    found = padding_of(packed(lengths), False)
    assert found is not None
    assert (found.ends, found.lengths) == (lengths, None)


def test_a_few_rows_that_end_in_the_same_twice_are_no_padding() -> None:
    x = torch.randn(T, 20, N)
    for row in range(5):
        x[T - 2 :, row] = 0.5
    full = packed([T] * 20, x)
    found = padding_of(full, False)
    assert found is not None
    assert found.lengths is None
    for row in range(6):
        x[T - 2 :, row] = 0.5
    found = padding_of(packed([T] * 20, x), False)
    assert found is not None
    assert found.lengths == [T] * 20


@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("kind", FUSED)
def test_the_final_state_has_run_over_what_was_packed(kind: Any, sort: bool) -> None:
    longer = [min(T, length + 2) for length in LENGTHS]
    order = sorted(range(B), key=lambda row: -longer[row]) if sort else list(range(B))
    x, lengths = padded()[:, order], [longer[row] for row in order]
    given = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=sort)

    def by_state(out: Any) -> Any:
        return (out[1][0] if kind is nn.LSTM else out[1])[-1].sum()

    def by_last_output(out: Any) -> torch.Tensor:
        return pad_packed_sequence(out[0])[0][torch.tensor(lengths) - 1, torch.arange(B)].sum()

    for read in (by_state, by_last_output):
        found = record(kind(N, H), given, read)
        assert (found["packed"], found["unread_share"]) == (True, 0.0)
        assert found["read_share"] == pytest.approx(4 / 6)
        assert found["padded_share"] == pytest.approx(4 / 6)
        assert 0 <= found["state_left"] <= 1


def test_full_lengths_leave_as_much_of_the_state_as_none() -> None:
    module, x = nn.GRU(N, H), padded()
    plain = record(module, x, lambda out: out[0][-1].sum())
    full = record(module, packed([T] * B, x), lambda out: out[1][-1].sum())
    for name in ("state_left", "padded_share", "padding", "read_share"):
        assert full[name] == pytest.approx(plain[name], rel=1e-4)


def test_pooling_over_what_was_packed() -> None:
    module, x = nn.GRU(N, H), padded()
    reads: dict[str, Read] = {"maximum": lambda out: out.amax(0).sum(), "mean": lambda out: out.sum()}
    for pooling, read in reads.items():
        plain = record(module, x, lambda out, read=read: read(out[0]))  # type: ignore[misc]
        full = record(module, packed([T] * B, x), lambda out, read=read: read(pad_packed_sequence(out[0])[0]))  # type: ignore[misc]
        assert full["pooling"] == plain["pooling"] == pooling
        assert full["pooled_share"] == pytest.approx(plain["pooled_share"])


def test_a_maximum_over_the_zeros_behind_packed_sequences() -> None:
    module, given = nn.GRU(N, H), packed(LENGTHS)
    with torch.no_grad():
        out = pad_packed_sequence(module(given)[0])[0]
    short = [k for k, length in enumerate(LENGTHS) if length < T]
    lost = float((out.amax(0)[short] == 0).float().mean())
    assert 0 < lost < 1
    found = record(module, given, lambda out: pad_packed_sequence(out[0])[0].amax(0).sum())
    assert (found["pooling"], found["pooled_share"]) == ("maximum", pytest.approx(lost))
    masked = record(
        module,
        given,
        lambda out: pad_packed_sequence(out[0])[0].masked_fill(~VALID, -torch.inf).amax(0).sum(),
    )
    assert (masked["pooling"], masked["pooled_share"]) == ("maximum", 0.0)
    mean = record(module, given, lambda out: pad_packed_sequence(out[0])[0].mean(0).sum())
    assert (mean["pooling"], mean["pooled_share"]) == ("mean", 0.0)
