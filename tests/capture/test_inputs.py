"""What the recurrent modules are given, and how the loss reads what they return."""

# mypy: disable-error-code="no-untyped-call"

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence, pad_packed_sequence

from rnn_doctor.capture.probe.origins import Origins
from rnn_doctor.capture.probe.sensors.detachments import Detachments
from rnn_doctor.capture.probe.sensors.inputs import Inputs
from rnn_doctor.capture.probe.sensors.read_sites import ReadSites
from tests.capture.records import Records, observed

T, B, N, H = 6, 4, 3, 5


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("columns", "ratio"),
    [((1.0, 2.0, 4.0), 2.0), ((1.0, -3600.0, 2.0), 1800.0), ((0.0, 2.0, 8.0), 4.0), ((0.0, 0.0, 5.0), None)],
)
def test_one_feature_beside_the_others(columns: tuple[float, ...], ratio: float | None) -> None:
    given = torch.rand(T, B, N).mul(0.5).index_fill(0, torch.tensor([2]), 1.0) * torch.tensor(columns)
    batch, _ = called(nn.GRU(N, H), given)
    assert batch.get("feature_ratio") == (None if ratio is None else pytest.approx(ratio))


def called(module: Any, given: Any, state: Any = None, loader: Any = None) -> tuple[dict[str, Any], Any]:
    """The batch record of one call, and what the module returned."""
    records = Records()
    inputs = Inputs(records, ReadSites(Origins()), Detachments())
    output = module(given, state)
    inputs.on_call(0, module, given, state, output, loader)
    inputs.write(7)
    (batch,) = records.of("batch")
    assert (batch["step"], batch["module"]) == (7, 0)
    return batch, output


@pytest.mark.parametrize(
    ("module", "shape", "seen"),
    [
        (nn.GRU(N, H), (T, B, N), (T, B, N)),
        (nn.GRU(N, H, batch_first=True), (B, T, N), (T, B, N)),
        (nn.GRU(N, H), (T, N), (T, 1, N)),
        (nn.GRU(N, H, batch_first=True), (T, N), (T, 1, N)),
        (nn.GRUCell(N, H), (B, N), (1, B, N)),
        (nn.GRUCell(N, H), (N,), (1, 1, N)),
    ],
)
def test_shapes(module: nn.Module, shape: tuple[int, ...], seen: tuple[int, ...]) -> None:
    batch, _ = called(module, torch.randn(shape))
    assert (batch["time"], batch["batch"], batch["features"]) == seen
    assert (batch["packed"], batch["calls"], batch["state"]) == (False, 1, "none")
    assert "loader" not in batch


@pytest.mark.parametrize("sort", [True, False])
def test_the_shape_of_packed_sequences_is_that_of_the_longest(sort: bool) -> None:
    lengths = [6, 4, 4, 1] if sort else [4, 1, 6, 4]
    packed = pack_sequence([torch.randn(n, N) for n in lengths], enforce_sorted=sort)
    batch, _ = called(nn.LSTM(N, H), packed)
    assert (batch["time"], batch["batch"], batch["features"], batch["packed"]) == (6, 4, N, True)


def test_statistics() -> None:
    x = torch.randn(B, T, N) * 3 + 1
    x[..., 1] = 2.5
    batch, _ = called(nn.GRU(N, H, batch_first=True), x, loader=(2, (B, T)))
    assert batch["mean"] == pytest.approx(x.mean().item(), rel=1e-6)
    assert batch["std"] == pytest.approx(x.std(unbiased=False).item(), rel=1e-6)
    assert batch["absmax"] == pytest.approx(x.abs().max().item(), rel=1e-6)
    assert batch["constant_share"] == pytest.approx(1 / N)
    assert (batch["finite"], batch["loader"], batch["loader_shape"]) == (True, 2, [B, T])


def test_inputs_that_are_not_finite() -> None:
    x = torch.randn(T, B, N)
    x[0, 0, 0] = float("nan")
    batch, _ = called(nn.GRU(N, H), x)
    assert batch["finite"] is False
    assert "drive" not in batch


