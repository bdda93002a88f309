"""One forward pass of the script, from its batch to its loss, that can be run again without the script.

While one update is under way, every call of torch that the script makes is noted with what it took and gave. What the
loss was made of is then a list of such calls: those that gradients pass, and those that write to a tensor which
gradients pass. Run again they give the loss at whatever values the parameters have by then, and a graph to it.
Everything else, the batch, random numbers, a state that was carried on, what was computed without gradients, stays
what it was.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any, Callable, Iterator, NamedTuple

import torch
from torch import overrides

_PROBE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_MOST_CALLS = 200_000
"""Calls of one forward pass that are noted; a loop over a thousand steps makes some ten thousand."""
_DRAWING = (
    "bernoulli", "bernoulli_", "normal", "normal_", "uniform_", "random_", "exponential_", "geometric_", "cauchy_",
    "log_normal_", "rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "multinomial",
    "poisson",
)  # fmt: skip
"""Functions whose result is random and passes no gradient on: it is kept."""
_DROPPING = (
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
"""Parts of the names of functions that may draw random numbers and pass gradients on: they draw the same again."""


class NoTape(Exception):
    """The forward pass cannot be run again; the message says why, as a clause."""


class _Call(NamedTuple):
    """One call of torch."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    results: tuple[torch.Tensor, ...]
    changed: torch.Tensor | None
    """The tensor that it wrote to."""
    random: torch.Tensor | None
    """The state of torch's random numbers before it, where it may have drawn some."""
    drawn: torch.Tensor | None
    """What it left in the tensor, where that is random."""


class Recorder(overrides.TorchFunctionMode):  # type: ignore[misc, unused-ignore]
    """Notes what the script calls of torch, from `begin` to `end`."""

    def __init__(self, probing: Callable[[], bool]) -> None:
        super().__init__()
        self._probing = probing
        """Whether the probe itself is at work."""
        self._noting = False
        self._calls: list[_Call] = []
        self.trouble: str | None = None
        """Why there will be no tape."""

    def begin(self) -> bool:
        """Begins to note; False where the script has a mode of its own that ours would come in the way of."""
        if torch._C._len_torch_function_stack():
            return False
        self._noting = True
        overrides._push_mode(self)
        return True

    def end(self) -> bool:
        """Ends it; modes that the script has entered since stay. False within a call that it handles: ask again."""
        self._noting = False
        above, found = [], False
        while torch._C._len_torch_function_stack() and not found:
            mode = overrides._pop_mode()
            found = mode is self
            above.append(mode)
        for mode in reversed(above[:-1] if found else above):
            overrides._push_mode(mode)
        return found

    def tape(self, loss: torch.Tensor) -> Tape:
        """What the loss was made by; nothing more is noted.

        Raises: NoTape: it was not seen, or cannot be run again.
        """
        self._noting = False
        calls, self._calls = self._calls, []
        if self.trouble is not None:
            raise NoTape(self.trouble)
        return Tape(_needed(calls, loss), loss)

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Calls what the script calls, and notes it."""
        kwargs = kwargs or {}
        plain = _without_probe(function)
        if not self._noting or self._probing() or not torch.is_grad_enabled():
            return plain(*args, **kwargs)
        name = getattr(plain, "__name__", "")
        if name == "__iter__":  # an iterator would hide the tensors that it gives
            return iter(self.__torch_function__(torch.unbind, types, (args[0], 0)))
        changed = _changed(name, args, kwargs)
        random = torch.get_rng_state() if any(part in name for part in _DROPPING) else None
        result = plain(*args, **kwargs)
        results = tuple(_tensors(result)) if name != "__get__" or isinstance(result, torch.Tensor) else ()
        if results or changed is not None:
            drawn = None
            if changed is not None and name in _DRAWING:
                drawn = changed.detach().clone()
            self._note(_Call(plain, args, kwargs, results, changed, random, drawn))
        return result

    def _note(self, call: _Call) -> None:
        if len(self._calls) >= _MOST_CALLS:
            self.trouble = f"its forward pass takes more than {_MOST_CALLS:,} operations"
        elif torch.is_autocast_enabled("cpu"):
            self.trouble = "it runs in mixed precision"
        if self.trouble is None:
            self._calls.append(call)
        else:
            self._calls.clear()
            self._noting = False


class Tape:
    """The calls that made a loss."""

    def __init__(self, calls: list[_Call], loss: torch.Tensor) -> None:
        self._calls = calls
        self._loss = loss

    def __len__(self) -> int:
        return len(self._calls)

    def run(self) -> torch.Tensor:
        """The loss at the present values of the parameters, with its graph. Shape: that of the script's loss."""
        made: dict[int, torch.Tensor] = {}
        for call in self._calls:
            self._again(call, made)
        return made[id(self._loss)]

    def _again(self, call: _Call, made: dict[int, torch.Tensor]) -> None:
        if call.changed is None and getattr(call.function, "__name__", "") in _DRAWING:
            made.update({id(result): result.detach().clone() for result in call.results})
            return
        if call.drawn is not None:
            _replaced(call.changed, made).copy_(call.drawn)
            return
        if call.random is not None:
            torch.set_rng_state(call.random)
        result = call.function(*_replaced(call.args, made), **_replaced(call.kwargs, made))
        results = list(_tensors(result))
        if len(results) != len(call.results):
            raise NoTape(f"{call.function.__name__} gave something else when it ran again")
        made.update({id(old): new for old, new in zip(call.results, results)})
        for old in call.results:
            if old is call.changed:  # `x.add_(y)` gives x
                made[id(old)] = results[0]


