"""Where NaN or Inf was first seen."""

from __future__ import annotations

from typing import Any, Iterable

import torch
from torch.nn.utils.rnn import PackedSequence

from ..naming import Naming
from ..places import here
from ..writer import Writer

_MOST_NAMED = 5


class NonFinites:
    """Keeps the step's recurrent calls at hand, and searches them once when a number is not finite."""

    def __init__(self, writer: Writer, naming: Naming) -> None:
        self._writer = writer
        self._naming = naming
        self._calls: dict[int, tuple[Any, Any, Any, Any]] = {}
        self.found = False

    def on_call(self, module: Any, given: Any, state: Any, output: Any) -> None:
        """The latest call of each module; its tensors live as long as the step's graph does."""
        self._calls[id(module)] = (module, given, state, output)

    def forget(self) -> None:
        """The step is over."""
        self._calls.clear()

    def search(
        self, step: int, parameters: Iterable[torch.Tensor], loss: float | None, gradients_bad: bool
    ) -> None:
        """Writes what is not finite, in the order of execution: the first record is the origin."""
        self.found = True
        tensors = list(parameters)
        weights = [p for p in tensors if not _finite(p)]
        self._write_named(step, "weight", weights)
        for module, given, state, output in self._calls.values():
            name = self._naming.of_module(module)
            for what, value in (("input", given), ("state", state), ("output", output)):
                if not _finite(value):
                    self._writer.write("non_finite", step=step, what=what, subject=name)
        if loss is not None and loss - loss != 0:
            self._writer.write("non_finite", step=step, what="loss", subject="loss", location=here())
        if gradients_bad:
            self._write_named(
                step, "gradient", [p for p in tensors if p.grad is not None and not _finite(p.grad)]
            )

    def _write_named(self, step: int, what: str, tensors: list[torch.Tensor]) -> None:
        for tensor in tensors[:_MOST_NAMED]:
            name = self._naming.of_parameter(tensor).name
            self._writer.write("non_finite", step=step, what=what, subject=name)


def _finite(value: Any) -> bool:
    if isinstance(value, PackedSequence):
        return _finite(value.data)
    if isinstance(value, (tuple, list)):
        return all(_finite(item) for item in value)
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        data = value.detach()
        return bool(torch.isfinite(data.coalesce().values() if data.is_sparse else data).all())
    return True
