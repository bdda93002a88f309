"""A recurrence computed once more, step by step, on a few rows: what the fused kernels do not show.

Gates, candidates, cell and hidden states of every layer and direction; backpropagation.py runs back through them.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

import torch

from .kernel import GATES, Kernel, Rows, Weights, run

_TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4}
_CHECKED_STEPS = 8
"""Time steps of layers above the first that are held against a kernel without dropout: a wrong weight shows at once."""
_COARSE = 1e-2
"""Of half precision, and of float32 products that a device rounds to fewer digits (TF32)."""


class Direction(NamedTuple):
    """One layer and direction. Tensors stand in the order in which the recurrence meets the steps."""

    layer: int
    reverse: bool
    weights: Weights
    across: torch.Tensor
    """The hidden weights in the layout of their transpose: few rows pass through them twice as fast. (G*H, P)"""
    x: torch.Tensor
    """(T, R, I)"""
    sums: torch.Tensor
    """The gates in one block. (T, R, G*H)"""
    h0: torch.Tensor
    c0: torch.Tensor | None
    gates: dict[str, torch.Tensor]
    """(T, R, H) each, after their nonlinearity."""
    h: torch.Tensor
    """(T, R, P); beyond a row's length its last state"""
    c: torch.Tensor | None
    """(T, R, H)"""
    carried: torch.Tensor | None
    """What the reset gate of a GRU multiplies, W_hn h + b_hn. (T, R, H)"""


class Replayed(NamedTuple):
    """The replay of a few rows."""

    kernel: Kernel
    directions: list[Direction]
    """Layer by layer, forward before reverse."""
    order: torch.Tensor | None
    """Index of time by which a reverse direction is read, (T, R); None where it is a plain flip."""
    valid: torch.Tensor | None
    """(T, R, 1); None where no row is padded."""
    output: torch.Tensor
    """(T, R, D*P); 0 beyond a row's length"""
    error: float
    """Largest difference to the module's own output, relative to the largest output."""
    exact: bool

    def in_time(self, direction: Direction, values: torch.Tensor) -> torch.Tensor:
        """Values of a direction in the order of time. Shapes: (T, R, ...) -> the same."""
        return reordered(values, self.order) if direction.reverse else values


def replay(kernel: Kernel, rows: Rows, dropout: bool = False, thorough: bool = True) -> Replayed:
    """The replay of these rows, held against what the module returned.

    dropout: the module drops units between its layers by a mask that nobody knows. Its layers are then replayed
    without: the first is held against the final state that the module returned and, if the check is to be thorough,
    all of them against its kernel without dropout, which for all steps would cost more than the replay.
    """
    with torch.no_grad():
        order, valid = _padding(rows)
        x, directions = rows.x, []
        for layer, both in enumerate(kernel.weights):
            outputs = []
            for side, weights in enumerate(both):
                index = layer * kernel.directions + side
                h0, c0 = rows.state.h[index], None if rows.state.c is None else rows.state.c[index]
                given = reordered(x, order) if side else x
                direction = _blank(kernel.mode, layer, side == 1, weights, given, h0, c0)
                _FORWARD[kernel.mode](direction, valid)
                directions.append(direction)
                outputs.append(reordered(direction.h, order) if side else direction.h)
            x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, 2)
            if valid is not None:
                x = x.masked_fill(~valid, 0)
        error = (
            _first_layer_error(directions[: kernel.directions], rows)
            if dropout
            else _relative(x, rows.output)
        )
        if dropout and thorough:
            error = max(error, _kernel_error(kernel, rows, x))
    return Replayed(kernel, directions, order, valid, x, error, error <= _tolerance(rows))


