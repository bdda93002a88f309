"""The recurrent modules: what they are, where they were built, and the weights they start from."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import nn

from ..naming import Naming
from ..recurrence.initial import asymmetry, distribution, gain
from ..recurrence.kernel import GATES, mode_of, weight_of
from ..writer import Writer

_FORGET = {4: 1, 3: 1}
"""Which gate keeps the state: forget of i, f, g, o; update of r, z, n."""


class Recurrences:
    """Numbers the recurrent modules and describes them once."""

    def __init__(self, writer: Writer, naming: Naming) -> None:
        self._writer = writer
        self._naming = naming
        self._built: dict[int, tuple[weakref.ref[nn.Module], dict[str, Any] | None]] = {}
        self._custom: dict[str, int] = {}
        self._count = 0
        self._hidden: set[int] = set()
        self._frozen: set[int] = set()
        self._numbered: list[weakref.ref[nn.Module]] = []
        self.ids: dict[int, int] = {}

    @property
    def any_seen(self) -> bool:
        """Whether any recurrence was numbered."""
        return self._count > 0

    def built(self, module: nn.Module, location: dict[str, Any] | None) -> None:
        """A recurrent module was constructed."""
        self._built[id(module)] = (weakref.ref(module), location)
        self.ids.pop(id(module), None)  # of one that is gone, in whose place this one stands

    def built_modules(self) -> list[nn.Module]:
        """Those that still exist."""
        return [module for module in (ref() for ref, _ in self._built.values()) if module is not None]

    def numbered_modules(self) -> list[nn.Module]:
        """Those that still exist and have a number, however they were made."""
        return [module for module in (ref() for ref in self._numbered) if module is not None]

    def hidden_modules(self) -> list[tuple[int, nn.Module]]:
        """Those whose calls TorchScript or a compiler hides, with their numbers."""
        return [(n, m) for m in self.built_modules() if (n := self.ids.get(id(m))) in self._hidden]

    def number(
        self,
        module: nn.Module,
        called: bool = True,
        frozen: bool = False,
        gradientless: dict[str, Any] | None = None,
    ) -> int:
        """Its number; its description is written the first time, and when more than was known is seen of it.

        frozen: no gradient flows through the call that was seen, nor could any. gradientless: the line of that call,
        where the script switched gradients off for it.
        """
        known = self.ids.get(id(module))
        if known is not None and not (
            (called and known in self._hidden) or (known in self._frozen and not frozen)
        ):
            return known
        unlearned = frozen or gradientless is not None
        if known is None:
            number = self.ids[id(module)] = self._count
            self._numbered.append(weakref.ref(module))
            self._count += 1
        else:
            number = known
        (self._hidden.discard if called else self._hidden.add)(number)
        (self._frozen.add if unlearned else self._frozen.discard)(number)
        self._naming.refresh(module.parameters())
        reference, location = self._built.get(id(module), (None, None))
        if reference is not None and reference() is not module:
            location = None
        self._writer.write(
            "module", id=number, **_description(module, self._naming, called), frozen=frozen or None,
            gradientless=gradientless, location=location,
        )  # fmt: skip
        for fields in initial_weights(module) if known is None else []:
            self._writer.write("initial_weights", module=number, **fields)
        return number

    def copied(self, module: nn.Module) -> None:
        """A copy of it makes what it is to learn."""
        _, location = self._built.get(id(module), (None, None))
        self._writer.write(
            "module", id=self.ids[id(module)], **_description(module, self._naming, True), copied=True,
            location=location,
        )  # fmt: skip

    def custom(
        self,
        name: str,
        hidden_size: int,
        location: dict[str, Any] | None,
        frozen: bool = False,
        gradientless: dict[str, Any] | None = None,
    ) -> int:
        """The number of a hand-written recurrence; its description is written the first time, and when it learns."""
        number = self._custom.get(name)
        unlearned = frozen or gradientless is not None
        if number is not None and (unlearned or number not in self._frozen):
            return number
        if number is None:
            number = self._custom[name] = self._count
            self._count += 1
        (self._frozen.add if unlearned else self._frozen.discard)(number)
        self._writer.write(
            "module", id=number, name=name, kind="custom", hidden_size=hidden_size, frozen=frozen or None,
            gradientless=gradientless, location=location,
        )  # fmt: skip
        return number


def _description(module: Any, naming: Naming, called: bool) -> dict[str, Any]:
    fields = {
        "name": naming.of_module(module),
        "kind": next(
            kind.__name__
            for kind in (nn.LSTM, nn.GRU, nn.RNN, nn.LSTMCell, nn.GRUCell, nn.RNNCell, object)
            if isinstance(module, kind)
        ),
        "nonlinearity": getattr(module, "nonlinearity", None),
        "input_size": module.input_size,
        "hidden_size": module.hidden_size,
        "called": called,
    }
    if fields["kind"] == "object":
        fields["kind"] = "custom"
    for name in ("num_layers", "bidirectional", "batch_first", "dropout", "proj_size"):
        if hasattr(module, name):
            fields[name] = getattr(module, name)
    if "dropout" in fields:
        fields["dropout"] = float(fields["dropout"])
    return fields


def initial_weights(module: Any) -> list[dict[str, Any]]:
    """Symmetry, scale and forget bias of each layer and direction.

    Shapes: weight_ih (G*H, I), weight_hh (G*H, H or P), biases (G*H) with G gates.
    """
    gates = len(GATES.get(mode_of(module), ()))
    if not gates:
        return []
    layers: list[tuple[int, bool, str]] = (
        [(layer, reverse, f"_l{layer}{'_reverse' * reverse}") for layer in range(module.num_layers)
         for reverse in ([False, True] if module.bidirectional else [False])]
        if isinstance(module, nn.RNNBase) else [(0, False, "")]
    )  # fmt: skip
    found = []
    for layer, reverse, suffix in layers:
        weights = [weight_of(module, f"weight_{kind}{suffix}") for kind in ("ih", "hh")]
        weight_ih, weight_hh = (None if w is None else w.float() for w in weights)
        if weight_ih is None or weight_hh is None:
            continue
        biases = [weight_of(module, f"bias_{kind}{suffix}") for kind in ("ih", "hh")]
        bias = sum(b.float() for b in biases if b is not None)
        hidden = weight_ih.shape[0] // gates
        fields: dict[str, Any] = {
            "layer": layer,
            "reverse": reverse,
            "asymmetry": max(asymmetry(w, gates, hidden) for w in (weight_ih, weight_hh)),
            "hidden_gain": gain(weight_hh),
            "input_gain": gain(weight_ih),
            **distribution(weight_hh, gates),
        }
        if gates in _FORGET and isinstance(bias, torch.Tensor):
            fields["forget_bias"] = float(
                bias[_FORGET[gates] * hidden : (_FORGET[gates] + 1) * hidden].mean()
            )
        found.append(fields)
    return found
