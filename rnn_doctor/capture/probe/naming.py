"""Names of modules and parameters, as the script's author would say them."""

from __future__ import annotations

import gc
import sys
import weakref
from typing import Any, Iterable, Iterator, NamedTuple

import torch
from torch import nn

from . import places

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_WRAPPERS = ("module.", "_orig_mod.")  # DataParallel's and torch.compile's prefixes


class Named(NamedTuple):
    """What is known of a parameter from the module that holds it."""

    name: str
    owner: nn.Module | None
    root: str
    """Class of the outermost module."""


class _Known(NamedTuple):
    """The same without keeping a model alive that the script has done with."""

    parameter: weakref.ref[torch.Tensor]
    name: str
    owner: weakref.ref[nn.Module] | None
    root: str


class Naming:
    """Knows the modules that were built, and from them the names of what they hold."""

    def __init__(self) -> None:
        self._modules: dict[int, weakref.ref[nn.Module]] = {}
        self._named: dict[int, _Known] = {}
        self._paths: dict[int, str] = {}
        self._built: dict[int, tuple[str, int, str]] = {}
        self._searched = False

    def saw(self, module: nn.Module) -> None:
        """Takes note of a module."""
        known = self._modules.get(id(module))
        if known is None or known() is not module:  # one that is gone may have had this id
            self._modules[id(module)] = weakref.ref(module)
            self._paths.pop(id(module), None)
            self._built.pop(id(module), None)

    def building(self, module: nn.Module) -> None:
        """Takes note of a module that registers a child or parameter, the first time from its `__init__`."""
        known = self._modules.get(id(module))
        first = known is None or known() is not module
        self.saw(module)
        if first and not type(module).__module__.startswith("torch."):
            line = places.construction(module)
            if line is not None:
                self._built[id(module)] = line

    def built_at(self, name: str) -> dict[str, Any] | None:
        """The line that constructed the module of this name, or the innermost of those that hold it.

        Of modules whose class is not torch's own: a ModuleList of gates is a part of the cell that holds it.
        """
        lines: dict[str, tuple[str, int, str]] = {}
        roots = set()
        for module in self.live():
            path = self._paths.get(id(module))
            if path is not None and id(module) in self._built:
                lines.setdefault(path, self._built[id(module)])
                if path == type(module).__name__:
                    roots.add(path)
        holders = [name.rsplit(".", k)[0] for k in range(name.count(".") + 1)]
        if len(roots) == 1:  # a single one does not stand in the names of its parts
            holders += roots
        found = next((lines[holder] for holder in holders if holder in lines), None)
        return None if found is None else places.described(found)

    def refresh(self, parameters: Iterable[torch.Tensor]) -> None:
        """Names these parameters and the modules beside them."""
        wanted = list(parameters)
        self._name(wanted)
        unnamed = [p for p in wanted if self._known(p) is None]
        if not self._searched and any(isinstance(p, nn.Parameter) for p in unnamed):
            # A model from torch.load was never registered module by module.
            self._searched = True
            for module in _modules_alive():
                self.saw(module)
            self._name(wanted)
        self._name_bare(p for p in wanted if self._known(p) is None)

    def of_parameter(self, parameter: torch.Tensor) -> Named:
        """Its name and owner; a bare tensor is named by its shape."""
        shape = "x".join(str(n) for n in parameter.shape)
        return self._known(parameter) or Named(f"tensor {shape}", None, "tensor")

    def path_of(self, parameter: torch.Tensor) -> str | None:
        """The name of a module's parameter; None of a bare tensor."""
        known = self._known(parameter)
        return None if known is None or known.owner is None else known.name

    def _known(self, parameter: torch.Tensor) -> Named | None:
        known = self._named.get(id(parameter))
        if known is None or known.parameter() is not parameter:  # another one that is gone had this id
            return None
        return Named(known.name, known.owner() if known.owner is not None else None, known.root)

    def holder(self, weights: list[torch.Tensor]) -> str:
        """The name of the module that holds these weights; of bare tensors, the first one's own."""
        self.refresh(weights)
        holders: list[list[str]] = []
        root = ""
        for weight in weights:
            name, owner, root = self.of_parameter(weight)
            if owner is None:
                return name
            # A Linear layer or a convolution is a part of the cell that holds it.
            kind = getattr(owner, "original_name", type(owner).__name__)  # of one in TorchScript
            part = isinstance(owner, (nn.Linear, *_CONVOLUTIONS)) or kind == "Linear"
            path = name.split(".")
            if "parametrizations" in path:  # of a weight of a layer, which they replace
                path, part = path[: path.index("parametrizations") + 1], True
            holders.append(path[: -2 if part else -1])
        return ".".join(_common(holders)) or root

    def of_module(self, module: nn.Module) -> str:
        """Dotted path from its root; the class's name where it is itself a root."""
        return self._paths.get(id(module), type(module).__name__)

    def live(self) -> Iterator[nn.Module]:
        """The modules that still exist."""
        for reference in list(self._modules.values()):
            module = reference()
            if module is not None:
                yield module

    def _roots(self, wanted: set[int]) -> list[nn.Module]:
        modules = list(self.live())
        inner = {id(child) for module in modules for child in module.children()}
        roots = [m for m in modules if id(m) not in inner]
        return [m for m in roots if _recurs(m) or any(id(p) in wanted for p in m.parameters())]

    def _name(self, wanted: list[torch.Tensor]) -> None:
        roots = self._roots({id(p) for p in wanted})
        classes: dict[str, int] = {}
        for root in roots:
            kind = type(root).__name__
            classes[kind] = classes.get(kind, 0) + 1
            number = f"#{classes[kind]}" if classes[kind] > 1 else ""
            prefix = f"{kind}{number}." if len(roots) > 1 or not _has_children(root) else ""
            for path, module in root.named_modules():
                self._paths.setdefault(id(module), (prefix + _unwrapped(path)).rstrip(".") or kind)
                for name, parameter in module.named_parameters(recurse=False):
                    dotted = f"{path}.{name}" if path else name
                    if self._known(parameter) is None:
                        full = prefix + _unwrapped(dotted)
                        self._named[id(parameter)] = _Known(
                            weakref.ref(parameter), full, weakref.ref(module), kind
                        )

    def _name_bare(self, tensors: Iterable[torch.Tensor]) -> None:
        main: dict[str, Any] = vars(sys.modules.get("__main__", sys))
        variables = {id(value): name for name, value in main.items() if isinstance(value, torch.Tensor)}
        for tensor in tensors:
            if id(tensor) in variables:
                name = variables[id(tensor)]
                self._named[id(tensor)] = _Known(weakref.ref(tensor), name, None, "tensor")


def _modules_alive() -> list[nn.Module]:
    """All modules of the process, by their types: isinstance would fire lazy attributes of other packages."""
    things = gc.get_objects()
    kinds = {kind for kind in set(map(type, things)) if nn.Module in kind.__mro__}
    return [thing for thing in things if type(thing) in kinds]


def _recurs(root: nn.Module) -> bool:
    kinds = (nn.RNNBase, nn.modules.rnn.RNNCellBase)
    return any(isinstance(module, kinds) for module in root.modules())


def _has_children(module: nn.Module) -> bool:
    return next(module.children(), None) is not None


def _unwrapped(path: str) -> str:
    for wrapper in _WRAPPERS:
        while path.startswith(wrapper) or path == wrapper[:-1]:
            path = path[len(wrapper) :]
        path = path.replace(f".{wrapper}", ".")
    return path


def _common(paths: list[list[str]]) -> list[Any]:
    shared = []
    for parts in zip(*paths):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return shared