def _blank(
    mode: str, layer: int, reverse: bool, weights: Weights, x: torch.Tensor, h0: torch.Tensor, c0: Any
) -> Direction:
    """A direction with what the inputs give to its gates, and room for its states."""
    sums = _driven(weights, x, hidden_bias=mode != "GRU")
    size = sums.shape[2] // len(GATES[mode])
    return Direction(
        layer, reverse, weights, weights.hidden.t().contiguous().t(), x, sums, h0, c0,
        gates=dict(zip(GATES[mode], sums.split(size, 2))),
        h=x.new_empty(*x.shape[:2], h0.shape[1]),
        c=None if c0 is None else x.new_empty(*x.shape[:2], size),
        carried=x.new_empty(*x.shape[:2], size) if mode == "GRU" else None,
    )  # fmt: skip


def _first_layer_error(directions: list[Direction], rows: Rows) -> float:
    """Largest relative difference of the final states; beyond a row's length its last state stands."""
    return max(_relative(direction.h[-1], rows.final.h[side]) for side, direction in enumerate(directions))


def _kernel_error(kernel: Kernel, rows: Rows, output: torch.Tensor) -> float:
    """Largest relative difference to the kernel without dropout; a reverse direction has to begin at the end."""
    steps = len(output) if kernel.directions > 1 else min(len(output), _CHECKED_STEPS)
    lengths = [min(length, steps) for length in rows.lengths]
    return _relative(output[:steps], run(kernel, rows.x[:steps], rows.state, lengths)[0])


def _tolerance(rows: Rows) -> float:
    kinds = (rows.x.dtype, rows.output.dtype)
    coarse = rows.x.is_cuda and torch.backends.cudnn.allow_tf32
    return _COARSE if coarse else max(_TOLERANCE.get(kind, _COARSE) for kind in kinds)


def _relative(found: torch.Tensor, truth: torch.Tensor) -> float:
    truth = truth.to(found.dtype)
    scale = float(truth.abs().max())
    return float((found - truth).abs().max()) / (scale if scale > 0 else 1.0)


def _padding(rows: Rows) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """How a reverse direction reads time, and which steps are valid; None where all rows have full length."""
    time = rows.x.shape[0]
    if min(rows.lengths) == time:
        return None, None
    steps = torch.arange(time, device=rows.x.device).unsqueeze(1)
    lengths = torch.tensor(rows.lengths, device=rows.x.device).unsqueeze(0)
    valid = steps < lengths
    return torch.where(valid, lengths - 1 - steps, steps), valid.unsqueeze(2)


def reordered(values: torch.Tensor, order: torch.Tensor | None) -> torch.Tensor:
    """As the other direction meets the steps, and back again. Shapes: (T, ..., R, N), order (T, R) -> the same."""
    if order is None:
        return values.flip(0)
    index = order.reshape(order.shape[0], *[1] * (values.dim() - 3), order.shape[1], 1)
    return values.gather(0, index.expand_as(values))


def _driven(weights: Weights, x: torch.Tensor, hidden_bias: bool) -> torch.Tensor:
    """What the inputs alone give to all gates of all steps. Shapes: x (T, R, I) -> (T, R, G*H)."""
    sums = x @ weights.input.t()
    if weights.input_bias is not None:
        sums = sums + weights.input_bias
        if hidden_bias and weights.hidden_bias is not None:
            sums = sums + weights.hidden_bias
    return sums


def _lstm(direction: Direction, valid: torch.Tensor | None) -> None:
    h, c, weights, across = direction.h0, direction.c0, direction.weights, direction.across.t()
    assert c is not None
    assert direction.c is not None
    gates = [values.unbind() for values in direction.gates.values()]
    for t, (sums, i, f, g, o, hs, cs) in enumerate(
        zip(direction.sums.unbind(), *gates, direction.h.unbind(), direction.c.unbind())
    ):
        sums.addmm_(h, across)
        candidate = g.tanh()
        sums.sigmoid_()
        g.copy_(candidate)
        torch.mul(f, c, out=cs).addcmul_(i, g)
        if weights.projection is None:
            torch.tanh(cs, out=hs).mul_(o)
        else:
            torch.mm(cs.tanh().mul_(o), weights.projection.t(), out=hs)
        if valid is not None:
            hs.copy_(torch.where(valid[t], hs, h))
            cs.copy_(torch.where(valid[t], cs, c))
        h, c = hs, cs


