"""Over which dimension the softmaxes of a training are taken."""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from rnn_doctor.schema.recurrence import Softmax
from tests.capture.records import Observation, observed

B, T, H = 4, 6, 5


def train(weigh: Callable[[torch.Tensor], torch.Tensor], updates: int = 3) -> Observation:
    """A GRU whose outputs, (B, T, H), are weighed by something, for some updates."""
    torch.manual_seed(0)
    rnn = nn.GRU(3, H, batch_first=True)
    optimizer = torch.optim.SGD(rnn.parameters(), lr=0.1)
    with observed() as records:
        for _ in range(updates):
            out, _ = rnn(torch.randn(B, T, 3))
            optimizer.zero_grad()
            weigh(out).square().mean().backward()
            optimizer.step()
        assert untouched()
    assert records.of("sensor_off") == []
    for record in records.of("softmax"):
        Softmax(**record)
    return records


ORIGINALS = {name: getattr(torch, name) for name in ("softmax", "log_softmax")}


def untouched() -> bool:
    """Whether torch's own functions stand in their places."""
    return not {"softmax", "log_softmax"} & set(vars(torch.Tensor)) and all(
        getattr(torch, name) is original for name, original in ORIGINALS.items()
    )


@pytest.mark.parametrize(
    ("weigh", "function", "dim"),
    [
        (lambda out: torch.softmax(out, 1), "softmax", 1),
        (lambda out: torch.softmax(out, dim=-1), "softmax", 2),
        (lambda out: out.softmax(0), "softmax", 0),
        (lambda out: out.log_softmax(dim=-2), "log_softmax", 1),
        (lambda out: torch.log_softmax(out, 2), "log_softmax", 2),
        (lambda out: functional.softmax(out, dim=1), "softmax", 1),
        (lambda out: functional.log_softmax(out, -1), "log_softmax", 2),
        (nn.Softmax(dim=0), "softmax", 0),
    ],
)
def test_each_way_to_call_it_is_seen_once(weigh: Any, function: str, dim: int) -> None:
    records = train(weigh).of("softmax")
    assert [record["step"] for record in records] == [1, 3]
    for record in records:
        assert (record["function"], record["dim"], record["shape"]) == (function, dim, [B, T, H])
        assert (record["calls"], record["largest"]) == (1, [B, T, H][dim])
    assert records[0]["location"] == records[1]["location"]


@pytest.mark.filterwarnings("ignore:Implicit dimension choice")
def test_without_a_dimension_torch_takes_the_first() -> None:
    assert [r["dim"] for r in train(functional.softmax).of("softmax")] == [0, 0]


def test_it_points_to_the_line() -> None:
    def weigh(out: torch.Tensor) -> torch.Tensor:
        return out.softmax(1)  # here

    (first, _) = train(weigh).of("softmax")
    assert first["location"]["code"] == "return out.softmax(1)  # here"


def test_calls_of_one_line_are_one_record_with_the_largest_size() -> None:
    def weigh(out: torch.Tensor) -> torch.Tensor:
        return torch.stack([out[:, : k + 1].softmax(1).sum(1) for k in range(T)])

    for record in train(weigh).of("softmax"):
        assert (record["shape"], record["largest"], record["calls"]) == ([B, 1, H], T, T)


def test_what_nothing_is_learned_through_is_not_told() -> None:
    def weigh(out: torch.Tensor) -> torch.Tensor:
        return out * out.detach().softmax(1)

    assert train(weigh).of("softmax") == []


def test_it_listens_for_three_updates_alone() -> None:
    listening = []

    def weigh(out: torch.Tensor) -> torch.Tensor:
        listening.append(not untouched())
        return out.softmax(1)

    assert {record["step"] for record in train(weigh, 9).of("softmax")} == {1, 3}
    assert listening == [True, False, True] + [False] * 6


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_torchscript_meets_the_functions_as_they_were() -> None:
    def attend(scores: torch.Tensor) -> torch.Tensor:
        return torch.softmax(scores, dim=1)

    def weigh(out: torch.Tensor) -> torch.Tensor:
        scripted: torch.Tensor = torch.jit.script(attend)(out)
        return scripted

    assert train(weigh).of("softmax") == []


def test_outputs_are_those_of_torch() -> None:
    given = torch.randn(B, T, H, requires_grad=True)

    def every() -> torch.Tensor:
        found = (
            torch.softmax(given, 1),
            torch.log_softmax(given, dim=0),
            given.softmax(-1),
            given.log_softmax(2),
        )
        return torch.stack([*found, functional.softmax(given, 1, dtype=torch.float32)])

    seen: list[torch.Tensor] = []

    def weigh(out: torch.Tensor) -> torch.Tensor:
        seen.append(every())
        return out

    train(weigh, 1)
    assert torch.equal(seen[0], every())
