"""Looks inside the recurrences at a few steps: how far gradients reach, and what gates and states do.

At an examined step a few rows of every call are copied, and the script's own gradient of them as it passes by. When
the backward pass is over, calls that hand their state on are joined, and the module's kernel is asked again.
"""

from __future__ import annotations

import contextlib
from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from ..writer import Writer
from .chains import joined
from .gates import layers
from .kernel import Kernel, Rows, State, kernel_of, picked_output, rows_of, state_rows
from .lag_gain import lag_gains
from .replay import Replayed, backward, replay

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
        watched = self._watched.get(number)
        if self._done:
            return
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

    def examine(self, step: int, closely: bool) -> None:
        """Writes the lag gains of every module that was called, closely also its layers; forgets the calls.

        closely: with the replay, and the gain of each layer; some five times the cost.
        """
        watched, self._watched = self._watched, {}
        self._done = bool(watched)
        for number, each in watched.items():
            chains = joined([(call.link, call.rows) for call in each.calls])
            rows = max(chains, key=lambda chain: chain.x.shape[0])
            first = sum(chain.calls for chain in chains[: chains.index(rows)]) if len(chains) > 1 else 0
            calls = each.calls[first : first + rows.calls]
            device = rows.x.device.type
            with torch.autocast(device_type=device, enabled=False):
                for fields in lag_gains(each.kernel, rows, closely):
                    self._writer.write("lag_gain", step=step, module=number, **fields)
                if closely:
                    self._replay(step, number, each, rows, calls)

    def forget(self) -> None:
        """The step is over."""
        self._watched.clear()
        self._done = False

    def _replay(self, step: int, number: int, watched: _Watched, rows: Rows, calls: list[_Call]) -> None:
        module, kernel = watched.module, watched.kernel
        dropout = isinstance(module, nn.RNNBase) and module.dropout > 0 and module.training
        replayed = replay(kernel, rows, dropout)
        self._writer.write(
            "replay", step=step, module=number, rows=len(rows.lengths), time=rows.x.shape[0],
            calls=rows.calls if rows.calls > 1 else None, error=replayed.error, exact=replayed.exact,
        )  # fmt: skip
        if replayed.exact:
            gradients = _gradients(replayed, rows, calls)
            for fields in layers(replayed, gradients):
                self._writer.write("layer", step=step, module=number, **fields)


def _gradients(replayed: Replayed, rows: Rows, calls: list[_Call]) -> Any:
    """dL/dh and dL/dc by layer and time, where the gradients that came by tell them."""
    if len(calls) > 1:
        return None
    (call,) = calls
    if call.output is None and call.h is None and call.c is None:
        return None
    count = len(rows.lengths)
    output = None if call.output is None else call.output[: rows.x.shape[0], :count].to(rows.x.dtype)
    state = None
    if call.h is not None or call.c is not None:
        h, c = (None if g is None else g[:, :count].to(rows.x.dtype) for g in (call.h, call.c))
        initial = rows.state
        state = State(
            torch.zeros_like(initial.h) if h is None else h,
            c if c is not None or initial.c is None else torch.zeros_like(initial.c),
        )
    return backward(replayed, output, state)


def _watch(call: _Call, module: Any, output: Any) -> None:
    """Keeps the script's gradient of the call's rows as it passes by."""
    sequence, final = output if isinstance(output, tuple) and not _is_cell(module) else (output, None)
    if _is_cell(module):
        h, c = output if isinstance(output, tuple) else (output, None)
        _hook(h, lambda gradient: _add(call, "output", picked_output(module, gradient, call.rows.chosen)))
        _hook(c, lambda gradient: _add(call, "c", state_rows(gradient, module, call.rows.chosen)))
        return
    if isinstance(sequence, PackedSequence):
        data, shape = sequence.data, sequence[1:]
        _hook(data, lambda gradient: _add(
            call, "output", picked_output(module, (PackedSequence(gradient, *shape),), call.rows.chosen)
        ))  # fmt: skip
    else:
        _hook(
            sequence, lambda gradient: _add(call, "output", picked_output(module, gradient, call.rows.chosen))
        )
    h, c = final if isinstance(final, tuple) else (final, None)
    _hook(h, lambda gradient: _add(call, "h", state_rows(gradient, module, call.rows.chosen)))
    _hook(c, lambda gradient: _add(call, "c", state_rows(gradient, module, call.rows.chosen)))


def _is_cell(module: Any) -> bool:
    return isinstance(module, nn.modules.rnn.RNNCellBase)


def _add(call: _Call, name: str, rows: torch.Tensor) -> None:
    known = getattr(call, name)
    setattr(call, name, rows.clone() if known is None else known + rows)


def _hook(tensor: Any, take: Any) -> None:
    """Runs within the script's backward pass, which must not see it fail: what is missed is missing."""
    if not (isinstance(tensor, torch.Tensor) and tensor.requires_grad):
        return

    def hook(gradient: torch.Tensor | None) -> None:
        if gradient is not None:  # of an LSTM's output where the final state alone is read (torch 2.13, CPU)
            with contextlib.suppress(Exception):
                take(gradient.detach())

    tensor.register_hook(hook)
