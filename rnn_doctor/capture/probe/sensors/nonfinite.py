"""Where NaN or Inf was first seen."""

from __future__ import annotations

from typing import Any, Iterable

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from ..naming import Naming
from ..origins import Origins
from ..places import here
from ..recurrence.kernel import GATES, kernel_of, mode_of, picked, picked_output, rows_of, time_and_batch
from ..recurrence.replay import first_non_finite
from ..writer import Writer
from .broken_operations import BrokenOperations

_MOST_NAMED = 5
_MOST_CALLS = 512
"""Calls of one module that are kept at hand: a loop over time makes many."""

_Call = tuple[Any, Any, Any, Any]


class NonFinites:
    """Keeps the step's recurrent calls at hand, and searches them once when a number is not finite."""

    def __init__(self, writer: Writer, naming: Naming, origins: Origins) -> None:
        self._writer = writer
        self._naming = naming
        self._calls: dict[int, list[_Call]] = {}
        self._lines: dict[int, dict[str, Any] | None] = {}
        """Where each module was called first: the stack is not walked at every step."""
        self.found = False
        self.operations = BrokenOperations(writer, origins)

    def on_call(self, module: Any, given: Any, state: Any, output: Any) -> None:
        """One call of a module; its tensors live until the backward pass, in sampled steps until the update."""
        calls = self._calls.get(id(module))
        if calls is None:
            calls = self._calls[id(module)] = []
            if id(module) not in self._lines:
                self._lines[id(module)] = here()
        if len(calls) < _MOST_CALLS:
            calls.append((module, given, state, output))

    def forget(self) -> None:
        """What was called is of no use any more."""
        self._calls.clear()

    def search(
        self,
        step: int,
        parameters: Iterable[torch.Tensor],
        loss: float | None,
        gradients_bad: bool,
        made: torch.Tensor | None = None,
    ) -> None:
        """Writes what is not finite, in the order of execution: the first record is the origin.

        made: the loss with its graph, where that is still there.
        """
        self.found = True
        tensors = list(parameters)
        weights = [p for p in tensors if not _finite(p)]
        self._write_named(step, "weight", weights)
        seen = [
            each for calls in self._calls.values() for each in self._search_calls(calls, replay=not weights)
        ]
        broke = loss is not None and loss - loss != 0
        seek = broke and made is not None and not weights
        between = bool(seen) and seen[0]["what"] != "output"  # what a module was given was made before
        if seek and between:
            self.operations.search(step, made)  # type: ignore[arg-type]
        for fields in seen:
            self._writer.write("non_finite", step=step, **fields)
        if broke:
            if seek and not between:
                self.operations.search(step, made)  # type: ignore[arg-type]
            self._writer.write("non_finite", step=step, what="loss", subject="loss", location=here())
        if gradients_bad:
            # The backward pass runs from the loss to the inputs, the parameters stand the other way round.
            found = [p for p in reversed(tensors) if p.grad is not None and not _finite(p.grad)]
            self._write_named(step, "gradient", found)

    def _search_calls(self, calls: list[_Call], replay: bool) -> list[dict[str, Any]]:
        """What the first of one module's calls took or gave that is not finite, as fields of records."""
        before = 0
        for module, given, state, output in calls:
            values = (("input", given), ("state", state), ("output", output))
            bad = [what for what, value in values if not _finite(value)]
            inner: dict[str, Any] = {}
            if bad == ["output"] and replay:
                inner = _inside(module, given, state, output, before)
            elif bad and bad[0] == "input":
                inner = {"time": before + _first_bad_step(module, given)}
            elif bad and before:
                inner = {"time": before}
            subject, location = self._naming.of_module(module), self._lines.get(id(module))
            if bad:
                first = {"what": bad[0], "subject": subject, "location": location, **inner}
                return [first, *({"what": w, "subject": subject, "location": location} for w in bad[1:])]
            before += time_and_batch(module, given)[0]
        return []

    def _write_named(self, step: int, what: str, tensors: list[torch.Tensor]) -> None:
        for tensor in tensors[:_MOST_NAMED]:
            named = self._naming.of_parameter(tensor)
            inner = _gradient_of(tensor, named.name, named.owner) if what == "gradient" else {}
            self._writer.write("non_finite", step=step, what=what, subject=named.name, **inner)


def _inside(module: Any, given: Any, state: Any, output: Any, before: int) -> dict[str, Any]:
    """Layer, time step and gate where the first number ceases to be finite, by replaying one row of the call."""
    kernel = kernel_of(module)
    if kernel is None:
        return {}
    values = picked_output(module, output, list(range(time_and_batch(module, given)[1])))
    row = int((~torch.isfinite(values)).any(-1).any(0).nonzero()[0])
    found = first_non_finite(kernel, rows_of(module, kernel, given, state, output, 1, [row]))
    return {} if found is None else {**found, "time": found["time"] + before}


def _first_bad_step(module: Any, given: Any) -> int:
    """The first time step of an input at which a number is not finite."""
    x = pad_packed_sequence(given)[0] if isinstance(given, PackedSequence) else given
    packed = isinstance(given, PackedSequence)
    rows = picked(x, list(range(time_and_batch(module, given)[1])), module, packed)
    return int((~torch.isfinite(rows)).flatten(1).any(1).nonzero()[0])


def _gradient_of(weight: torch.Tensor, name: str, owner: Any) -> dict[str, Any]:
    """Layer and gate of a recurrent module's parameter, where some blocks of its gradient alone are bad."""
    if not isinstance(owner, (nn.RNNBase, nn.modules.rnn.RNNCellBase)):
        return {}
    fields: dict[str, Any] = {}
    last = name.rpartition(".")[2]
    if "_l" in last:
        layer, _, reverse = last.rpartition("_l")[2].partition("_")
        fields = {"layer": int(layer), "reverse": True if reverse else None} if layer.isdigit() else {}
    gates = GATES.get(mode_of(owner), ())
    grad = weight.grad
    if grad is None or len(gates) < 2 or "_hr" in last or grad.shape[0] % len(gates):
        return fields
    bad = [gate for gate, block in zip(gates, grad.detach().chunk(len(gates))) if not _finite(block)]
    if 0 < len(bad) < len(gates):
        fields["gate"] = bad[0]
    return fields


def _finite(value: Any) -> bool:
    if isinstance(value, PackedSequence):
        return _finite(value.data)
    if isinstance(value, (tuple, list)):
        return all(_finite(item) for item in value)
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        data = value.detach()
        return bool(torch.isfinite(data.coalesce().values() if data.is_sparse else data).all())
    return True
