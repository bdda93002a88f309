"""The replay against torch's own kernel, and its backward pass against autograd."""

import itertools
import warnings
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnn_doctor.capture.probe.recurrence.backpropagation import backward
from rnn_doctor.capture.probe.recurrence.gates import layers, units
from rnn_doctor.capture.probe.recurrence.kernel import Kernel, Rows, State, kernel_of, rows_of
from rnn_doctor.capture.probe.recurrence.replay import first_non_finite, replay

T, B, N, H = 7, 4, 3, 5
LENGTHS = [7, 3, 5, 1]


def module_of(kind: str, **more: Any) -> Any:
    torch.manual_seed(0)
    if kind in ("tanh", "relu"):
        return nn.RNN(N, H, nonlinearity=kind, **more)
    if kind == "projected":
        return nn.LSTM(N, H, proj_size=2, **more)
    return {"lstm": nn.LSTM, "gru": nn.GRU}[kind](N, H, **more)


def states_for(module: Any, dtype: torch.dtype) -> Any:
    count = module.num_layers * (2 if module.bidirectional else 1)
    h = torch.randn(count, B, module.proj_size or H, dtype=dtype, requires_grad=True)
    if not isinstance(module, nn.LSTM):
        return h
    return h, torch.randn(count, B, H, dtype=dtype, requires_grad=True)


def called(module: Any, given: Any, state: Any = None, rows: int = B) -> tuple[Kernel, Rows, Any]:
    output = module(given, state)
    kernel = kernel_of(module)
    assert kernel is not None
    return kernel, rows_of(module, kernel, given, state, output, rows), output


CONFIGURATIONS = list(
    itertools.product(
        ["tanh", "relu", "lstm", "projected", "gru"], [1, 2, 3], [False, True], [False, True], [None, LENGTHS]
    )
)


@pytest.mark.parametrize(("kind", "depth", "bidirectional", "bias", "lengths"), CONFIGURATIONS)
def test_states_and_gradients_are_those_of_the_kernel(
    kind: str, depth: int, bidirectional: bool, bias: bool, lengths: list[int] | None
) -> None:
    """dL/dh before the first step is what the gradient of the initial state tells; so is dL/dc."""
    module = module_of(kind, num_layers=depth, bidirectional=bidirectional, bias=bias).double()
    state = states_for(module, torch.float64)
    x = torch.randn(T, B, N, dtype=torch.float64)
    given = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False) if lengths else x
    output, final = module(given, state)
    kernel = kernel_of(module)
    assert kernel is not None
    rows = rows_of(module, kernel, given, state, (output, final), B, list(range(B)))
    replayed = replay(kernel, rows)
    assert replayed.exact
    assert replayed.error < 1e-12

    if lengths:
        output, _ = pad_packed_sequence(output)
    pulls = [torch.randn_like(t) for t in (output, *(final if isinstance(final, tuple) else (final,)))]
    wholes = (output, *(final if isinstance(final, tuple) else (final,)))
    loss = sum((t * pull).sum() for t, pull in zip(wholes, pulls, strict=True))
    assert isinstance(loss, torch.Tensor)
    torch.autograd.backward(loss)
    gradients = backward(replayed, pulls[0], State(pulls[1], pulls[2] if len(pulls) > 2 else None))
    for index, (direction, own) in enumerate(zip(replayed.directions, gradients, strict=True)):
        bias_gradient = module.get_parameter(
            f"weight_hh_l{direction.layer}{'_reverse' * direction.reverse}"
        ).grad
        before = torch.cat([direction.h0.unsqueeze(0), direction.h[:-1]])
        assert bias_gradient.shape[1] == before.shape[2]
        step_back = _one_step_back(kernel, direction, own)
        initial = state[0] if isinstance(state, tuple) else state
        torch.testing.assert_close(step_back, initial.grad[index], rtol=1e-10, atol=1e-12)