@pytest.mark.parametrize("module", [nn.LSTM(N, H), nn.LSTMCell(N, H)], ids=["LSTM", "LSTMCell"])
def test_drive_is_the_share_of_saturated_gates(module: Any) -> None:
    suffix = "_l0" if isinstance(module, nn.LSTM) else ""
    with torch.no_grad():
        module.get_parameter(f"weight_ih{suffix}").zero_()
        bias = module.get_parameter(f"bias_ih{suffix}")
        bias.zero_()
        bias[:H] = 4.5
        bias[H : 2 * H] = -4.5
        bias[2 * H :] = 3.9
    batch, _ = called(module, torch.randn(B, N) if suffix == "" else torch.randn(T, B, N))
    assert batch["drive"] == pytest.approx(0.5)
    with torch.no_grad():
        bias.zero_()
    batch, _ = called(module, torch.randn(B, N) if suffix == "" else torch.randn(T, B, N))
    assert batch["drive"] == 0.0


def test_drive_grows_with_the_scale_of_the_input() -> None:
    module, x = nn.LSTM(N, H, bias=False), torch.randn(T, B, N)
    drives = [called(module, x * scale)[0]["drive"] for scale in (1, 30, 1e4)]
    assert drives[0] == 0.0
    assert 0 < drives[1] < drives[2]
    assert drives[2] > 0.95


def test_states() -> None:
    lstm, gru, x = nn.LSTM(N, H), nn.GRU(N, H), torch.randn(T, B, N)
    zero, given = torch.zeros(1, B, H), torch.ones(1, B, H)
    carried = gru(x)[1]
    assert called(gru, x)[0]["state"] == "none"
    assert called(gru, x, zero)[0]["state"] == "zero"
    assert called(gru, x, given)[0]["state"] == "given"
    assert called(gru, x, carried)[0]["state"] == "carried"
    assert called(gru, x, carried.detach())[0]["state"] == "given"
    assert called(lstm, x, (zero, zero))[0]["state"] == "zero"
    assert called(lstm, x, (zero, given))[0]["state"] == "given"
    assert called(lstm, x, lstm(x)[1])[0]["state"] == "carried"


def test_calls_of_one_step_are_counted_and_their_extent_joined() -> None:
    records = Records()
    inputs = Inputs(records, ReadSites(Origins()), Detachments())
    cell, h = nn.GRUCell(2, H), torch.zeros(B, H)
    for k in range(3):
        x = torch.stack([torch.full((B,), 1.0), torch.full((B,), float(k))], 1)
        output = cell(x, h)
        inputs.on_call(0, cell, x, h, output, None)
        h = output
    inputs.write(1)
    (batch,) = records.of("batch")
    assert (batch["calls"], batch["constant_share"], batch["state"]) == (3, 0.5, "zero")
    inputs.write(2)
    assert len(records.of("batch")) == 1


def readout(module: Any, given: Any, read: Any) -> dict[str, Any]:
    """The readout record for the loss that `read` makes of the output."""
    records = Records()
    inputs = Inputs(records, ReadSites(Origins()), Detachments())
    output = module(given)
    inputs.on_call(0, module, given, None, output, None)
    read(output).backward()
    inputs.write(1)
    (record,) = records.of("readout")
    return record


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_shares_are_those_of_the_gradient(kind: Any, batch_first: bool) -> None:
    module = kind(N, H, batch_first=batch_first)
    weights = torch.rand(T, B, 1) * torch.arange(1.0, B + 1).reshape(1, B, 1)
    by_time = (lambda o: o.transpose(0, 1)) if batch_first else (lambda o: o)
    given = torch.randn((B, T, N) if batch_first else (T, B, N))
    record = readout(module, given, lambda out: (by_time(out[0]) * weights).sum())
    # dL/d output is the weights, once a unit.
    square = weights.squeeze(2).square()
    assert record["last_share"] == pytest.approx((square[-1].sum() / square.sum()).item(), rel=1e-5)
    assert record["top_row_share"] == pytest.approx((square.sum(0).max() / square.sum()).item(), rel=1e-5)
    assert (record["time"], record["batch"]) == (T, B)