def _gru(direction: Direction, valid: torch.Tensor | None) -> None:
    h, across, bias = direction.h0, direction.across.t(), direction.weights.hidden_bias
    size = h.shape[1]
    assert direction.carried is not None
    gates = [values.unbind() for values in direction.gates.values()]
    for t, (sums, r, z, n, carried, hs) in enumerate(
        zip(direction.sums.unbind(), *gates, direction.carried.unbind(), direction.h.unbind())
    ):
        back = h @ across if bias is None else torch.addmm(bias, h, across)
        sums[:, : 2 * size].add_(back[:, : 2 * size]).sigmoid_()
        carried.copy_(back[:, 2 * size :])
        n.addcmul_(r, carried).tanh_()
        torch.lerp(n, h, z, out=hs)
        if valid is not None:
            hs.copy_(torch.where(valid[t], hs, h))
        h = hs


def _plain(relu: bool) -> Callable[[Direction, torch.Tensor | None], None]:
    def forward(direction: Direction, valid: torch.Tensor | None) -> None:
        h, across = direction.h0, direction.across.t()
        for t, (sums, hs) in enumerate(zip(direction.sums.unbind(), direction.h.unbind())):
            sums.addmm_(h, across)
            now = sums.relu_() if relu else sums.tanh_()
            hs.copy_(now if valid is None else torch.where(valid[t], now, h))
            h = hs

    return forward


_FORWARD = {"LSTM": _lstm, "GRU": _gru, "RNN_TANH": _plain(False), "RNN_RELU": _plain(True)}


def first_non_finite(kernel: Kernel, rows: Rows) -> dict[str, Any] | None:
    """Where the first number of a recurrence ceases to be finite: layer, direction, time step and gate.

    In the order of execution, layer by layer; None where the replay stays finite. `overflow` tells values that
    outgrew their type, as double precision shows, from operations that are undefined.
    """
    replayed = replay(kernel, rows, dropout=True)
    for index, direction in enumerate(replayed.directions):
        values = {**direction.gates, **({} if direction.c is None else {"c": direction.c}), "h": direction.h}
        bad = {name: _bad_steps(value, replayed.valid) for name, value in values.items()}
        firsts = [int(steps.nonzero()[0]) for steps in bad.values() if bool(steps.any())]
        if not firsts:
            continue
        step = min(firsts)
        gate = next(name for name, steps in bad.items() if bool(steps[step]))
        time = step
        if direction.reverse:
            row = int((~torch.isfinite(values[gate][step])).any(1).nonzero()[0])
            time = rows.lengths[row] - 1 - step
        return {
            "layer": direction.layer,
            "reverse": direction.reverse or None,
            "time": time,
            "gate": gate,
            "overflow": _overflows(kernel, rows, index, step, gate) or None,
        }
    return None


def _bad_steps(values: torch.Tensor, valid: torch.Tensor | None) -> torch.Tensor:
    """Which steps hold a number that is not finite. Shapes: (T, R, N) -> (T)."""
    bad = ~torch.isfinite(values)
    return (bad if valid is None else bad & valid).any(2).any(1)


def _overflows(kernel: Kernel, rows: Rows, index: int, step: int, gate: str) -> bool:
    """Whether a wider type would have held what ceased to be finite there."""
    if rows.x.dtype == torch.float64:
        return False
    weights = [[one.each(torch.Tensor.double) for one in layer] for layer in kernel.weights]
    wide = rows._replace(x=rows.x.double(), state=rows.state.each(lambda s: s.double()))
    direction = replay(kernel._replace(weights=weights), wide, dropout=True).directions[index]
    values = {**direction.gates, "c": direction.c, "h": direction.h}[gate]
    return values is not None and bool(torch.isfinite(values[step]).all())
