"""A recurrence computed once more, step by step, on a few rows: what the fused kernels do not show.

Gates, candidates, cell and hidden states of every layer and direction, and the gradient that the script's own loss
sends to each of them. The backward pass is written out by hand: through few rows it is faster than autograd.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from .kernel import GATES, Kernel, Rows, State, Weights, run

_TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4}
_COARSE = 1e-2
"""Of half precision, and of float32 products that a device rounds to fewer digits (TF32)."""


class Direction(NamedTuple):
    """One layer and direction. Tensors stand in the order in which the recurrence meets the steps."""

    layer: int
    reverse: bool
    weights: Weights
    x: torch.Tensor
    """(T, R, I)"""
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
        return _reordered(values, self.order) if direction.reverse else values


class Gradients(NamedTuple):
    """dL/dh (T, R, P) and dL/dc (T, R, H) of one direction, in its own order, all paths counted; 0 on padding."""

    h: torch.Tensor
    c: torch.Tensor | None


def replay(kernel: Kernel, rows: Rows, dropout: bool = False) -> Replayed:
    """The replay of these rows, held against what the module returned.

    dropout: the module drops units between its layers by a mask that nobody knows. Its layers are then replayed
    without, and held against its kernel without.
    """
    with torch.no_grad():
        order, valid = _padding(rows)
        x, directions = rows.x, []
        for layer, both in enumerate(kernel.weights):
            outputs = []
            for side, weights in enumerate(both):
                index = layer * kernel.directions + side
                h0, c0 = rows.state.h[index], None if rows.state.c is None else rows.state.c[index]
                given = _reordered(x, order) if side else x
                found = _FORWARD[kernel.mode](weights, given, h0, c0, valid)
                direction = Direction(layer, side == 1, weights, given, h0, c0, *found)
                directions.append(direction)
                outputs.append(_reordered(direction.h, order) if side else direction.h)
            x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, 2)
            if valid is not None:
                x = x.masked_fill(~valid, 0)
        truth = run(kernel, rows.x, rows.state, rows.lengths)[0] if dropout else rows.output
        error = _relative(x, truth)
    return Replayed(kernel, directions, order, valid, x, error, error <= _tolerance(rows))


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


def _reordered(values: torch.Tensor, order: torch.Tensor | None) -> torch.Tensor:
    if order is None:
        return values.flip(0)
    return values.gather(0, order.unsqueeze(2).expand_as(values))


def _driven(weights: Weights, x: torch.Tensor, hidden_bias: bool) -> torch.Tensor:
    """What the inputs alone give to all gates of all steps. Shapes: x (T, R, I) -> (T, R, G*H)."""
    sums = x @ weights.input.t()
    if weights.input_bias is not None:
        sums = sums + weights.input_bias
        if hidden_bias and weights.hidden_bias is not None:
            sums = sums + weights.hidden_bias
    return sums


def _lstm(weights: Weights, x: torch.Tensor, h: torch.Tensor, c: Any, valid: torch.Tensor | None) -> Any:
    sums = _driven(weights, x, True)
    size = sums.shape[2] // 4
    hs, cs = x.new_empty(*x.shape[:2], h.shape[1]), x.new_empty(*x.shape[:2], size)
    across = weights.hidden.t()
    for t in range(x.shape[0]):
        now = torch.addmm(sums[t], h, across)
        candidate = now[:, 2 * size : 3 * size].tanh()
        now.sigmoid_()
        now[:, 2 * size : 3 * size] = candidate
        i, f, g, o = now.split(size, 1)
        new_c = torch.addcmul(f * c, i, g)
        new_h = o * new_c.tanh()
        if weights.projection is not None:
            new_h = new_h @ weights.projection.t()
        if valid is not None:
            new_h, new_c = torch.where(valid[t], new_h, h), torch.where(valid[t], new_c, c)
        h, c = new_h, new_c
        sums[t], hs[t], cs[t] = now, h, c
    return dict(zip(GATES["LSTM"], sums.split(size, 2))), hs, cs, None


def _gru(weights: Weights, x: torch.Tensor, h: torch.Tensor, _c: Any, valid: torch.Tensor | None) -> Any:
    sums = _driven(weights, x, False)
    size = h.shape[1]
    hs, carried = x.new_empty(*x.shape[:2], size), x.new_empty(*x.shape[:2], size)
    across, bias = weights.hidden.t(), weights.hidden_bias
    for t in range(x.shape[0]):
        back = h @ across if bias is None else torch.addmm(bias, h, across)
        now = sums[t]
        now[:, : 2 * size] = (now[:, : 2 * size] + back[:, : 2 * size]).sigmoid_()
        carried[t] = back[:, 2 * size :]
        now[:, 2 * size :] = torch.addcmul(now[:, 2 * size :], now[:, :size], carried[t]).tanh_()
        _, z, n = now.split(size, 1)
        new_h = torch.lerp(n, h, z)
        h = new_h if valid is None else torch.where(valid[t], new_h, h)
        hs[t] = h
    return dict(zip(GATES["GRU"], sums.split(size, 2))), hs, None, carried


def _plain(relu: bool) -> Any:
    def forward(
        weights: Weights, x: torch.Tensor, h: torch.Tensor, _c: Any, valid: torch.Tensor | None
    ) -> Any:
        sums = _driven(weights, x, True)
        across = weights.hidden.t()
        hs = torch.empty_like(sums)
        for t in range(x.shape[0]):
            now = torch.addmm(sums[t], h, across)
            sums[t] = now.relu_() if relu else now.tanh_()
            h = now if valid is None else torch.where(valid[t], now, h)
            hs[t] = h
        return {"h": sums}, hs, None, None

    return forward


_FORWARD = {"LSTM": _lstm, "GRU": _gru, "RNN_TANH": _plain(False), "RNN_RELU": _plain(True)}


def backward(replayed: Replayed, output: torch.Tensor | None, state: State | None) -> list[Gradients]:
    """dL/dh and dL/dc of every direction, in the order of `replayed.directions`.

    output: dL/d output, (T, R, D*P); state: dL/d final state, as the state. None where the loss does not read it.
    """
    kernel = replayed.kernel
    with torch.no_grad():
        above = torch.zeros_like(replayed.output) if output is None else output
        found: list[Gradients] = []
        for layer in reversed(range(kernel.layers)):
            if replayed.valid is not None:
                above = above.masked_fill(~replayed.valid, 0)
            below: Any = None
            gradients = []
            for side, share in enumerate(above.chunk(kernel.directions, 2)):
                index = layer * kernel.directions + side
                direction = replayed.directions[index]
                last_h = torch.zeros_like(direction.h0) if state is None else state.h[index]
                last_c = None if state is None or state.c is None else state.c[index]
                given = _reordered(share, replayed.order) if side else share
                own, sums = _BACKWARD[kernel.mode](direction, given, last_h, last_c, replayed.valid)
                gradients.append(own)
                if layer:
                    down = sums @ direction.weights.input
                    down = _reordered(down, replayed.order) if side else down
                    below = down if below is None else below + down
            found = gradients + found
            above = below
    return found


def _lstm_back(
    direction: Direction, given: torch.Tensor, dh: torch.Tensor, dc: Any, valid: torch.Tensor | None
) -> tuple[Gradients, torch.Tensor]:
    i, f, g, o = (direction.gates[name] for name in GATES["LSTM"])
    c, weights = direction.c, direction.weights
    assert c is not None
    assert direction.c0 is not None
    before = torch.cat([direction.c0.unsqueeze(0), c[:-1]])
    squashed = c.tanh()
    through = o * (1 - squashed * squashed)
    # Each factor stands where its gate does in the block of sums.
    slopes = torch.cat([g * i * (1 - i), before * f * (1 - f), i * (1 - g * g), squashed * o * (1 - o)], 2)
    all_h, all_c, sums = torch.empty_like(given), torch.empty_like(c), torch.empty_like(slopes)
    dc = torch.zeros_like(direction.c0) if dc is None else dc
    for t in reversed(range(len(c))):
        now_h = dh + given[t]
        inner = now_h if weights.projection is None else now_h @ weights.projection
        now_c = torch.addcmul(dc, inner, through[t])
        da = slopes[t] * torch.cat([now_c, now_c, now_c, inner], 1)
        dh_before, dc_before = da @ weights.hidden, now_c * f[t]
        if valid is not None:
            da = da.masked_fill(~valid[t], 0)
            dh_before, dc_before = (
                torch.where(valid[t], dh_before, now_h),
                torch.where(valid[t], dc_before, dc),
            )
            now_h, now_c = now_h.masked_fill(~valid[t], 0), now_c.masked_fill(~valid[t], 0)
        all_h[t], all_c[t], sums[t] = now_h, now_c, da
        dh, dc = dh_before, dc_before
    return Gradients(all_h, all_c), sums


def _gru_back(
    direction: Direction, given: torch.Tensor, dh: torch.Tensor, _dc: Any, valid: torch.Tensor | None
) -> tuple[Gradients, torch.Tensor]:
    r, z, n = (direction.gates[name] for name in GATES["GRU"])
    h, weights, carried = direction.h, direction.weights, direction.carried
    assert carried is not None
    before = torch.cat([direction.h0.unsqueeze(0), h[:-1]])
    slope_n = (1 - z) * (1 - n * n)
    slope_z = (before - n) * z * (1 - z)
    slope_r = carried * r * (1 - r)
    all_h = torch.empty_like(given)
    sums = given.new_empty(*given.shape[:2], 3 * h.shape[2])
    for t in reversed(range(len(h))):
        now = dh + given[t]
        dn = now * slope_n[t]
        gates = torch.cat([dn * slope_r[t], now * slope_z[t]], 1)
        across = torch.cat([gates, dn * r[t]], 1)
        dh_before = torch.addmm(now * z[t], across, weights.hidden)
        da = torch.cat([gates, dn], 1)
        if valid is not None:
            da = da.masked_fill(~valid[t], 0)
            dh_before, now = torch.where(valid[t], dh_before, now), now.masked_fill(~valid[t], 0)
        all_h[t], sums[t] = now, da
        dh = dh_before
    return Gradients(all_h, None), sums


def _plain_back(relu: bool) -> Any:
    def backward(
        direction: Direction, given: torch.Tensor, dh: torch.Tensor, _dc: Any, valid: torch.Tensor | None
    ) -> tuple[Gradients, torch.Tensor]:
        (a,) = direction.gates.values()
        slopes = (a > 0).to(a.dtype) if relu else 1 - a * a
        all_h, sums = torch.empty_like(given), torch.empty_like(given)
        for t in reversed(range(len(a))):
            now = dh + given[t]
            da = now * slopes[t]
            dh = da @ direction.weights.hidden
            if valid is not None:
                da, dh = da.masked_fill(~valid[t], 0), torch.where(valid[t], dh, now)
                now = now.masked_fill(~valid[t], 0)
            all_h[t], sums[t] = now, da
        return Gradients(all_h, None), sums

    return backward


_BACKWARD = {
    "LSTM": _lstm_back,
    "GRU": _gru_back,
    "RNN_TANH": _plain_back(False),
    "RNN_RELU": _plain_back(True),
}


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
