"""What a script computes from some weights, computed a second time beside it with gradients.

A loop under `torch.no_grad()`, over frozen weights, or over their `data`, leaves no graph. The calls of torch that it
makes are heard, and whatever the weights are in is made again from copies of them that gradients flow to: the graph of
these shadows is the one that the loop would have left. The script's own results, and its random numbers, stay its own.
"""

from __future__ import annotations

import os
import weakref
from typing import Any, Callable, NamedTuple, Sequence

import torch

from .. import places
from ..torch_calls import DRAWING, DROPPING, TorchCalls, changed_by, tensors_in, without_probe
from .unrolled import LARGEST

_CUTTING = ("detach", "detach_", "numpy", "tolist", "item", "argmax", "__array__", "__float__", "__int__")
"""What a gradient does not pass."""
_KEEPING = ("detach", "data")
"""What cuts off a graph and leaves the numbers as they are."""
_DEAF = ("backward", "requires_grad_", "retain_grad", "register_hook", "__set__")


class Lines(NamedTuple):
    """Where what the weights made was kept from the loss; None where that did not happen, or was not seen."""

    without_gradients: dict[str, Any] | None
    """They were applied while gradients were switched off."""
    cut: dict[str, Any] | None
    """The last cut of what they made."""


class Shadows(TorchCalls):
    """Follows some weights through one forward pass."""

    def __init__(self, probing: Callable[[], bool]) -> None:
        super().__init__()
        self._probing = probing
        self.following = False
        """Calls are heard."""
        self._process = 0
        self._weights: dict[int, torch.Tensor] = {}
        self._leaves: dict[int, torch.Tensor] = {}
        self._real: dict[int, torch.Tensor] = {}
        self._of: dict[int, tuple[weakref.ref[torch.Tensor], torch.Tensor]] = {}
        """By id() of a tensor of the script: its shadow."""
        self._made: list[torch.Tensor] = []
        self._taken: set[int] = set()
        self._calls = 0
        self.lines = Lines(None, None)

    def follow(self, weights: Sequence[torch.Tensor]) -> bool:
        """Begins to follow these weights; False where the script has a mode of its own that ours would come in."""
        self.following, self._process = self.begin(), os.getpid()
        self._weights = {id(weight): weight for weight in weights}
        return self.following

    def stop(self) -> None:
        """Follows nothing any more; the mode is still entered."""
        self.following = False

    def forget(self) -> None:
        """Lets go of all that was followed."""
        self._of, self._leaves, self._real, self._weights = {}, {}, {}, {}
        self._made, self._taken = [], set()

    def ends(self) -> list[torch.Tensor]:
        """The shadows that no other was made of, the last one first."""
        return [each for each in reversed(self._made) if id(each) not in self._taken]

    def real(self, leaf: torch.Tensor) -> torch.Tensor:
        """The weight that a leaf of the shadows' graph is a copy of."""
        return self._real.get(id(leaf), leaf)

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Calls what the script calls, and follows it."""
        kwargs = kwargs or {}
        plain = without_probe(function)
        if not self.following or self._probing() or self._process != os.getpid():
            return plain(*args, **kwargs)
        name = _name(plain)
        if name == "__iter__":  # an iterator would hide the tensors that it gives
            return iter(self.__torch_function__(torch.unbind, types, (args[0], 0)))
        changed = changed_by(name, args, kwargs)
        if name in _DEAF or not any(map(self._is_followed, tensors_in((args, kwargs)))):
            return plain(*args, **kwargs)
        old = None if changed is None or self._known(changed) is not None else changed.detach().clone()
        result = plain(*args, **kwargs)
        try:
            self._cast(plain, name, args, kwargs, result, changed, old)
        except Exception:  # it has no shadow then
            self._calls += 1
        if self._calls > LARGEST:
            self.following = False
        return result

    def _is_followed(self, tensor: torch.Tensor) -> bool:
        return id(tensor) in self._weights or self._known(tensor) is not None

    def _known(self, tensor: torch.Tensor) -> torch.Tensor | None:
        found = self._of.get(id(tensor))
        return found[1] if found is not None and found[0]() is tensor else None

    def _cast(
        self,
        function: Callable[..., Any],
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        result: Any,
        changed: torch.Tensor | None,
        old: torch.Tensor | None,
    ) -> None:
        """Makes the shadow of a result. old: what the tensor that was written to held before, if it had none."""
        self._note(name, args)
        if changed is not None:
            known = self._known(changed)
            shadow = old if known is None else self._alive(_copy(known))
            assert shadow is not None
            given = _replaced(args[1:], self._shadow)
            rest = {key: _replaced(each, self._shadow) for key, each in kwargs.items() if key != "out"}
            if "out" in kwargs:
                shadow = self._again(function, _replaced(args, self._shadow), rest)
            elif name in DRAWING:
                return
            else:
                self._again(function, (shadow, *given), rest)
            self._keep(changed, shadow)
            return
        results = [each for each in tensors_in(result) if each.is_floating_point()]
        if not results or any(name == drawn for drawn in DRAWING):
            return
        first = next(iter(tensors_in(args)), None)
        if name in _KEEPING or any(part in name for part in DROPPING):
            shadow = None if first is None else self._shadow(first)
            if shadow is not None and shadow.shape == results[0].shape:
                if name not in _KEEPING:  # what was dropped at random is dropped here, too
                    with torch.enable_grad():
                        shadow = shadow + (results[0] - shadow).detach()
                self._keep(results[0], shadow)
            return
        made = self._again(function, _replaced(args, self._shadow), _replaced(kwargs, self._shadow))
        for mine, theirs in zip(tensors_in(made), tensors_in(result)):
            self._keep(theirs, mine)

    def _again(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._calls += 1
        with torch.inference_mode(False), torch.enable_grad():
            return function(*args, **kwargs)

    def _note(self, name: str, args: tuple[Any, ...]) -> None:
        """Remembers where gradients were off, and where the last cut was."""
        if not torch.is_grad_enabled():
            if self.lines.without_gradients is None:
                self.lines = self.lines._replace(without_gradients=places.here())
        elif name in _CUTTING or name == "data":
            self.lines = self.lines._replace(cut=places.here())

    def _shadow(self, tensor: torch.Tensor) -> torch.Tensor:
        """What stands for a tensor of the script in a call that is made again."""
        known = self._known(tensor)
        if known is not None:
            self._taken.add(id(known))
            return known
        weight = self._weights.get(id(tensor))
        if weight is None:
            return self._alive(tensor.clone()) if tensor.is_inference() else tensor
        leaf = self._leaves.get(id(weight))
        if leaf is None:
            leaf = self._leaves[id(weight)] = weight.detach().clone().requires_grad_()
            self._real[id(leaf)] = weight
        return leaf

    def _alive(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor, kept: what is taken is told by id()."""
        self._taken.add(id(tensor))
        self._made.append(tensor)
        return tensor

    def _keep(self, theirs: torch.Tensor, mine: torch.Tensor) -> None:
        if mine.grad_fn is not None or id(mine) in self._real:
            self._of[id(theirs)] = weakref.ref(theirs), mine
            if mine.grad_fn is not None:
                self._taken.discard(id(mine))
                self._made.append(mine)


def _name(function: Any) -> str:
    """What a function is called; of a property's getter the property."""
    name: str = getattr(function, "__name__", "")
    return str(getattr(getattr(function, "__self__", None), "__name__", name)) if name == "__get__" else name


def _replaced(value: Any, shadow: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The value with shadows in the place of tensors."""
    if isinstance(value, torch.Tensor):
        return shadow(value)
    if type(value) in (tuple, list):
        return type(value)(_replaced(each, shadow) for each in value)
    if type(value) is dict:
        return {key: _replaced(each, shadow) for key, each in value.items()}
    return value


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode(False), torch.enable_grad():
        return tensor.clone()
