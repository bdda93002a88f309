"""The way back through a replay: gradients of every state, of any number of losses at once.

Written out by hand: through few rows it is faster than autograd, and what is dear is to read the weights, which all
losses share.
"""

from __future__ import annotations

from typing import Any, Iterator, NamedTuple

import torch

from .kernel import GATES, State
from .replay import Direction, Replayed, reordered


class Gradients(NamedTuple):
    """Gradients of the states of one direction, in its own order, all paths counted; 0 on padding."""

    h: torch.Tensor
    """(T, S, R, P) of S losses"""
    c: torch.Tensor | None
    """(T, S, R, H)"""

    def of(self, loss: int) -> Gradients:
        """Those of one loss. Shapes: (T, R, ...)"""
        return Gradients(self.h[:, loss], None if self.c is None else self.c[:, loss])


class Backpropagated(NamedTuple):
    """What came back."""

    directions: list[Gradients]
    """In the order of `Replayed.directions`."""
    inputs: list[torch.Tensor]
    """Gradient of each layer's input, (T, S, R, I), where it was asked for; else empty."""


def backward(replayed: Replayed, output: torch.Tensor | None, state: State | None) -> list[Gradients]:
    """dL/dh (T, R, P) and dL/dc (T, R, H) of every direction, in the order of `replayed.directions`.

    output: dL/d output, (T, R, D*P); state: dL/d final state, as the state. None where the loss does not read it.
    """
    above = torch.zeros_like(replayed.output) if output is None else output
    one = None if state is None else state.each(lambda s: s.unsqueeze(1))
    return [
        g.of(0)
        for g in propagate(
            replayed, [None] * (replayed.kernel.layers - 1) + [above.unsqueeze(1)], one
        ).directions
    ]


def propagate(
    replayed: Replayed, outputs: list[torch.Tensor | None], state: State | None, inputs: bool = False
) -> Backpropagated:
    """Runs losses back from what they take of each layer's output, and of the final states.

    outputs: by layer, the last one's always, for the output of a module is that of its last layer. A layer below may
    be read by more losses, which come after those from above. inputs: whether the gradients of the layers' inputs are
    wanted.

    Shapes: outputs (T, S, R, D*P); state (L*D, S, R, ...) of the first losses, the others do not read it.
    """
    kernel, valid = replayed.kernel, replayed.valid
    with torch.no_grad():
        above: Any = None
        found: list[Gradients] = []
        below: list[torch.Tensor] = []
        for layer in reversed(range(kernel.layers)):
            own = outputs[layer]
            above = own if above is None else above if own is None else _joined(above, own)
            if valid is not None:
                above = above.masked_fill(~valid.unsqueeze(1), 0)
            gradients, down = _through(replayed, layer, above, state, inputs or layer > 0)
            found = gradients + found
            if inputs and down is not None:
                below.insert(0, down)
            above = down
    return Backpropagated(found, below)


