"""TorchScript compiles the source of what it meets, and is let meet torch's functions as torch wrote them."""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import Any, Callable, Iterator, Sequence

import torch
from torch import nn

from .observer import Observer
from .patches import Patches


def install(observer: Observer, patches: Patches, replaced: Sequence[tuple[Any, str]]) -> None:
    """`replaced` are the owners and names of the functions whose source may be compiled, and which are wrapped."""
    plain = [inspect.unwrap(getattr(owner, name)) for owner, name in replaced]

    @contextlib.contextmanager
    def as_written() -> Iterator[None]:
        observer.calls.leave_to_compiler(False)
        watched = [getattr(owner, name) for owner, name in replaced]
        for (owner, name), function in zip(replaced, plain):
            setattr(owner, name, function)
        try:
            yield
        finally:
            for (owner, name), function in zip(replaced, watched):
                setattr(owner, name, function)

    def scripting(original: Callable[..., Any]) -> Callable[..., Any]:
        counted = "_frames_up" in inspect.signature(original).parameters

        @functools.wraps(original)
        def script(obj: Any, *args: Any, **kwargs: Any) -> Any:
            if counted and len(args) < 2:
                # Names of a class are sought in the frame of its caller, one further up now.
                kwargs["_frames_up"] = kwargs.get("_frames_up", 0) + 1
            with as_written():
                result = original(obj, *args, **kwargs)
            _scripted(observer, obj)
            return result

        return script

    def creating(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def create(module: Any, *args: Any, **kwargs: Any) -> Any:
            with as_written():
                result = original(module, *args, **kwargs)
            if isinstance(module, torch.jit.ScriptModule):
                _scripted(observer, module)
            return result

        return create

    patches.replace(torch.jit, "script", scripting)
    # An instance of a `ScriptModule` is compiled when it has been built, with no call of `script`.
    patches.replace(torch.jit._recursive, "create_script_module", creating)


def _scripted(observer: Observer, obj: Any) -> None:
    if isinstance(obj, nn.Module):
        for module in obj.modules():
            if isinstance(module, (nn.RNNBase, nn.modules.rnn.RNNCellBase)):
                observer.on_recurrent_scripted(module)
