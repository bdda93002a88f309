"""How far replay and lag gain are from autograd through a recurrence written out step by step.

Errors are relative: the largest difference of a tensor to its largest magnitude; of profiles by time and lag, whose
values span decades, the largest of each value's difference to itself. Shares of units, which are counted, are told by
their difference. The truth is in double precision: in single precision an error holds all its rounding.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch.nn.utils.rnn import PackedSequence

from rnn_doctor.capture.probe.recurrence import gates
from rnn_doctor.capture.probe.recurrence.backpropagation import Gradients, backward
from rnn_doctor.capture.probe.recurrence.chains import joined
from rnn_doctor.capture.probe.recurrence.injections import Pull, see_back
from rnn_doctor.capture.probe.recurrence.kernel import (
    Kernel,
    Rows,
    State,
    kernel_of,
    picked_output,
    rows_of,
    run,
    state_rows,
)
from rnn_doctor.capture.probe.recurrence.lag_gain import lag_gains
from rnn_doctor.capture.probe.recurrence.replay import Replayed, replay
from tests.capture.configurations import (
    Call,
    Configuration,
    as_taken,
    as_truth,
    call_of,
    state_as_truth,
)
from tests.capture.truth import Loss, Truth

SHARES = "shares of units"
LIMITS = {torch.float64: 1e-12, torch.float32: 1e-4}
SHARES_LIMIT = 1e-6
"""Means in single precision of what is counted. In double precision alone: where a value is rounded to the other side
of a threshold, a unit counts elsewhere."""
_ROWS = 3
"""Rows that are examined, of three or four."""

Error = tuple[str, float]


class Observed(NamedTuple):
    """What the probe has of a call: a few rows, and what the script's loss sent to them."""

    kernel: Kernel
    rows: Rows
    d_output: torch.Tensor
    """(T, R, D*P)"""
    d_final: State
    """(L*D, R, ...)"""
    d_x: torch.Tensor
    """By the module itself. (T, B, I)"""


def errors(configuration: Configuration) -> dict[str, float]:
    """The largest error of each quantity."""
    call, loss = call_of(configuration), Loss()
    found = (_called_by_step if configuration.is_cell else _called_at_once)(configuration, call, loss)
    truth = Truth(call, loss)
    largest: dict[str, float] = {}
    for name, error in (*_module(found, truth), *_replay(found, truth), *_lag_gain(found, truth)):
        largest[name] = max(largest.get(name, 0.0), math.inf if math.isnan(error) else error)
    return largest


def limit(quantity: str, dtype: torch.dtype) -> float:
    """The largest error that is allowed."""
    return SHARES_LIMIT if quantity == SHARES else LIMITS[dtype]


def _called_at_once(configuration: Configuration, call: Call, loss: Loss) -> Observed:
    """A fused module, called as a script does, and the gradients that come by."""
    module, x = call.module, call.x.clone().requires_grad_(True)
    given, state = as_taken(configuration, call, x)
    output, final = module(given, state)
    kernel = kernel_of(module)
    assert kernel is not None
    rows = rows_of(module, kernel, given, state, (output, final), _ROWS)
    read = [output.data if isinstance(output, PackedSequence) else output]
    read += final if isinstance(final, tuple) else [final]
    total = loss(as_truth(configuration, output), *state_as_truth(configuration, final))
    d_output, d_h, *d_c, d_x = torch.autograd.grad(total, [*read, x])
    passed = PackedSequence(d_output, *output[1:]) if isinstance(output, PackedSequence) else d_output
    d_final = State(*(state_rows(d, module, rows.chosen) for d in (d_h, *d_c)), *[None] * (not d_c))
    return Observed(kernel, rows, picked_output(module, (passed,), rows.chosen)[: len(rows.x)], d_final, d_x)


