"""At which line the loss reads what a recurrent module returned."""

# mypy: disable-error-code="no-untyped-call,no-any-return"

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnn_doctor.capture.probe.origins import Origins
from rnn_doctor.capture.probe.sensors.read_sites import ReadSites
from rnn_doctor.schema.recurrence import Readout
from tests.capture.records import observed

T, B, N, H = 6, 4, 3, 5
Read = Callable[[Any], torch.Tensor]
LENGTHS = torch.tensor([6, 3, 2, 2])


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def line_and_text(read: Read, module: Any, what: str, given: Any = None) -> tuple[int, str]:
    """Line and code of the read-out that is found."""
    sites = ReadSites(Origins())
    sites.seek(0)
    given = torch.randn(B, T, N) if given is None else given
    output = module(given)
    sites.on_call(0, module, output)
    loss = read(output)
    sites.on_backward(loss.square().sum())
    found = sites.where(0, what)
    assert found is not None
    assert not torch.is_anomaly_enabled()
    return found["line"], found["code"]


def last_step(out: Any) -> torch.Tensor:
    every = out[0].sum(1)  # another read, which the loss does not depend on
    picked = out[0][:, -1]
    return picked * every.detach()


def last_of_both_reads(out: Any) -> torch.Tensor:
    first = out[0][:, 0]
    last = out[0][:, -1]
    return first + last


def sliced(out: Any) -> torch.Tensor:
    last = out[0][:, T - 1 :]
    return last


def transposed(out: Any) -> torch.Tensor:
    steps = nn.functional.dropout(out[0]).transpose(0, 1)
    last = steps[-1]
    return last


def permuted(out: Any) -> torch.Tensor:
    last = out[0].permute(1, 0, 2)[-1]
    return last


def gathered(out: Any) -> torch.Tensor:
    ends = (LENGTHS - 1).view(-1, 1, 1).expand(-1, 1, out[0].shape[2])
    last = out[0].gather(1, ends)
    return last


def whole(out: Any) -> torch.Tensor:
    last = nn.Linear(H, 1)(out[0])
    return last


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize(
    "read", [last_step, last_of_both_reads, sliced, transposed, permuted, gathered, whole]
)
def test_the_line_that_reads_the_output(kind: Any, read: Read) -> None:
    lines, begin = inspect.getsourcelines(read)
    (expected,) = [begin + k for k, text in enumerate(lines) if "last =" in text or "picked =" in text]
    assert line_and_text(read, kind(N, H, batch_first=True), "output")[0] == expected


@pytest.mark.parametrize(
    "read",
    [
        lambda state: state[-1],
        lambda state: state.squeeze(0),
        lambda state: nn.functional.linear(state, torch.ones(2, H)),
        lambda state: torch.cat([state[0], state[0]], 1),
    ],
)
def test_the_line_that_reads_the_final_state(read: Callable[[torch.Tensor], torch.Tensor]) -> None:
    line = inspect.getsourcelines(read)[1]
    found = line_and_text(lambda out: read(out[1][0]), nn.LSTM(N, H), "state")
    assert found[0] == line


@pytest.mark.parametrize("lengths", [LENGTHS, LENGTHS.flip(0)])
def test_a_padded_output_of_packed_sequences(lengths: torch.Tensor) -> None:
    def read(out: Any) -> torch.Tensor:
        steps, _ = pad_packed_sequence(out[0], batch_first=True)
        return steps[:, -1]

    given = pack_padded_sequence(torch.randn(B, T, N), lengths, batch_first=True, enforce_sorted=False)
    assert "steps[:, -1]" in line_and_text(read, nn.GRU(N, H, batch_first=True), "output", given)[1]


def test_the_line_of_the_call_where_nothing_reads_it() -> None:
    module = nn.GRU(N, H)
    found = line_and_text(lambda _: torch.ones(1, requires_grad=True), module, "output")
    assert "sites.on_call" in found[1]


def test_nothing_is_noted_unless_it_is_asked_for() -> None:
    sites, module = ReadSites(Origins()), nn.GRU(N, H)
    output = module(torch.randn(T, B, N))
    sites.on_call(0, module, output)
    assert not torch.is_anomaly_enabled()
    assert sites.where(0, "output") is None


def test_a_mode_that_the_script_chose_is_left_alone() -> None:
    origins = Origins()
    torch.set_anomaly_enabled(True, False)
    origins.begin("reads")
    origins.end("reads")
    assert torch.is_anomaly_enabled()
    torch.set_anomaly_enabled(False)
    origins.begin("reads")
    torch.set_anomaly_enabled(True, True)
    origins.end("reads")
    assert torch.is_anomaly_enabled()
    torch.set_anomaly_enabled(False)
    origins.compiles = True
    origins.begin("reads")
    assert not torch.is_anomaly_enabled()


def train(read: Read, **options: Any) -> list[Readout]:
    """The read-outs of three updates."""
    rnn = nn.LSTM(N, H, batch_first=True, bidirectional=True, **options)
    optimizer = torch.optim.SGD(rnn.parameters(), lr=0.1)
    with observed() as records:
        for _ in range(4):
            optimizer.zero_grad()
            read(rnn(torch.randn(B, T, N))).square().mean().backward()
            optimizer.step()
    assert records.of("sensor_off") == []
    return [Readout(**record) for record in records.of("readout")]


@pytest.mark.parametrize(
    ("read", "layers", "unread"),
    [
        (lambda out: out[0][:, -1], 1, (0, None)),
        (lambda out: out[1][0][-1], 1, (0, "forward")),
        (lambda out: out[1][0][0], 1, (0, "reverse")),
        (lambda out: out[1][0][-1], 2, (0, "forward")),
        (lambda out: out[1][0][:2], 2, (1, None)),
        (lambda out: out[1][0][1], 2, (1, "forward")),
        (lambda out: out[0][..., :H], 2, (0, "reverse")),
        (lambda out: torch.cat([out[1][0][-1], out[1][1][-2]], 1), 2, (0, None)),
        (lambda out: out[0].mean(1), 1, (0, None)),
    ],
)
def test_what_the_loss_does_not_depend_on(read: Read, layers: int, unread: tuple[int, str | None]) -> None:
    found = train(read, num_layers=layers)
    assert {(r.unread_layers, r.unread_direction) for r in found} == {unread}
    assert not torch.is_anomaly_enabled()


def test_the_line_is_looked_for_where_the_reading_is_odd() -> None:
    first, second = train(lambda out: out[1][0][-1])
    assert first.location is None
    assert second.location is not None
    assert "out[1][0][-1]" in (second.location.code or "")
    assert [r.location for r in train(lambda out: out[0].mean(1))] == [None, None]