def _without_probe(function: Any) -> Any:
    """The function of torch itself, where the probe has put one of its own in its place."""
    while True:
        code = getattr(function, "__code__", None)
        inner = getattr(function, "__wrapped__", None)
        if code is None or inner is None or not code.co_filename.startswith(_PROBE):
            return function
        function = inner


def _changed(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Tensor | None:
    """The tensor that a call writes to."""
    out = kwargs.get("out")
    if isinstance(out, torch.Tensor):
        return out
    writes = name == "__setitem__" or (name.endswith("_") and not name.endswith("__"))
    writes = writes or (
        name.startswith("__i") and name not in ("__index__", "__int__", "__invert__", "__iter__")
    )
    return args[0] if writes and args and isinstance(args[0], torch.Tensor) else None


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    """The tensors in a result or an argument, in their order."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _tensors(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _tensors(each)


def _replaced(value: Any, made: dict[int, torch.Tensor]) -> Any:
    """The value with what was made anew in the place of what had been made."""
    if isinstance(value, torch.Tensor):
        return made.get(id(value), value)
    if type(value) in (tuple, list):
        return type(value)(_replaced(each, made) for each in value)
    if type(value) is dict:
        return {key: _replaced(each, made) for key, each in value.items()}
    return value


def _memory(tensor: torch.Tensor) -> int | None:
    """What tells the memory of a tensor from that of others; views share it."""
    with contextlib.suppress(Exception):  # sparse ones have none
        return int(tensor.untyped_storage()._cdata)
    return None


def _needed(calls: list[_Call], loss: torch.Tensor) -> list[_Call]:
    """Those that gradients pass or that write to what these read, as far as the loss depends on them.

    Raises: NoTape: something that the loss depends on was made by no call that was seen.
    """
    live = {_memory(call.changed) for call in calls if call.changed is not None}
    for call in calls:
        live |= {_memory(tensor) for tensor in call.results if tensor.requires_grad and not tensor.is_leaf}
    live.discard(None)
    wanted: set[int] = {id(loss)}
    memories = {_memory(loss)}
    kept: list[_Call] = []
    for call in reversed(calls):
        gives = [*call.results, *([] if call.changed is None else [call.changed])]
        here = {_memory(tensor) for tensor in gives}
        if not (here & live and (here & memories or any(id(tensor) in wanted for tensor in gives))):
            continue
        kept.append(call)
        for tensor in _tensors((call.args, call.kwargs)):
            wanted.add(id(tensor))
            if _memory(tensor) in live:
                memories.add(_memory(tensor))
    kept.reverse()
    _complete(kept, loss)
    return kept


def _complete(calls: list[_Call], loss: torch.Tensor) -> None:
    """Raises NoTape where a tensor with a graph was made by no call that was seen."""
    made: set[int] = set()
    for call in calls:
        for tensor in _tensors((call.args, call.kwargs)):
            if tensor.grad_fn is not None and id(tensor) not in made:
                raise NoTape(
                    "part of its forward pass was not seen "
                    "(TorchScript, an autograd.Function, a part before the last update)"
                )
        made |= {id(tensor) for tensor in call.results}
    if id(loss) not in made:
        raise NoTape("the operation that made its loss was not seen")