def _called_by_step(configuration: Configuration, call: Call, loss: Loss) -> Observed:
    """A cell, called once a step, and its calls joined."""
    module, x = call.module, call.x.clone().requires_grad_(True)
    given, state = as_taken(configuration, call, x)
    kernel = kernel_of(module)
    assert kernel is not None
    calls: list[tuple[str, Rows]] = []
    outputs = []
    for x_t in given:
        after = module(x_t, state)
        calls.append(("attached" if calls else "fresh", rows_of(module, kernel, x_t, state, after, _ROWS)))
        state = after
        outputs.append(state_as_truth(configuration, after)[0][0])
    (rows,) = joined(calls)
    read = [t for t in (torch.stack(outputs), *state_as_truth(configuration, state)) if t is not None]
    (d_x,) = torch.autograd.grad(loss(*read), x)
    # Outputs cut off from each other: what the loss alone sends to each, without what later steps send back.
    leaves = [tensor.detach().requires_grad_(True) for tensor in read]
    d_output, *d_final = (d[:, rows.chosen] for d in torch.autograd.grad(loss(*leaves), leaves))
    return Observed(kernel, rows, d_output, State(*d_final, *[None] * (len(d_final) == 1)), d_x)


def _module(found: Observed, truth: Truth) -> Iterator[Error]:
    """Whether the truth is the recurrence that torch computes."""
    rows = found.rows
    yield "module: output", _error(rows.output, truth.output[: len(rows.x), rows.chosen])
    yield "module: dL/dx", _error(found.d_x, truth.d_x)


def _replay(found: Observed, truth: Truth) -> Iterator[Error]:
    kernel, rows = found.kernel, found.rows
    again = replay(kernel, rows)
    assert again.exact
    output, final = run(kernel, rows.x, rows.state, rows.lengths)
    for each in (output, again.output):
        yield "output", _error(each, truth.output[: len(rows.x), rows.chosen])
    for each in (final.h, torch.stack([side.h[-1] for side in again.directions])):
        yield "final h", _error(each, truth.h[:, rows.chosen])
    if truth.c is not None:
        assert final.c is not None
        last = torch.stack([side.c[-1] for side in again.directions if side.c is not None])
        for cell in (final.c, last):
            yield "final c", _error(cell, truth.c[:, rows.chosen])
    gradients = backward(again, found.d_output, found.d_final)
    shared = see_back(again, rows, True, Pull(found.d_output, found.d_final)).gradients
    assert shared is not None
    for one, other in zip(gradients, shared, strict=True):
        yield "dL/dh beside injections", _error(one.h, other.h.double())
    told = gates.layers(again, gradients)
    for side, (own, fields) in enumerate(zip(gradients, told, strict=True)):
        yield from _direction(again, rows, truth, side, own, fields)


def _direction(
    again: Replayed, rows: Rows, truth: Truth, side: int, own: Gradients, fields: dict[str, Any]
) -> Iterator[Error]:
    """One layer and direction: gates, states, their gradients, and what is told of them."""
    direction = again.directions[side]
    time, chosen = range(len(rows.x)), rows.chosen
    valid = torch.tensor([[length > t for length in rows.lengths] for t in time]).unsqueeze(2)

    def placed(values: torch.Tensor) -> torch.Tensor:
        return again.in_time(direction, values) * valid

    assert list(direction.gates) == truth.gates(side)
    true_gates = {}
    for name, gate in direction.gates.items():
        true = truth.values(side, lambda steps: steps.gates[name])[time][:, chosen]  # noqa: B023
        true_gates[name] = true
        yield "gates and candidates", _error(placed(gate), true)
    for name, long_name, values, gradient in (
        ("h", "hidden", direction.h, own.h),
        ("c", "cell", direction.c, own.c),
    ):
        if values is None or gradient is None:
            continue
        true = truth.values(side, lambda steps: getattr(steps, name))[time][:, chosen]  # noqa: B023
        true_gradient = truth.gradients(side, lambda steps: getattr(steps, name))[time][:, chosen]  # noqa: B023
        yield name, _error(placed(values), true)
        yield f"dL/d{name}", _error(placed(gradient), true_gradient)
        norms = (true.square().mean(2).sum(1) / valid.sum(1).squeeze(1)).sqrt().tolist()
        yield f"norm of {name} by time", _error_by_value(fields[f"{long_name}_norm"], norms)
        norms = true_gradient.flatten(1).norm(dim=1).tolist()
        powers = [10**decades for decades in fields[f"{long_name}_gradient"]]
        yield f"norm of dL/d{name} by time", _error_by_value(powers, norms)
        if name == "h" and values.dtype == torch.float64:
            flat = {gate: _flat(each, valid) for gate, each in true_gates.items()}
            yield SHARES, _difference(fields, flat, _flat(true, valid), again.kernel.mode == "RNN_RELU")


