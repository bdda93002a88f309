"""Looks inside the recurrences at a few steps: how far gradients reach, and what gates and states do.

At an examined step a few rows of every call are copied, and the script's own gradient of them as it passes by. When
the backward pass is over, calls that hand their state on are joined, and the module's kernel is asked again.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Container

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from ..writer import Writer
from .backpropagation import backward
from .chains import joined
from .gates import layers
from .injections import Pull, Seen, see_back
from .kernel import Kernel, Rows, State, kernel_of, picked_output, rows_of, state_rows
from .lag_gain import lag_gains
from .replay import replay

_ROWS = 2
"""Rows that are examined: their cost is that of the weights, which every kernel reads anew."""
_MOST_CALLS = 512
"""Calls of one module that are kept of one step: a decoder makes one for each step of time."""


class _Call:
    """One call of a module: a few rows of it, and the script's gradient of them."""

    def __init__(self, link: str, rows: Rows) -> None:
        self.link = link
        self.rows = rows
        self.output: torch.Tensor | None = None
        """dL/d output. Shape: (T, R, D*P)"""
        self.h: torch.Tensor | None = None
        self.c: torch.Tensor | None = None
        """dL/d final state. Shapes: (L*D, R, ...)"""


class _Watched:
    """The calls that one module made in this step."""

    def __init__(self, module: Any, kernel: Kernel) -> None:
        self.module = module
        self.kernel = kernel
        self.calls: list[_Call] = []


class Examiner:
    """Gathers the calls of an examined step, and writes what they show when its backward pass is over."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._watched: dict[int, _Watched] = {}
        self._done = False
        """This step has been examined; further micro-batches of it are not."""

    def on_call(self, number: int, module: Any, given: Any, state: Any, output: Any, link: str) -> None:
        """A recurrent module ran forward with gradients; `link` tells where its initial state came from."""
        if self._done:
            return
        watched = self._watched.get(number)
        if watched is None:
            kernel = kernel_of(module)
            if kernel is None:
                return
            watched = self._watched[number] = _Watched(module, kernel)
        if len(watched.calls) >= _MOST_CALLS:
            return
        call = _Call(link, rows_of(module, watched.kernel, given, state, output, _ROWS))
        watched.calls.append(call)
        _watch(call, module, output)

    def examine(self, step: int, closely: bool, measured: Container[int] = ()) -> None:
        """Writes the lag gains of every module that was called, closely also its layers; forgets the calls.

        measured: modules whose lag gain is known already, of longer stretches than calls can be joined to.
        closely: also the gain of each layer, and the gradient that the script's loss sends to every state.
        """
        watched, self._watched = self._watched, {}
        self._done = self._done or bool(watched)
        for number, each in watched.items():
            chains = joined([(call.link, call.rows) for call in each.calls])
            longest = max(range(len(chains)), key=lambda k: chains[k].x.shape[0])
            rows = chains[longest]
            first = sum(chain.calls for chain in chains[:longest])
            calls = each.calls[first : first + rows.calls]
            with torch.autocast(device_type=rows.x.device.type, enabled=False):
                self._look(step, number, each, rows, calls, closely, number not in measured)

    def forget(self) -> None:
        """The step is over."""
        self._watched.clear()
        self._done = False

    def _look(
        self,
        step: int,
        number: int,
        watched: _Watched,
        rows: Rows,
        calls: list[_Call],
        closely: bool,
        gains: bool,
    ) -> None:
        """Through the replay, or where that is not exact or not cheap through the module's own kernel."""
        kernel, cheap = watched.kernel, _is_cheap(rows)
        replayed = (
            replay(kernel, rows, _drops(watched.module), thorough=step == 1) if cheap or closely else None
        )
        pull = _pull(rows, calls) if closely else None
        if replayed is not None and replayed.exact and cheap:
            seen = see_back(replayed, rows, closely, pull)
        else:
            gradients = None
            if replayed is not None and replayed.exact and pull is not None:
                gradients = backward(replayed, pull.output, pull.state)
            seen = Seen(lag_gains(kernel, rows, closely), gradients)
        for fields in seen.gains if gains else ():
            self._writer.write("lag_gain", step=step, module=number, **fields)
        if replayed is not None and (closely or not replayed.exact):
            self._writer.write(
                "replay", step=step, module=number, rows=len(rows.lengths), time=rows.x.shape[0],
                calls=rows.calls if rows.calls > 1 else None, error=replayed.error, exact=replayed.exact,
            )  # fmt: skip
        if replayed is not None and replayed.exact and closely:
            for fields in layers(replayed, seen.gradients):
                self._writer.write("layer", step=step, module=number, **fields)