def _one_step_back(kernel: Kernel, direction: Any, own: Any) -> torch.Tensor:
    """dL/dh0 from dL/dh and dL/dc of the first step, by autograd through that step alone."""
    weights = direction.weights
    h0 = direction.h0.detach().clone().requires_grad_(True)
    sums = direction.x[0] @ weights.input.t()
    back = h0 @ weights.hidden.t()
    if weights.input_bias is not None:
        sums, back = sums + weights.input_bias, back + weights.hidden_bias
    if kernel.mode == "LSTM":
        i, f, g, o = (sums + back).chunk(4, 1)
        c = f.sigmoid() * direction.c0 + i.sigmoid() * g.tanh()
        # What the output gate lets through reaches c by dL/dc; the gate itself by dL/dh.
        h = o.sigmoid() * c.detach().tanh()
        h = h if weights.projection is None else h @ weights.projection.t()
        total = (own.h[0] * h).sum() + (own.c[0] * c).sum()
    else:
        if kernel.mode == "GRU":
            (r, z, n), (r_, z_, n_) = sums.chunk(3, 1), back.chunk(3, 1)
            keep = (z + z_).sigmoid()
            h = (1 - keep) * (n + (r + r_).sigmoid() * n_).tanh() + keep * h0
        else:
            h = (sums + back).relu() if kernel.mode == "RNN_RELU" else (sums + back).tanh()
        total = (own.h[0] * h).sum()
    gradient: torch.Tensor = torch.autograd.grad(total, h0)[0]
    return gradient


def test_dropout_between_layers_is_held_against_the_kernel_without() -> None:
    module = module_of("lstm", num_layers=2, dropout=0.5)
    kernel, rows, _ = called(module, torch.randn(T, B, N))
    assert not replay(kernel, rows).exact
    assert replay(kernel, rows, dropout=True).exact


def test_cells_and_unbatched_sequences() -> None:
    for cell in (nn.RNNCell(N, H), nn.GRUCell(N, H), nn.LSTMCell(N, H)):
        kernel, rows, _ = called(cell, torch.randn(B, N))
        assert replay(kernel, rows).exact
    kernel, rows, _ = called(module_of("gru"), torch.randn(T, N))
    assert rows.lengths == [T]
    assert replay(kernel, rows).exact


def test_another_network_is_no_exact_replay() -> None:
    _, rows, _ = called(module_of("gru"), torch.randn(T, B, N))
    other = kernel_of(nn.GRU(N, H))
    assert other is not None
    assert not replay(other, rows).exact


def test_gates_that_biases_pin_are_seen_saturated() -> None:
    module = module_of("lstm")
    with torch.no_grad():
        bias = module.get_parameter("bias_ih_l0")
        bias[:H], bias[H : 2 * H] = -9.0, 9.0  # input gate closed, forget gate open
    kernel, rows, _ = called(module, torch.randn(T, B, N))
    (layer,) = layers(replay(kernel, rows), None)
    gates = {gate["name"]: gate for gate in layer["gates"]}
    assert (gates["i"]["low"], gates["i"]["stuck_low"], gates["i"]["high"]) == (1.0, 1.0, 0.0)
    assert (gates["f"]["high"], gates["f"]["stuck_high"], gates["f"]["low"]) == (1.0, 1.0, 0.0)
    assert gates["f"]["slope"] < 0.01 < gates["o"]["slope"]
    assert gates["g"]["low"] == gates["g"]["high"] == 0.0
    assert layer["dead_share"] > 0.5  # nothing enters the cell


def test_padded_steps_do_not_count() -> None:
    module = module_of("gru")
    x = torch.randn(T, B, N)
    x[3:, 1] = 1e4  # beyond the second row's length
    given = pack_padded_sequence(x, torch.tensor(LENGTHS), enforce_sorted=False)
    kernel, rows, _ = called(module, given)
    replayed = replay(kernel, rows)
    (layer,) = layers(replayed, backward(replayed, torch.ones_like(replayed.output), None))
    assert max(layer["hidden_norm"]) < 1
    assert all(abs(value) < 5 for value in layer["hidden_gradient"])
    assert layer["times"] == list(range(T))


def test_dead_relu_units_and_the_rank() -> None:
    module = module_of("relu")
    with torch.no_grad():
        module.get_parameter("bias_ih_l0").fill_(-50.0)
    kernel, rows, _ = called(module, torch.randn(T, B, N))
    (layer,) = layers(replay(kernel, rows), None)
    assert (layer["dead_share"], layer["active_share"], layer["effective_rank"]) == (1.0, 0.0, None)


def test_long_sequences_are_told_at_48_times() -> None:
    kernel, rows, _ = called(module_of("tanh"), torch.randn(500, 1, N))
    (layer,) = layers(replay(kernel, rows), None)
    assert (len(layer["times"]), layer["times"][0], layer["times"][-1]) == (48, 0, 499)
    assert len(layer["hidden_norm"]) == 48