@pytest.mark.parametrize("batch_first", [False, True])
def test_the_last_step_by_output_or_by_final_state(batch_first: bool) -> None:
    module = nn.LSTM(N, H, batch_first=batch_first)
    given = torch.randn((B, T, N) if batch_first else (T, B, N))
    by_output = readout(
        module, given, lambda out: (out[0][:, -1] if batch_first else out[0][-1]).square().sum()
    )
    by_state = readout(module, given, lambda out: out[1][0][-1].square().sum())
    assert by_output["last_share"] == by_state["last_share"] == 1.0
    assert by_output["top_row_share"] == pytest.approx(by_state["top_row_share"], rel=1e-5)


def test_the_wrong_axis_shows_as_one_row() -> None:
    # batch_first forgotten: what the script takes for the last step is the last sequence.
    record = readout(nn.GRU(N, H), torch.randn(B, T, N), lambda out: out[0][:, -1].square().sum())
    assert record["top_row_share"] == 1.0
    assert record["last_share"] < 0.9


def test_unbatched_readout() -> None:
    record = readout(nn.GRU(N, H), torch.randn(T, N), lambda out: out[0].sum())
    assert record["last_share"] == pytest.approx(1 / T)
    assert readout(nn.GRU(N, H), torch.randn(T, N), lambda out: out[1].sum())["last_share"] == 1.0


@pytest.mark.parametrize("lengths", [[6, 4, 4, 1], [4, 1, 6, 4]], ids=["sorted", "unsorted"])
def test_packed_readout(lengths: list[int]) -> None:
    module = nn.GRU(N, H)
    x, ends = torch.randn(T, B, N), torch.tensor(lengths)
    valid = torch.arange(T).unsqueeze(1) < ends
    last = torch.arange(T).unsqueeze(1) == ends - 1
    weights = torch.rand(T, B) * torch.tensor([1.0, 5.0, 2.0, 1.0])

    def read(out: Any) -> Any:
        return (pad_packed_sequence(out[0])[0] * weights.unsqueeze(2)).sum()

    record = readout(module, pack_padded_sequence(x, ends, enforce_sorted=False), read)
    square = weights.square() * valid
    assert record["last_share"] == pytest.approx((square[last].sum() / square.sum()).item(), rel=1e-5)
    assert record["top_row_share"] == pytest.approx((square.sum(0).max() / square.sum()).item(), rel=1e-5)


def test_packed_readout_by_output_and_state_adds_up_by_sequence() -> None:
    ends = torch.tensor([1, 3, 6, 2])

    def read(out: Any) -> Any:
        padded, _ = pad_packed_sequence(out[0])
        return padded[:, 2].sum() + 10 * out[1][-1, 2].sum()

    record = readout(
        nn.GRU(N, H), pack_padded_sequence(torch.randn(T, B, N), ends, enforce_sorted=False), read
    )
    assert record["top_row_share"] == pytest.approx(1.0)


def test_nothing_read_is_no_readout() -> None:
    records = Records()
    inputs = Inputs(records, ReadSites(Origins()), Detachments())
    module, x = nn.GRU(N, H), torch.randn(T, B, N)
    inputs.on_call(0, module, x, None, module(x), None)
    inputs.write(1)
    assert records.of("readout") == []


@pytest.mark.parametrize("numpy", [True, False])
def test_an_output_that_is_cut_off_says_where(numpy: bool) -> None:
    rnn, head = nn.LSTM(N, H), nn.Linear(H, 1)
    optimizer = torch.optim.SGD([*rnn.parameters(), *head.parameters()], lr=0.1)
    with observed() as records:
        for _ in range(3):
            last = rnn(torch.randn(T, B, N))[0][-1]
            shown = last.detach()  # the cut
            read = torch.from_numpy(shown.numpy()) if numpy else last
            optimizer.zero_grad()
            head(read).square().mean().backward()
            optimizer.step()
    batches = records.of("batch")
    assert len(batches) == 2
    for batch in batches:
        assert batch.get("cut_at", {}).get("code", "").endswith("# the cut") is numpy