def _joined(above: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    """The losses from above are the first of the layer's own. Shapes: (T, S, R, N), (T, S + n, R, N) -> the latter."""
    count = above.shape[1]
    both = above + own[:, :count]
    return both if count == own.shape[1] else torch.cat([both, own[:, count:]], 1)


def _filled(given: torch.Tensor, size: int, state: torch.Tensor | None) -> torch.Tensor:
    """The gradient of a final state, 0 for losses that do not read it. Shapes: given (T, S, R, N) -> (S, R, size)."""
    whole = given.new_zeros(*given.shape[1:3], size)
    if state is not None:
        whole[: len(state)] = state
    return whole


def _through(
    replayed: Replayed, layer: int, above: torch.Tensor, state: State | None, inputs: bool
) -> tuple[list[Gradients], torch.Tensor | None]:
    """Gradients of the directions of one layer, and of its input."""
    kernel, gradients, below = replayed.kernel, [], None
    for side, share in enumerate(above.chunk(kernel.directions, -1)):
        index = layer * kernel.directions + side
        direction = replayed.directions[index]
        given = reordered(share, replayed.order) if side else share
        last_h = _filled(given, given.shape[-1], None if state is None else state.h[index])
        last_c = None
        if direction.c0 is not None:
            of_c = None if state is None or state.c is None else state.c[index]
            last_c = _filled(given, kernel.hidden_size, of_c)
        own, sums = _BACKWARD[kernel.mode](direction, given, last_h, last_c, replayed.valid)
        gradients.append(own)
        if inputs:
            down = sums @ direction.weights.input
            down = reordered(down, replayed.order) if side else down
            below = down if below is None else below + down
    return gradients, below


def _backwards(*values: torch.Tensor | None) -> Iterator[tuple[Any, ...]]:
    """The slices of each step, the last first; None of what is absent. Shapes: (T, ...)."""
    time = next(len(each) for each in values if each is not None)
    # All slices at once cost a tenth of as many looks by index.
    return reversed(list(zip(*([None] * time if each is None else each.unbind() for each in values))))


def _lstm(
    direction: Direction, given: torch.Tensor, dh: torch.Tensor, dc: Any, valid: torch.Tensor | None
) -> tuple[Gradients, torch.Tensor]:
    i, f, g, o = (direction.gates[name] for name in GATES["LSTM"])
    c, projection, across = direction.c, direction.weights.projection, direction.across
    assert c is not None
    assert direction.c0 is not None
    before = torch.cat([direction.c0.unsqueeze(0), c[:-1]])
    squashed = c.tanh()
    through = o * (1 - squashed * squashed)
    # Each factor stands where its gate does in the block of sums: what c sends to i, f and g, and what h sends to o.
    slopes = torch.stack([g * i * (1 - i), before * f * (1 - f), i * (1 - g * g)], 2)
    slopes_o = squashed * o * (1 - o)
    all_h = torch.empty_like(given)
    all_c = given.new_empty(*given.shape[:3], c.shape[2])
    sums = given.new_empty(*given.shape[:3], 4 * c.shape[2])
    blocks = sums.unflatten(-1, (4, -1))
    for now_h, now_c, wide_c, taken, ifg, of_o, sent, slope, slope_o, slope_h, forget, kept in _backwards(
        all_h, all_c, all_c.unsqueeze(-2), given, blocks[..., :3, :], blocks[..., 3, :], sums,
        slopes, slopes_o, through, f, valid,
    ):  # fmt: skip
        torch.add(dh, taken, out=now_h)
        inner = now_h if projection is None else now_h @ projection
        torch.addcmul(dc, inner, slope_h, out=now_c)
        torch.mul(slope, wide_c, out=ifg)
        torch.mul(slope_o, inner, out=of_o)
        dh_before, dc_before = sent @ across, now_c * forget
        if kept is not None:
            dh_before = torch.where(kept, dh_before, now_h)
            dc_before = torch.where(kept, dc_before, dc)
            for padded in (sent, now_h, now_c):
                padded.masked_fill_(~kept, 0)
        dh, dc = dh_before, dc_before
    return Gradients(all_h, all_c), sums


def _gru(
    direction: Direction, given: torch.Tensor, dh: torch.Tensor, _dc: Any, valid: torch.Tensor | None
) -> tuple[Gradients, torch.Tensor]:
    r, z, n = (direction.gates[name] for name in GATES["GRU"])
    h, across, carried = direction.h, direction.across, direction.carried
    assert carried is not None
    before = torch.cat([direction.h0.unsqueeze(0), h[:-1]])
    slope_n = (1 - z) * (1 - n * n)
    slope_z = (before - n) * z * (1 - z)
    slope_r = carried * r * (1 - r)
    all_h = torch.empty_like(given)
    sums = given.new_empty(*given.shape[:3], 3 * h.shape[2])
    for now, taken, sent, of_n, of_z, of_r, reset, update, kept in _backwards(
        all_h, given, sums, slope_n, slope_z, slope_r, r, z, valid
    ):
        torch.add(dh, taken, out=now)
        dn = now * of_n
        gates = torch.cat([dn * of_r, now * of_z], -1)
        dh_before = torch.addcmul(torch.cat([gates, dn * reset], -1) @ across, now, update)
        torch.cat([gates, dn], -1, out=sent)
        if kept is not None:
            dh_before = torch.where(kept, dh_before, now)
            for padded in (sent, now):
                padded.masked_fill_(~kept, 0)
        dh = dh_before
    return Gradients(all_h, None), sums


def _plain(relu: bool) -> Any:
    def run(
        direction: Direction, given: torch.Tensor, dh: torch.Tensor, _dc: Any, valid: torch.Tensor | None
    ) -> tuple[Gradients, torch.Tensor]:
        (a,) = direction.gates.values()
        slopes = (a > 0).to(a.dtype) if relu else 1 - a * a
        all_h, sums = torch.empty_like(given), torch.empty_like(given)
        for now, taken, sent, slope, kept in _backwards(all_h, given, sums, slopes, valid):
            torch.add(dh, taken, out=now)
            dh = torch.mul(now, slope, out=sent) @ direction.across
            if kept is not None:
                dh = torch.where(kept, dh, now)
                for padded in (sent, now):
                    padded.masked_fill_(~kept, 0)
        return Gradients(all_h, None), sums

    return run


_BACKWARD = {"LSTM": _lstm, "GRU": _gru, "RNN_TANH": _plain(False), "RNN_RELU": _plain(True)}
