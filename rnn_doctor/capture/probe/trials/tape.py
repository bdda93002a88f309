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

from ..torch_calls import DRAWING, DROPPING, TorchCalls, changed_by, tensors_in, without_probe

_MOST_CALLS = 200_000
"""Calls of one forward pass that are noted; a loop over a thousand steps makes some ten thousand."""


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


class _Made(NamedTuple):
    """Stands for a tensor that an earlier call of the pass makes: the pass itself is kept by nobody."""

    number: int


class _Again(NamedTuple):
    """A call as it is made again: what earlier calls make is named, not held."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    results: tuple[int, ...]
    random: torch.Tensor | None
    kept: tuple[torch.Tensor, ...] | None
    """What it gave, where that is random and passes no gradient on."""
    target: Any
    """The tensor that it left random numbers in, and which takes them again."""
    drawn: torch.Tensor | None


Instead = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
"""What to return in the place of a call of a function; NotImplemented where it is to be made as it was."""


class Recorder(TorchCalls):
    """Notes what the script calls of torch, from `begin` to `end`."""

    def __init__(self, probing: Callable[[], bool]) -> None:
        super().__init__()
        self._probing = probing
        """Whether the probe itself is at work."""
        self._noting = False
        self._process = 0
        """Where notes are taken: workers of a loader that are forked meanwhile have the mode entered, too."""
        self._calls: list[_Call] = []
        self.trouble: str | None = None
        """Why there will be no tape."""

    def begin(self) -> bool:
        """Begins to note; False where the script has a mode of its own that ours would come in the way of."""
        self._noting, self._process = super().begin(), os.getpid()
        return self._noting

    def resume(self) -> None:
        """Notes the next pass, after the tape of one was taken."""
        self._calls.clear()
        self._noting = self.trouble is None

    def end(self) -> bool:
        """Ends it; modes that the script has entered since stay. False within a call that it handles: ask again."""
        self._noting = False
        return super().end()

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
        plain = without_probe(function)
        noting = self._noting and not self._probing() and torch.is_grad_enabled()
        if not noting or self._process != os.getpid():
            return plain(*args, **kwargs)
        name = getattr(plain, "__name__", "")
        if name == "__iter__":  # an iterator would hide the tensors that it gives
            return iter(self.__torch_function__(torch.unbind, types, (args[0], 0)))
        changed = changed_by(name, args, kwargs)
        random = torch.get_rng_state() if any(part in name for part in DROPPING) else None
        result = plain(*args, **kwargs)
        results = tuple(tensors_in(result)) if name != "__get__" or isinstance(result, torch.Tensor) else ()
        if results or changed is not None:
            drawn = None
            if changed is not None and name in DRAWING:
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
    """The calls that made a loss. Holds the parameters and what the script gave, but nothing that the pass made."""

    def __init__(self, calls: list[_Call], loss: torch.Tensor) -> None:
        self._loss = id(loss)
        self._calls = _named(calls)
        self._versions = [(each, each._version) for each in self._constants() if not each.is_inference()]

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def functions(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """The names of the functions that are called, in order, with what they are given."""
        for call in self._calls:
            yield getattr(call.function, "__name__", ""), call.args

    @property
    def stale(self) -> bool:
        """Whether the script has written to what it had given, so that it is given no more."""
        return any(each._version != version for each, version in self._versions)

    def run(self, anew: bool = False, instead: Instead | None = None) -> torch.Tensor:
        """The loss at the present values of the parameters, with its graph. Shape: that of the script's loss.

        anew: units are dropped at random, not those that were.
        """
        made: dict[int, torch.Tensor] = {}
        for call in self._calls:
            self._again(call, made, anew, instead)
        return made[self._loss]

    def _again(
        self, call: _Again, made: dict[int, torch.Tensor], anew: bool, instead: Instead | None
    ) -> None:
        if call.kept is not None:
            made.update({number: kept.clone() for number, kept in zip(call.results, call.kept)})
            return
        if call.target is not None:
            _replaced(call.target, made).copy_(call.drawn)
            return
        if call.random is not None and not anew:
            torch.set_rng_state(call.random)
        args, kwargs = _replaced(call.args, made), _replaced(call.kwargs, made)
        result = NotImplemented if instead is None else instead(call.function, args, kwargs)
        if result is NotImplemented:
            result = call.function(*args, **kwargs)
        results = list(tensors_in(result))
        if len(results) != len(call.results):
            raise NoTape(f"{call.function.__name__} gave something else when it ran again")
        made.update(zip(call.results, results))

    def _constants(self) -> Iterator[torch.Tensor]:
        """What the calls are given that no call makes, parameters apart."""
        for call in self._calls:
            for tensor in tensors_in((call.args, call.kwargs)):
                if not tensor.requires_grad:
                    yield tensor


def _named(calls: list[_Call]) -> list[_Again]:
    """The calls, with names in the place of what they make for each other."""
    made: set[int] = set()
    named: list[_Again] = []
    for call in calls:
        name = getattr(call.function, "__name__", "")
        random = call.changed is None and name in DRAWING
        kept = tuple(result.detach().clone() for result in call.results) if random else None
        target = None if call.drawn is None else _with_names(call.changed, made)
        args, kwargs = _with_names(call.args, made), _with_names(call.kwargs, made)
        # Of `x.add_(y)` the result is x; what it is called is the same.
        results = tuple(id(result) for result in call.results)
        named.append(_Again(call.function, args, kwargs, results, call.random, kept, target, call.drawn))
        if target is None:
            made.update(results)
    return named


def _with_names(value: Any, made: set[int]) -> Any:
    """The value with names in the place of the tensors that were made."""
    if isinstance(value, torch.Tensor):
        return _Made(id(value)) if id(value) in made else value
    if type(value) in (tuple, list):
        return type(value)(_with_names(each, made) for each in value)
    if type(value) is dict:
        return {key: _with_names(each, made) for key, each in value.items()}
    return value


def _replaced(value: Any, made: dict[int, torch.Tensor]) -> Any:
    """The value with what was made anew in the place of its names."""
    if isinstance(value, _Made):
        return made[value.number]
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
        for tensor in tensors_in((call.args, call.kwargs)):
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
        for tensor in tensors_in((call.args, call.kwargs)):
            if tensor.grad_fn is not None and id(tensor) not in made:
                raise NoTape(
                    "part of its forward pass was not seen "
                    "(TorchScript, an autograd.Function, a part before the last update)"
                )
        made |= {id(tensor) for tensor in call.results}
    if id(loss) not in made:
        raise NoTape("the operation that made its loss was not seen")
