"""Training and evaluation mode of what acts in training alone: dropout and batch normalization."""

from __future__ import annotations

import inspect
import weakref
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from ..naming import Naming
from ..places import here
from ..writer import Writer

_MOST_MODULES = 100
_MOST_RECORDS = 50
_DROPOUTS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")


class Modes:
    """Follows the modes of the modules whose network is trained, update by update.

    They are read after `train()` or `eval()` was called, and at sampled steps, for a script may set the attribute.
    Looked at after the backward pass, where gradients tell what is trained: a teacher, a frozen backbone and a
    reservoir have none. A module counts as off in an update if it is so after all of its backward passes, so that
    a gradient that is taken in between for another purpose tells nothing.
    """

    def __init__(self, writer: Writer, naming: Naming) -> None:
        self._writer = writer
        self._naming = naming
        self._acting: list[tuple[weakref.ref[nn.Module], str]] = []
        self._others: list[weakref.ref[nn.Module]] = []
        self._evaluated: weakref.WeakKeyDictionary[nn.Module, Any] = weakref.WeakKeyDictionary()
        self._seen: list[bool] | None = None
        """By module of the two lists: whether it was in training mode after any backward pass of this update."""
        self._last: list[bool] | None = None
        """The same after the backward pass that was looked at last."""
        self.changed = True
        """Modes may not be those of the last look: the script called `train()` or `eval()` since, or never looked."""
        self._known = False
        self._written: tuple[Any, ...] | None = None
        self._records = 0

    def evaluated(self, module: nn.Module) -> None:
        """The script called `eval()` on a module."""
        self._evaluated.pop(module, None)  # the order tells which was last
        self._evaluated[module] = here()

    @property
    def waits(self) -> bool:
        """Whether the update under way was looked at."""
        return self._seen is not None

    def backward_done(self, search: bool, again: bool) -> None:
        """A backward pass has run, after others of the same update if `again`.

        search: modules may have come to be trained since the last search.
        """
        self.changed = False
        if search and self._seen is None:
            self._search()
        elif self._written is not None and not self._acting:
            return  # nothing acts in training alone, as was written
        modules = [ref() for ref, _ in self._acting] + [ref() for ref in self._others]
        modes = [module is not None and module.training for module in modules]
        # Passes of this update that were not looked at had the modes of the last look.
        before = self._seen or (self._last if again else None)
        if before and before != modes:
            self._seen = [now or then for now, then in zip(modes, before)]
            self.changed = True  # the next update may have the modes of this pass alone
        else:
            self._seen = modes
        self._last = modes

    def updated(self, step: int) -> None:
        """An update is complete: its modes are written where they are not those of the update before."""
        seen, self._seen = self._seen, None
        if seen is None or not self._known or self._records >= _MOST_RECORDS:
            return
        training, rest = seen[: len(self._acting)], seen[len(self._acting) :]
        others = any(rest) if rest else None
        state = (tuple(ref for ref, _ in self._acting), tuple(training), others)
        if state == self._written:
            return
        self._written = state
        self._records += 1
        modules = [ref() for ref, _ in self._acting]
        self._writer.write(
            "mode", step=step, names=[self._naming.of_module(m) if m is not None else "" for m in modules],
            kinds=[kind for _, kind in self._acting], training=training, others=others,
            complete=False if self._records == _MOST_RECORDS else None,
            location=self._line([m for m, on in zip(modules, training) if m is not None and not on]),
        )  # fmt: skip

    def _line(self, off: list[nn.Module]) -> Any:
        for holder, line in reversed(list(self._evaluated.items())):
            within = {id(m) for m in holder.modules()}
            if any(id(m) in within for m in off):
                return line
        return None

    def _search(self) -> None:
        live = list(self._naming.live())
        trained = {id(m) for m in live if any(p.grad is not None for p in m.parameters())}
        if not trained:  # the gradients are kept elsewhere, or consumed within the backward pass
            return
        self._known = True
        holders: dict[int, list[nn.Module]] = {}
        for module in live:
            for child in module.children():
                holders.setdefault(id(child), []).append(module)
        acting, others = [], []
        for module in live:
            kind = _acts(module)
            if kind and _is_trained(module, trained, holders):
                acting.append((weakref.ref(module), kind))
            elif not kind and any(p.grad is not None for p in module.parameters(recurse=False)):
                others.append(weakref.ref(module))
        self._acting, self._others = acting[:_MOST_MODULES], others


def _is_trained(module: nn.Module, trained: set[int], holders: dict[int, list[nn.Module]]) -> bool:
    """Whether the innermost part of the network that holds it and has parameters is trained."""
    if next(module.parameters(), None) is not None:
        return id(module) in trained
    return any(_is_trained(holder, trained, holders) for holder in holders.get(id(module), []))


def _acts(module: nn.Module) -> str | None:
    """What the module does in training alone; None where that is nothing."""
    if isinstance(module, _BatchNorm):
        return "batch_norm" if module.track_running_stats else None
    if isinstance(module, _DropoutNd):
        return "dropout" if module.p > 0 else None
    if isinstance(module, nn.RNNBase):
        return "dropout" if module.dropout > 0 and module.num_layers > 1 else None
    if isinstance(module, nn.MultiheadAttention):
        return "dropout" if module.dropout > 0 else None
    return "dropout" if _drops_by_function(module) else None


def _drops_by_function(module: nn.Module) -> bool:
    """Whether its own `forward` reads `F.dropout(x, p, self.training)`, and no such p that it holds is 0."""
    # Not `type(module).forward`, which classes of TorchScript have none of without an instance.
    code = getattr(inspect.getattr_static(type(module), "forward", None), "__code__", None)
    if code is None or type(module).__module__.startswith("torch."):
        return False
    called = [name for name in _DROPOUTS if name in code.co_names]
    if (
        not called
        or "training" not in code.co_names
        or any(hasattr(module, n) and callable(getattr(module, n)) for n in called)
    ):
        return False
    rates = [v for k, v in vars(module).items() if "drop" in k and isinstance(v, (int, float))]
    return all(rate > 0 for rate in rates)
