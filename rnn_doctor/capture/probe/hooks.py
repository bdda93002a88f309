"""Where the probe listens: torch's official hooks and the few functions that have none."""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable

import torch
from torch import nn
from torch.nn.modules import module as module_hooks
from torch.optim import lr_scheduler
from torch.optim import optimizer as optimizer_hooks
from torch.utils.data import dataloader

from . import saved, torchscript
from .detaching import Detaching
from .observer import Observer
from .patches import Patches
from .sensors.losses import WATCHED

_CALLED = (nn.RNN, nn.LSTM, nn.GRU, nn.RNNCell, nn.LSTMCell, nn.GRUCell)

_CLIPS = ("clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_")


def install(observer: Observer, patches: Patches) -> None:
    """Connects the observer to torch. Hooks on instances are avoided: they would be copied and pickled along."""
    _modules(observer, patches)
    _losses(observer, patches)
    _backward(observer, patches)
    _scaling(observer, patches)
    _updates(observer, patches)
    _loaders(observer, patches)
    _compiler(observer, patches)


def _modules(observer: Observer, patches: Patches) -> None:
    def registered(module: nn.Module, _name: str, child: Any) -> None:
        observer.naming.building(module)
        if isinstance(child, nn.Module):
            observer.naming.saw(child)

    patches.handle(module_hooks.register_module_module_registration_hook(registered))
    patches.handle(module_hooks.register_module_parameter_registration_hook(registered))

    def building(original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            observer.on_recurrent_built(self)

        return __init__

    def evaluating(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def eval(self: Any) -> Any:
            if observer.session.active and not torch.compiler.is_compiling():
                observer.on_evaluation_mode(self)
            return original(self)

        return eval

    def switching(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def train(self: Any, *args: Any, **kwargs: Any) -> Any:
            observer.calls.modes.changed = True
            return original(self, *args, **kwargs)

        return train

    patches.replace(nn.Module, "eval", evaluating)
    patches.replace(nn.Module, "train", switching)

    running: list[list[Any]] = []
    forwards: set[Any] = set()

    def calling(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            outer = running[-1] if running and running[-1][0] is self else None
            # `forward` within `__call__`, and what a compiler or a tracer runs, pass by.
            if (
                (outer is not None and outer[1] is None)
                or torch.compiler.is_compiling()
                or torch._C._get_tracing_state() is not None
            ):
                return original(self, *args, **kwargs)
            # A class of the script's own may hand other tensors to torch's `forward`, which then is what is looked at.
            whole = outer is None and type(self).forward not in forwards
            running.append([self, False if whole else None])
            try:
                output = original(self, *args, **kwargs)
            finally:
                heard = running.pop()[1]
            if heard:
                return output
            if outer is not None:
                outer[1] = True
            given = args[0] if args else kwargs.get("input")
            state = args[1] if len(args) > 1 else kwargs.get("hx")
            observer.on_recurrent_call(self, given, state, output)
            return output

        return call

    for base in (nn.RNNBase, nn.modules.rnn.RNNCellBase):
        patches.replace(base, "__init__", building)
        patches.replace(base, "__call__", calling)
    for kind in _CALLED:  # weight-dropping wrappers call it themselves
        patches.replace(kind, "forward", calling)
        forwards.add(kind.forward)


def _losses(observer: Observer, patches: Patches) -> None:
    functional = nn.functional
    originals = {name: getattr(functional, name) for name in WATCHED if hasattr(functional, name)}
    compiled = [(functional, name) for name in originals] + [(kind, "forward") for kind in _CALLED]

    def watching(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(original)
            def loss(*args: Any, **kwargs: Any) -> Any:
                result = original(*args, **kwargs)
                if not torch.compiler.is_compiling() and observer.session.active:
                    output = args[0] if args else kwargs.get("input")
                    target = args[1] if len(args) > 1 else kwargs.get("target")
                    observer.on_loss_call(name, output, target, result, kwargs)
                return result

            return loss

        return make

    for name in originals:
        patches.replace(functional, name, watching(name))

    torchscript.install(observer, patches, compiled)


def _backward(observer: Observer, patches: Patches) -> None:
    def backwards(original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def backward(tensors: Any, *args: Any, **kwargs: Any) -> None:
            observer.on_backward(tensors)
            try:
                original(tensors, *args, **kwargs)
            except BaseException:
                observer.on_backward_failed()
                raise
            observer.after_backward()

        return backward

    def gradients(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def grad(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            sought = [inputs] if isinstance(inputs, torch.Tensor) else list(inputs)
            create_graph = args[2] if len(args) > 2 else kwargs.get("create_graph", False)
            retain_graph = args[1] if len(args) > 1 else kwargs.get("retain_graph")
            loss = None if create_graph or observer.inside else _loss_of_leaves(outputs, sought)
            trains = loss is not None and not retain_graph and observer.on_gradients_asked(loss, sought)
            if loss is not None and not trains:
                observer.on_graph(loss)
            try:
                found = original(
                    outputs, inputs if isinstance(inputs, torch.Tensor) else sought, *args, **kwargs
                )
            except BaseException:
                if trains:
                    observer.on_backward_failed()
                raise
            if trains:
                observer.after_gradients_asked()
            elif loss is not None:
                observer.on_gradients_returned(loss, sought, found)
            return found

        return grad

    def hooking(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def register_hook(self: torch.Tensor, hook: Any) -> Any:
            node = None if torch.compiler.is_compiling() or observer.inside else self.grad_fn
            if node is not None:
                observer.on_gradient_hook(node)
            return original(self, hook)

        return register_hook

    detaching = Detaching(observer)
    observer.calls.watch_detaching = detaching.watch
    detaching.watch(True)
    patches.handle(detaching)
    saved.listen(patches)
    patches.replace(torch.Tensor, "register_hook", hooking)
    patches.replace(torch.autograd, "backward", backwards)
    patches.replace(torch.autograd, "grad", gradients)


def _scaling(observer: Observer, patches: Patches) -> None:
    def scaling(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def scale(self: Any, outputs: Any) -> Any:
            result = original(self, outputs)
            if isinstance(outputs, torch.Tensor) and result is not outputs:
                observer.on_scale(self, outputs, result)
            return result

        return scale

    def unscaling(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def unscale_(self: Any, *args: Any, **kwargs: Any) -> Any:
            observer.on_unscale()
            return original(self, *args, **kwargs)

        return unscale_

    patches.replace(torch.amp.GradScaler, "scale", scaling)
    patches.replace(torch.amp.GradScaler, "unscale_", unscaling)


def _loss_of_leaves(outputs: Any, sought: list[Any]) -> torch.Tensor | None:
    """The scalar that is differentiated by leaves alone, as a training loss is by its parameters."""
    loss = outputs if isinstance(outputs, torch.Tensor) else outputs[0] if len(outputs) == 1 else None
    if loss is None or loss.numel() != 1:
        return None
    return loss if all(isinstance(t, torch.Tensor) and t.is_leaf for t in sought) else None


def _updates(observer: Observer, patches: Patches) -> None:
    def before(optimizer: Any, args: Any, kwargs: Any) -> Any:
        given = kwargs.get("closure") if "closure" in kwargs else (args[1] if len(args) > 1 else None)
        closure = observer.before_update(optimizer, given)
        if closure is None:
            return None
        if "closure" in kwargs:
            return args, {**kwargs, "closure": closure}
        return (args[0], closure, *args[2:]), kwargs

    def after(optimizer: Any, _args: Any, _kwargs: Any) -> None:
        observer.after_update(optimizer)

    patches.handle(optimizer_hooks.register_optimizer_step_pre_hook(before))
    patches.handle(optimizer_hooks.register_optimizer_step_post_hook(after))

    def building(original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            observer.on_optimizer_built(self)

        return __init__

    def scheduling(original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def __init__(self: Any, optimizer: Any, *args: Any, **kwargs: Any) -> None:
            original(self, optimizer, *args, **kwargs)
            observer.on_scheduler_built(self, optimizer)

        return __init__

    def telling(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def step(self: Any, *args: Any, **kwargs: Any) -> Any:
            observer.on_plateau_step(self)
            return original(self, *args, **kwargs)

        return step

    def clearing(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def zero_grad(*args: Any, **kwargs: Any) -> Any:
            if "zero_grad" not in observer.session.roles:
                observer.on_zero_grad()
            return original(*args, **kwargs)

        return zero_grad

    def clipping(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def clip(*args: Any, **kwargs: Any) -> Any:
            for name in ("parameters", "max_norm", "clip_value"):
                if name in kwargs:
                    args = (*args, kwargs.pop(name))
            if torch.compiler.is_compiling() or len(args) < 2:
                return original(*args, **kwargs)
            parameters, limit, *rest = args
            tensors = parameters if isinstance(parameters, torch.Tensor) else list(parameters)
            tells = (
                original.__name__ == "clip_grad_norm_"
                and (rest[0] if rest else kwargs.get("norm_type", 2)) == 2
            )
            observer.on_clip([tensors] if isinstance(tensors, torch.Tensor) else tensors, float(limit), tells)
            result = original(tensors, limit, *rest, **kwargs)
            if tells:
                observer.on_clipped(result)
            return result

        return clip

    patches.replace(torch.optim.Optimizer, "__init__", building)
    patches.replace(lr_scheduler.LRScheduler, "__init__", scheduling)
    patches.replace(lr_scheduler.ReduceLROnPlateau, "__init__", scheduling)
    patches.replace(lr_scheduler.ReduceLROnPlateau, "step", telling)
    patches.replace(torch.optim.Optimizer, "zero_grad", clearing)
    patches.replace(nn.Module, "zero_grad", clearing)
    for name in _CLIPS:
        patches.replace(nn.utils.clip_grad, name, clipping)
        patched = getattr(nn.utils.clip_grad, name, None)
        patches.replace(nn.utils, name, functools.partial(_instead, patched))


def _instead(function: Any, _original: Callable[..., Any]) -> Callable[..., Any]:
    return function


def _loaders(observer: Observer, patches: Patches) -> None:
    def starting(original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def __init__(self: Any, loader: Any, *args: Any, **kwargs: Any) -> None:
            original(self, loader, *args, **kwargs)
            observer.on_loader(self, loader)

        return __init__

    def giving(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def __next__(self: Any) -> Any:
            if observer.early.waiting and observer.on_next(self, sys._getframe(1)):
                raise StopIteration
            try:
                batch = original(self)
            except StopIteration:
                observer.on_loader_end()
                raise
            observer.on_batch(self, batch)
            return batch

        return __next__

    def saving(original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def save(*args: Any, **kwargs: Any) -> None:
            if observer.early.waiting:
                observer.on_save()
            original(*args, **kwargs)

        return save

    patches.replace(torch, "save", saving)
    patches.replace(dataloader._BaseDataLoaderIter, "__init__", starting)
    patches.replace(dataloader._BaseDataLoaderIter, "__next__", giving)


def _compiler(observer: Observer, patches: Patches) -> None:
    shielded = False

    def compiling(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def compile(*args: Any, **kwargs: Any) -> Any:
            nonlocal shielded
            if not shielded:
                shielded = True
                _shield(observer, patches)
            return original(*args, **kwargs)

        return compile

    patches.replace(torch, "compile", compiling)


def _shield(observer: Observer, patches: Patches) -> None:
    """Keeps the compiler from tracing into the probe; called when the script first compiles something.

    Cells and loss functions stay traceable: a break there would change what the script compiles.
    """
    import torch._dynamo as dynamo

    observer.calls.watch_detaching(False)  # a compiler is not to meet it
    observer.calls.watch_detaching = lambda _: None
    observer.calls.leave_to_compiler(True)
    for name, method in list(vars(type(observer)).items()):
        if getattr(method, "is_entry", False):
            setattr(type(observer), name, dynamo.disable(method))
    for hooks in (optimizer_hooks._global_optimizer_pre_hooks, optimizer_hooks._global_optimizer_post_hooks):
        for key, hook in list(hooks.items()):
            if getattr(hook, "__module__", "") == __name__:
                hooks[key] = dynamo.disable(hook)
    patches.replace(torch.autograd, "backward", dynamo.disable)
    patches.replace(nn.RNNBase, "__call__", dynamo.disable)
