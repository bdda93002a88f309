"""The calls of recurrent modules in training, handed to the sensors that look at them."""

from __future__ import annotations

from typing import Any

import torch

from .naming import Naming
from .recurrence.examiner import Examiner
from .schedule import examined_steps, sampled_steps
from .sensors.data_lag import DataLags
from .sensors.inputs import Inputs
from .sensors.loaders import Loaders
from .sensors.mixing import Mixings
from .sensors.nonfinite import NonFinites
from .sensors.padding import Paddings
from .sensors.recurrence import Recurrences
from .sensors.states import StateFlows
from .session import Session

_VIEWED_UNTIL = 3
"""Updates until which views are looked at."""


class Calls:
    """What the recurrent modules take and give, each sensor asked at the steps of its schedule."""

    def __init__(self, session: Session, naming: Naming, recurrences: Recurrences, loaders: Loaders) -> None:
        writer = session.writer
        self._session = session
        self._recurrences = recurrences
        self._loaders = loaders
        self._sampled = sampled_steps(session.config.steps)
        self._examined = examined_steps(session.config.steps)
        self.non_finites = NonFinites(writer, naming)
        self.inputs = Inputs(writer)
        self.paddings = Paddings(writer)
        self.mixings = Mixings(writer)
        self.flows = StateFlows(writer)
        self.data_lags = DataLags(writer)
        self.examiner = Examiner(writer)
        self._link = "fresh"

    @property
    def _step(self) -> int:
        """The update that is under way."""
        return self._session.step + 1

    @property
    def sampled(self) -> bool:
        """Whether the update that is under way is a sampled one."""
        return self._step in self._sampled

    @property
    def _flowing(self) -> bool:
        """Whether states are followed: at sampled steps and, for what is carried on, at those before."""
        return self._step in self._sampled or self._step + 1 in self._sampled

    @property
    def _mixing(self) -> bool:
        """Whether views are looked at: they are the same at every step."""
        return self._step <= _VIEWED_UNTIL and self.sampled

    def forward(self, module: Any, given: Any, state: Any, output: Any) -> None:
        """A recurrent module ran forward with gradients."""
        attempt = self._session.attempt
        number = self._recurrences.number(module)
        attempt("non_finite", self.non_finites.on_call, module, given, state, output)
        attempt("data_lag", self.data_lags.on_call, number, module, given)
        if self.sampled:
            attempt(
                "inputs", self.inputs.on_call, number, module, given, state, output, self._loaders.batch()
            )
            attempt("padding", self.paddings.on_call, number, module, given, output)
        if self._mixing:
            attempt(
                "mixing", self.mixings.on_call, number, module, given, state, output, self._loaders.tensor
            )
        if self._flowing:
            attempt("states", self._follow, number, module, given, state, output)
        if self._step in self._examined:
            attempt("recurrence", self.examiner.on_call, number, module, given, state, output, self._link)

    def _follow(self, number: int, module: Any, given: Any, state: Any, output: Any) -> None:
        self._link = "fresh"
        self._link = self.flows.on_call(number, module, given, state, output)

    def loss(self, function: str, output: Any, target: Any, options: dict[str, Any]) -> None:
        """A loss function that leads to a gradient returned."""
        self._session.attempt("data_lag", self.data_lags.on_loss, function, output, target, options)

    def backward(self, loss: torch.Tensor) -> None:
        """A backward pass is about to run."""
        self.data_lags.on_backward()
        if self._mixing:
            self._session.attempt("mixing", self.mixings.on_backward, self._step, loss)

    def backward_done(self) -> None:
        """A backward pass has run; the parameters are still those of the forward pass."""
        step, last = self._step, self._session.config.steps
        if step in self._examined:
            closely = step in (1, last) or last is None
            self._session.attempt("recurrence", self.examiner.examine, step, closely)

    def updated(self, step: int) -> None:
        """An update is complete."""
        if self.sampled:
            self._session.attempt("inputs", self.inputs.write, step)
            self._session.attempt("padding", self.paddings.write, step)
        if self._mixing:
            self._session.attempt("mixing", self.mixings.ended)
        if self._flowing:
            self._session.attempt("states", self.flows.ended, step, self.sampled)
        self._session.attempt("data_lag", self.data_lags.updated, step)
        self.examiner.forget()
        self.non_finites.forget()

    def finish(self) -> None:
        """Nothing is observed any more."""
        self._session.attempt("mixing", self.mixings.finish)
        self._session.attempt("data_lag", self.data_lags.finish)
