"""Calls of torch that the script makes, heard one by one while a mode of ours is entered."""

from __future__ import annotations

import os
from typing import Any, Iterator

import torch
from torch import overrides

_PROBE = os.path.dirname(os.path.abspath(__file__)) + os.sep
DRAWING = (
    "bernoulli", "bernoulli_", "normal", "normal_", "uniform_", "random_", "exponential_", "geometric_", "cauchy_",
    "log_normal_", "rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "multinomial",
    "poisson",
)  # fmt: skip
"""Functions whose result is random and passes no gradient on."""
DROPPING = (
    "dropout",
    "alpha_dropout",
    "rrelu",
    "gumbel",
    "lstm",
    "gru",
    "rnn_tanh",
    "rnn_relu",
    "rnn_",
    "fractional",
)
"""Parts of the names of functions that may draw random numbers and pass gradients on."""


class TorchCalls(overrides.TorchFunctionMode):  # type: ignore[misc, unused-ignore]
    """Enters a mode that hears every call, and takes it out of the script's way again."""

    def begin(self) -> bool:
        """Enters the mode; False where the script has one of its own that ours would come in the way of."""
        if torch._C._len_torch_function_stack():
            return False
        overrides._push_mode(self)
        return True

    def end(self) -> bool:
        """Leaves it; modes that the script has entered since stay. False within a call that it handles: ask again."""
        above, found = [], False
        while torch._C._len_torch_function_stack() and not found:
            mode = overrides._pop_mode()
            found = mode is self
            above.append(mode)
        for mode in reversed(above[:-1] if found else above):
            overrides._push_mode(mode)
        return found


def without_probe(function: Any) -> Any:
    """The function of torch itself, where the probe has put one of its own in its place."""
    while True:
        code = getattr(function, "__code__", None)
        inner = getattr(function, "__wrapped__", None)
        if code is None or inner is None or not code.co_filename.startswith(_PROBE):
            return function
        function = inner


def changed_by(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Tensor | None:
    """The tensor that a call writes to."""
    out = kwargs.get("out")
    if isinstance(out, torch.Tensor):
        return out
    writes = name == "__setitem__" or (name.endswith("_") and not name.endswith("__"))
    writes = writes or (
        name.startswith("__i") and name not in ("__index__", "__int__", "__invert__", "__iter__")
    )
    return args[0] if writes and args and isinstance(args[0], torch.Tensor) else None


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """The tensors in a result or an argument, in their order."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from tensors_in(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from tensors_in(each)