def _is_cheap(rows: Rows) -> bool:
    """Whether the replay takes less than the kernel: on a CPU, without the kernel's reordering of the weights.

    In half precision small gradients are zero.
    """
    return rows.x.device.type == "cpu" and rows.x.dtype in (torch.float32, torch.float64)


def _drops(module: Any) -> bool:
    return isinstance(module, nn.RNNBase) and module.dropout > 0 and module.training


def _pull(rows: Rows, calls: list[_Call]) -> Pull | None:
    """What the script's loss takes, where the gradients that came by tell it."""
    if len(calls) > 1:
        return None
    (call,) = calls
    if call.output is None and call.h is None and call.c is None:
        return None
    output = None if call.output is None else call.output[: rows.x.shape[0]].to(rows.x.dtype)
    state = None
    if call.h is not None or call.c is not None:
        h, c = (None if g is None else g.to(rows.x.dtype) for g in (call.h, call.c))
        initial = rows.state
        state = State(
            torch.zeros_like(initial.h) if h is None else h,
            c if c is not None or initial.c is None else torch.zeros_like(initial.c),
        )
    return Pull(output, state)


def _watch(call: _Call, module: Any, output: Any) -> None:
    """Keeps the script's gradient of the call's rows as it passes by."""
    chosen = call.rows.chosen

    def pick_output(gradient: torch.Tensor) -> torch.Tensor:
        return picked_output(module, gradient, chosen)

    def pick_state(gradient: torch.Tensor) -> torch.Tensor:
        return state_rows(gradient, module, chosen)

    if _is_cell(module):
        h, c = output if isinstance(output, tuple) else (output, None)
        _hook(call, "output", h, pick_output)
    else:
        sequence, final = output
        h, c = final if isinstance(final, tuple) else (final, None)
        if isinstance(sequence, PackedSequence):
            _hook(call, "output", sequence.data, _packed_picker(module, sequence[1:], chosen))
        else:
            _hook(call, "output", sequence, pick_output)
        _hook(call, "h", h, pick_state)
    _hook(call, "c", c, pick_state)


def _packed_picker(module: Any, order: Any, chosen: list[int]) -> Callable[[torch.Tensor], torch.Tensor]:
    """order: what a PackedSequence has beside its data. A hook that held the data would keep its graph alive."""

    def pick(gradient: torch.Tensor) -> torch.Tensor:
        return picked_output(module, (PackedSequence(gradient, *order),), chosen)

    return pick


def _is_cell(module: Any) -> bool:
    return isinstance(module, nn.modules.rnn.RNNCellBase)


def _hook(call: _Call, name: str, tensor: Any, pick: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """Adds up the rows of a tensor's gradient. What fails within the script's backward pass is missing, no more."""
    if not (isinstance(tensor, torch.Tensor) and tensor.requires_grad):
        return

    def hook(gradient: torch.Tensor | None) -> None:
        if gradient is None:  # of an LSTM's output where the final state alone is read (torch 2.13, CPU)
            return
        with contextlib.suppress(Exception):
            rows, known = pick(gradient.detach()), getattr(call, name)
            setattr(call, name, rows.clone() if known is None else known + rows)

    tensor.register_hook(hook)
