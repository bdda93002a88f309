"""The gain by lag from an exact replay: injections share one way back with the gradient of the script's loss.

On a CPU the module's own kernel brings its weights into an order of its own at every call, which for a few rows costs
several times what the recurrence itself does.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from .backpropagation import Gradients, propagate
from .kernel import Rows, State
from .lag_gain import COTANGENTS, FEWEST_STEPS, cotangents, long_rows, profile_of, spread
from .replay import Replayed


class Pull(NamedTuple):
    """What the script's loss takes."""

    output: torch.Tensor | None
    """dL/d output, (T, R, D*P)"""
    state: State | None
    """dL/d final state, (L*D, R, ...)"""


class _Injection(NamedTuple):
    """One gradient at one end of the output of one layer, of every row."""

    layer: int
    reverse: bool
    cotangent: torch.Tensor
    """(R, P), 0 for short rows"""


class Seen(NamedTuple):
    """What came back through the replay."""

    gains: list[dict[str, Any]]
    """The fields of `lag_gain` records: of the whole module in each direction, and if asked of each layer."""
    gradients: list[Gradients] | None
    """Of the script's loss, by direction; None where it was not given."""


def see_back(replayed: Replayed, rows: Rows, by_layer: bool, pull: Pull | None) -> Seen:
    """Sends all injections back through the replay of the rows, and what the script's loss takes along with them."""
    injections = _injections(replayed, rows, by_layer)
    if not injections and pull is None:
        return Seen([], None)
    first = 0 if pull is None else 1  # what the script's loss takes comes before all injections
    back = propagate(
        replayed,
        _outputs(replayed, rows, injections, pull),
        None if pull is None or pull.state is None else pull.state.each(lambda s: s.unsqueeze(1)),
        inputs=bool(injections),
    )
    gradients = None if pull is None else [own.of(0) for own in back.directions]
    inputs = [gradient[:, first:] for gradient in back.inputs]
    return Seen(_gains(replayed, rows, injections, inputs, by_layer), gradients)


def _injections(replayed: Replayed, rows: Rows, by_layer: bool) -> list[_Injection]:
    """Those of the last layer, which serve the whole module and that layer, before those of each layer below it."""
    kernel, kept = replayed.kernel, long_rows(rows.lengths)
    if min(rows.lengths[k] for k in kept) < FEWEST_STEPS:
        return []
    found = []
    for layer in reversed(range(0 if by_layer else kernel.layers - 1, kernel.layers)):
        generator = torch.Generator().manual_seed(0)
        for reverse in [False, True][: kernel.directions]:
            drawn = cotangents(
                generator, replayed.output.new_empty(COTANGENTS * len(kept), kernel.output_size)
            )
            for each in drawn.chunk(COTANGENTS):
                cotangent = each.new_zeros(len(rows.lengths), kernel.output_size)
                cotangent[kept] = each
                found.append(_Injection(layer, reverse, cotangent))
    return found


def _outputs(
    replayed: Replayed, rows: Rows, injections: list[_Injection], pull: Pull | None
) -> list[torch.Tensor | None]:
    """What each loss takes of each layer's output: of layers above the one that it is injected in, none is asked.

    Shapes: (T, S, R, D*P).
    """
    size, first = replayed.kernel.output_size, 0 if pull is None else 1
    last, every = _last_steps(rows), torch.arange(len(rows.lengths), device=rows.x.device)
    outputs: list[torch.Tensor | None] = []
    for layer in range(replayed.kernel.layers):
        is_top = layer == replayed.kernel.layers - 1
        mine = [k for k, injection in enumerate(injections) if injection.layer == layer]
        if not mine and not is_top:
            outputs.append(None)
            continue
        sets = first + max(mine, default=-1) + 1
        given = replayed.output.new_zeros(len(replayed.output), sets, *replayed.output.shape[1:])
        if is_top and pull is not None and pull.output is not None:
            given[:, 0] = pull.output
        for place in mine:
            if injections[place].reverse:
                given[0, first + place, :, size:] = injections[place].cotangent
            else:
                given[last, first + place, every, :size] = injections[place].cotangent
        outputs.append(given)
    return outputs


def _last_steps(rows: Rows) -> torch.Tensor:
    return torch.tensor(rows.lengths, device=rows.x.device) - 1


def _gains(
    replayed: Replayed, rows: Rows, injections: list[_Injection], inputs: list[torch.Tensor], by_layer: bool
) -> list[dict[str, Any]]:
    """Each injection as it arrives at the input of the module or of its layer. Shapes: inputs (T, S, R, I)."""
    top = replayed.kernel.layers - 1
    levels: list[tuple[int | None, int, int]] = [(None, top, 0)]
    if by_layer and top > 0:
        levels += [(layer, layer, layer) for layer in range(top + 1)]
    found = []
    for name, injected, arrived in levels:
        for reverse in [False, True][: replayed.kernel.directions]:
            places = [k for k, i in enumerate(injections) if (i.layer, i.reverse) == (injected, reverse)]
            # Those of one layer and direction stand side by side.
            own = inputs[arrived][:, places[0] : places[-1] + 1] if places else None
            profile = None if own is None else _profile(own, rows, reverse)
            if profile is not None:
                fields, samples = profile
                fields["rows"] = len(long_rows(rows.lengths))
                if name is None:
                    more = {"samples": samples, "calls": rows.calls if rows.calls > 1 else None}
                else:
                    more = {"layer": name}
                found.append({**fields, **more})
    return found


def _profile(gradient: torch.Tensor, rows: Rows, reverse: bool) -> Any:
    """Of the long rows, back from each one's own end. Shapes: (T, S, R, I)."""
    kept = long_rows(rows.lengths)
    some = gradient if len(kept) == len(rows.lengths) else gradient[:, :, kept]
    norms = some.double().norm(dim=-1).log10()
    lags = spread(min(rows.lengths[k] for k in kept))
    back = torch.tensor(lags, device=rows.x.device).unsqueeze(1)
    index = back.expand(-1, len(kept)) if reverse else _last_steps(rows)[kept] - back
    gain = norms.gather(0, index.unsqueeze(1).expand(-1, norms.shape[1], -1)).flatten(1)
    return profile_of(gain, reverse, lags)