def _flat(values: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Shapes: (T, R, N) -> (n, N)."""
    return values[valid.squeeze(2)]


def _difference(
    fields: dict[str, Any], values: dict[str, torch.Tensor], states: torch.Tensor, relu: bool
) -> float:
    """The largest difference of a share, counted anew by the definitions of schema/recurrence.py. Shapes: (n, N)."""
    pairs: list[tuple[float, float]] = []
    for told in fields["gates"]:
        a = values[told["name"]]
        low, high, slope = a < -0.97, a > 0.97, 1 - a.square()
        if told["name"] in "ifor" + "z":
            low, high, slope = a < 0.1, a > 0.9, a * (1 - a)
        elif relu:
            low, high, slope = a == 0, a < 0, (a > 0).double()
        for name, truth in (
            ("low", low.double().mean()),
            ("high", high.double().mean()),
            ("stuck_low", (low.double().mean(0) > 0.9).double().mean()),
            ("stuck_high", (high.double().mean(0) > 0.9).double().mean()),
            ("slope", slope.mean()),
        ):
            pairs.append((told[name], float(truth)))
    if "dead_share" in fields:  # of few states it is not told
        pairs.append((fields["dead_share"], float((states.std(0) < 1e-3).double().mean())))
    if relu:
        pairs.append((fields["active_share"], float((states > 0).double().mean())))
    return max(abs(found - truth) for found, truth in pairs)


def _lag_gain(found: Observed, truth: Truth) -> Iterator[Error]:
    rows, layers = found.rows, found.kernel.layers
    expected = {}
    for layer in (None, *(range(layers) if layers > 1 else ())):
        for reverse, gains in truth.gains(rows.chosen, rows.lengths, layer).items():
            expected[layer, reverse] = gains
    # With and without the script's own gradient beside them on the way back.
    again, pull = replay(found.kernel, rows), Pull(found.d_output, found.d_final)
    for way, profiles in (
        ("kernel", lag_gains(found.kernel, rows)),
        ("replay", see_back(again, rows, True, None).gains),
        ("replay", see_back(again, rows, True, pull).gains),
    ):
        told = {(p.get("layer"), bool(p["reverse"])): p for p in profiles}
        assert set(told) == set(expected)
        for (layer, reverse), gains in expected.items():
            profile = told[layer, reverse]
            assert profile["lags"] == list(range(len(gains)))
            powers = [10**decades for decades in profile["decades"]]
            of = f"lag gain{'' if layer is None else ' of a layer'} by the {way}"
            yield of, _error_by_value(powers, gains)


def _error(found: torch.Tensor, truth: torch.Tensor) -> float:
    """The largest difference, relative to the largest magnitude; as it is where the truth is 0 throughout."""
    assert found.shape == truth.shape
    difference, scale = float((found.double() - truth).abs().max()), float(truth.abs().max())
    return difference / scale if scale > 0 else difference


def _error_by_value(found: list[float], truth: list[float]) -> float:
    """The largest difference of a value, relative to itself; what is 0 must be 0."""
    pairs = zip(found, truth, strict=True)
    return max(0.0 if a == b else abs(a - b) / abs(b) if b else math.inf for a, b in pairs)