@pytest.mark.parametrize(("kind", "layer"), [("lstm", 0), ("lstm", 1), ("gru", 1)])
def test_where_a_number_ceased_to_be_finite(kind: str, layer: int) -> None:
    module = module_of(kind, num_layers=2)
    gate = 2
    with torch.no_grad():
        module.get_parameter(f"bias_ih_l{layer}")[gate * H] = float("nan")
    kernel, rows, _ = called(module, torch.randn(T, B, N), rows=1)
    found = first_non_finite(kernel, rows)
    assert found is not None
    assert (found["layer"], found["time"], found["gate"]) == (
        layer,
        0,
        "ifgo"[gate] if kind == "lstm" else "rzn"[gate],
    )


def test_overflow_has_its_time_and_is_called_so() -> None:
    module = module_of("relu")
    with torch.no_grad():
        module.get_parameter("weight_hh_l0").copy_(torch.eye(H) * 1e13)
        module.get_parameter("bias_ih_l0").fill_(1.0)
    kernel, rows, output = called(module, torch.rand(T, B, N), rows=1)
    found = first_non_finite(kernel, rows)
    first = int((~torch.isfinite(output[0][:, 0])).any(1).nonzero()[0])
    assert 0 < first < T
    assert found == {"layer": 0, "reverse": None, "time": first, "gate": "h", "overflow": True}


def test_everything_finite_has_no_origin() -> None:
    kernel, rows, _ = called(module_of("gru"), torch.randn(T, B, N))
    assert first_non_finite(kernel, rows) is None


@pytest.fixture(autouse=True)
def _projections_without_warning() -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="LSTM with projections is not supported with oneDNN")
        yield


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_the_course_of_a_gate_is_that_of_its_formula(lengths: list[int] | None) -> None:
    """i_t by its formula from the module's own states, in the order of time for both directions, without padding."""
    module = module_of("lstm", bidirectional=True).double()
    x = torch.randn(T, B, N, dtype=torch.float64)
    given = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False) if lengths else x
    kernel, rows, (output, _) = called(module, given)
    states = pad_packed_sequence(output)[0] if lengths else output
    start = torch.zeros(1, B, H, dtype=torch.float64)
    before = [torch.cat([start, states[:-1, :, :H]]), torch.cat([states[1:, :, H:], start])]
    valid = torch.arange(T).unsqueeze(1) < torch.tensor(lengths or [T] * B)
    for layer, suffix, h in zip(layers(replay(kernel, rows), None), ("", "_reverse"), before, strict=True):
        w, u, b, c = (
            module.get_parameter(f"{kind}_l0{suffix}")[:H]
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        gate = (x @ w.t() + b + h @ u.t() + c).sigmoid()
        told = layer["gates"][0]
        assert (told["name"], layer["gate_times"]) == ("i", list(range(T)))
        for t in range(T):
            values = sorted(gate[t][valid[t]].flatten().tolist())
            last = len(values) - 1
            assert told["mean"][t] == pytest.approx(sum(values) / len(values), abs=6e-4)
            assert told["p10"][t] == pytest.approx(values[round(0.1 * last)], abs=6e-3)
            assert told["p90"][t] == pytest.approx(values[round(0.9 * last)], abs=6e-3)


def test_gates_of_long_sequences_and_wide_layers_are_told_at_24_times() -> None:
    torch.manual_seed(0)
    kernel, rows, _ = called(nn.GRU(N, 300), torch.randn(500, 2, N))
    (layer,) = layers(replay(kernel, rows), None)
    assert (len(layer["gate_times"]), layer["gate_times"][0], layer["gate_times"][-1]) == (24, 0, 499)
    for gate in layer["gates"]:
        if gate["name"] == "n":
            assert "mean" not in gate
        else:
            assert all(
                0 < low < mean < high < 1
                for low, mean, high in zip(gate["p10"], gate["mean"], gate["p90"], strict=True)
            )


def test_a_plain_recurrence_has_no_gates_over_time() -> None:
    kernel, rows, _ = called(module_of("tanh"), torch.randn(T, B, N))
    (layer,) = layers(replay(kernel, rows), None)
    assert layer["gate_times"] is None
    assert "mean" not in layer["gates"][0]


def test_a_rank_that_cannot_be_computed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("linalg.eigh: The algorithm failed to converge")

    states = torch.randn(32, 4)
    assert units(states, relu=False)["effective_rank"] > 0
    monkeypatch.setattr(torch.linalg, "eigvalsh", fails)
    found = units(states, relu=False)
    assert found["effective_rank"] is None
    assert found["dead_share"] == 0
