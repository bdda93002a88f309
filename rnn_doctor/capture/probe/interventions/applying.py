"""Connects the intervention of a trial to torch."""

from __future__ import annotations

from typing import Any, Callable, Mapping

from torch import nn
from torch.nn.modules import module as module_hooks
from torch.optim import optimizer as optimizer_hooks

from ..patches import Patches
from . import checkpoints, seeds
from .activations import Normalize, Standardize
from .gradients import Adam, Clear, Clip
from .kinds import Intervention
from .limits import Limit
from .steps import Hold, NoDecay, Rate, WarmUp
from .weights import Fresh, Identity, Memory, Orthogonal, Xavier

INTERVENTIONS: Mapping[str, Callable[..., Intervention]] = {
    "none": Intervention,
    "rate": Rate,
    "warm_up": WarmUp,
    "hold_rate": Hold,
    "no_decay": NoDecay,
    "clip": Clip,
    "clear": Clear,
    "adam": Adam,
    "limit": Limit,
    "orthogonal": Orthogonal,
    "xavier": Xavier,
    "identity": Identity,
    "memory": Memory,
    "fresh": Fresh,
    "standardize": Standardize,
    "normalize": Normalize,
}
_RECURRENT = (nn.RNNBase, nn.RNNCellBase)


class Applying:
    """The intervention of one run, which acts before the probe looks; what is taken back, is so after."""

    def __init__(self, name: str, values: Mapping[str, Any], repeat: int, patches: Patches) -> None:
        self.name = name
        self.intervention = INTERVENTIONS[name](**values)
        self._called: set[int] = set()
        self._stepped = False
        self._patches = patches
        seeds.shift(repeat, patches)
        checkpoints.divert(patches)

    def begin(self) -> None:
        """To be called before the probe is installed: what it sees is the changed training."""
        intervention = self.intervention
        if isinstance(intervention, Limit):
            intervention.replace(self._patches)
        if not isinstance(intervention, Adam):
            self._before_steps()
        self._patches.handle(module_hooks.register_module_forward_pre_hook(self._given))
        self._patches.handle(module_hooks.register_module_forward_hook(self._returned))

    def end(self) -> None:
        """To be called after the probe is installed: it has seen an update when that is taken back."""
        if isinstance(self.intervention, Adam):  # which hides gradients that the probe is to see
            self._before_steps()

        def stepped(optimizer: Any, _args: Any, _kwargs: Any) -> None:
            self._stepped = True
            self.intervention.after_step(optimizer)

        self._patches.handle(optimizer_hooks.register_optimizer_step_post_hook(stepped))

    def _before_steps(self) -> None:
        def steps(optimizer: Any, _args: Any, _kwargs: Any) -> None:
            self.intervention.before_step(optimizer)

        self._patches.handle(optimizer_hooks.register_optimizer_step_pre_hook(steps))

    def _given(self, module: Any, arguments: tuple[Any, ...]) -> Any:
        if not self._stepped and id(module) not in self._called:
            self._called.add(id(module))
            self.intervention.before_first_call(module)
        return self.intervention.given(module, arguments) if isinstance(module, _RECURRENT) else None

    def _returned(self, module: Any, _arguments: Any, output: Any) -> Any:
        return self.intervention.returned(module, output) if isinstance(module, _RECURRENT) else None
