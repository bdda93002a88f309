"""Batches that repeat themselves along one of their axes."""

# mypy: disable-error-code="no-untyped-call"

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from rnn_doctor.capture.probe.sensors.repeated import Repeated
from tests.capture.records import observed

T, B, F, H = 5, 6, 3, 4


def alike(x: torch.Tensor, **options: Any) -> str | None:
    return Repeated(nn.GRU(F, H, **{"batch_first": True, **options}), x).alike


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_one_sequence_in_all_rows() -> None:
    x = torch.randn(1, T, F).repeat(B, 1, 1)
    assert alike(x) == "rows"
    assert alike(x.transpose(0, 1), batch_first=False) == "rows"
    x[-1, -1, -1] += 1e-3
    assert alike(x) is None


def test_one_input_at_all_steps() -> None:
    x = torch.randn(B, 1, F).repeat(1, T, 1)
    assert alike(x) == "steps"
    assert alike(x.transpose(0, 1), batch_first=False) == "steps"
    x[-1, -1, -1] += 1e-3
    assert alike(x) is None


def test_what_is_expanded_over_time_is_meant() -> None:
    assert alike(torch.randn(B, 1, F).expand(B, T, F)) is None
    assert alike(torch.randn(1, T, F).expand(B, T, F)) == "rows"


def test_what_never_varies_is_another_matter() -> None:
    assert alike(torch.ones(B, T, F)) is None


def test_what_has_one_row_or_one_step() -> None:
    assert alike(torch.randn(1, T, F)) is None
    assert alike(torch.randn(B, 1, F)) is None
    assert alike(torch.randn(T, F)) is None


def test_tokens_behind_dropout() -> None:
    embedding, tokens = nn.Embedding(9, F), torch.randint(9, (1, T)).repeat(B, 1)
    assert alike(nn.functional.dropout(embedding(tokens), 0.5)) == "rows"
    assert alike(nn.functional.dropout(embedding(torch.randint(9, (B, T))), 0.5)) is None


def test_packed_sequences_are_left_alone() -> None:
    packed = pack_padded_sequence(torch.ones(B, T, F), torch.full((B,), T), batch_first=True)
    seen = Repeated(nn.GRU(F, H), packed)
    seen.add(packed)
    assert seen.alike is None


def test_calls_of_a_cell() -> None:
    cell, row = nn.GRUCell(F, H), torch.randn(1, F)
    same, steps, other = (
        Repeated(cell, row.repeat(B, 1)),
        Repeated(cell, x := torch.randn(B, F)),
        torch.randn(B, F),
    )
    same.add(torch.randn(1, F).repeat(B, 1))
    steps.add(x.clone())
    assert (same.alike, steps.alike) == ("rows", "steps")
    same.add(other)
    steps.add(other)
    assert (same.alike, steps.alike) == (None, None)


def test_what_is_written() -> None:
    rnn, head = nn.GRU(F, H, batch_first=True), nn.Linear(H, 1)
    optimizer = torch.optim.SGD([*rnn.parameters(), *head.parameters()], 0.01)
    with observed() as records:
        for _ in range(3):
            x = torch.randn(1, T, F).repeat(B, 1, 1)
            optimizer.zero_grad()
            head(rnn(x)[0][:, -1]).square().mean().backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    assert [each["alike"] for each in records.of("batch")] == ["rows", "rows"]
