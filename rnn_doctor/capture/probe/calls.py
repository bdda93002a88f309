"""The calls of recurrent modules in training, handed to the sensors that look at them."""

from __future__ import annotations

from typing import Any

from .naming import Naming
from .schedule import sampled_steps
from .sensors.inputs import Inputs
from .sensors.lag_gain import LagGains
from .sensors.loaders import Loaders
from .sensors.nonfinite import NonFinites
from .sensors.recurrence import Recurrences
from .session import Session


class Calls:
    """What the recurrent modules take and give, each sensor asked at the steps of its schedule."""

    def __init__(self, session: Session, naming: Naming, recurrences: Recurrences, loaders: Loaders) -> None:
        writer = session.writer
        self._session = session
        self._recurrences = recurrences
        self._loaders = loaders
        self._sampled = sampled_steps(session.config.steps)
        self.non_finites = NonFinites(writer, naming)
        self.inputs = Inputs(writer)
        self.lag_gains = LagGains(writer)

    @property
    def sampled(self) -> bool:
        """Whether the update that is under way is a sampled one."""
        return self._session.step + 1 in self._sampled

    def forward(self, module: Any, given: Any, state: Any, output: Any) -> None:
        """A recurrent module ran forward with gradients."""
        attempt = self._session.attempt
        number = self._recurrences.number(module)
        attempt("non_finite", self.non_finites.on_call, module, given, state, output)
        if self.sampled:
            attempt(
                "inputs", self.inputs.on_call, number, module, given, state, output, self._loaders.batch()
            )
            if self._session.step == 0:
                attempt("lag_gain", self.lag_gains.on_call, number, module, given)

    def updated(self, step: int) -> None:
        """An update is complete."""
        if self.sampled:
            self._session.attempt("inputs", self.inputs.write, step)
        self.non_finites.forget()
