"""Tells updates apart, asks the sensors at the end of each, and ends the script when enough was seen.

A step is one parameter update. Optimizers that step after the same backward passes make one step together
(encoder and decoder); those with a backward pass in between make two (generator and discriminator). Where no
optimizer ever steps, a change of the parameters between two backward passes is an update made by hand.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

import torch

from . import graph
from .early_validation import EarlyValidation
from .sensing import Sensors
from .sensors.norms import total
from .sensors.optimizers import loss_scale, parameters, rates
from .session import Session
from .stopping import StopProbe
from .trainables import gradients_of
from .trials.deep import AT, Deep
from .trials.withholding import Withholding

GRAPH_STEPS = 3
"""Updates in which the graph of a loss is walked for parameters that are not known yet."""
_GRAPH_BACKWARDS = 4


class Updates:
    """The update that is under way, from its backward pass to its record."""

    def __init__(self, session: Session, sensors: Sensors, probing: Callable[[], bool]) -> None:
        self._session = session
        self._sensors = sensors
        self._probing = probing
        self.stepped: dict[int, Any] = {}
        """The optimizers that have stepped in the update that is under way, by number."""
        self._together: set[int] = set()
        self._in_backward = False
        self.early = EarlyValidation(session, sensors.loaders, sensors.evaluations, lambda: self.end("steps"))
        self.deep = Deep(session, sensors, probing) if session.config.deep else None
        """Trials in copies of the process, until they are over."""
        self.withholding = Withholding(session, sensors, probing)
        self._tries = True
        """Whether copies of the process may still try something."""
        self.closure = False
        """An optimizer evaluates the loss itself, by a closure."""
        self.clip_late = False
        """A clip call ran after the last update and before the next backward pass."""

    # ---------------------------------------------------------------- what an update is made of

    def backward(self, loss: torch.Tensor, fresh: bool) -> None:
        """A backward pass of this loss is about to run; fresh: it is the first since the last update."""
        sensors = self._sensors
        if sensors.calls.sampled:
            self._session.attempt("parameters", self._take_in, loss, fresh)
            if sensors.losses.backwards <= _GRAPH_BACKWARDS:
                describe, step = sensors.losses.describe_expression, self._session.step + 1
                self._session.attempt("losses", describe, step, loss)
                if (
                    not sensors.norms.scaling
                ):  # which multiplies what passes by a number that is not known here
                    self._session.attempt("penalties", sensors.penalties.on_backward, loss)
        sensors.calls.backward(loss)
        if not sensors.graphless.over:
            self._session.attempt("graphless", sensors.graphless.backward, self._session.step + 1)
        value = sensors.losses.latest
        if value is not None and value - value != 0:
            self.search_non_finite(value, value, False, loss)
        if value is not None and not sensors.calls.sampled:
            # The pass frees what the calls gave, as it would without the probe: no step needs more memory for it.
            sensors.calls.non_finites.forget()
        if self.deep is not None and fresh:
            self._session.attempt("deep", self.deep.backward, loss)
        if fresh and not self.withholding.over:
            self._session.attempt("withheld", self.withholding.backward, loss)
        self._in_backward = True

    def backward_done(self, gathered: bool = True) -> None:
        """A backward pass has run; gathered: what it found stands in the places of the gradients."""
        self._in_backward = False
        sensors = self._sensors
        sensors.calls.backward_done()
        sampled = sensors.calls.sampled
        by_hand = not (sensors.trainables.optimized or sensors.norms.scaling)
        if gathered and (by_hand or sensors.norms.wants_backward(sampled)):
            self._session.attempt("norms", sensors.norms.after_backward, sensors.trainables.gradients())
        if by_hand:  # nothing else will be seen of this gradient
            self.search_non_finite(sensors.norms.before, None, True)
        if self.stepped:  # optimizers that stepped within the backward pass
            self.close()
        elif by_hand:
            self._session.attempt("parameters", sensors.trainables.watch_hands, sampled)

    def backward_failed(self) -> None:
        """A backward pass raised; the script may go on with the next batch."""
        self._in_backward = False
        self._sensors.calls.backward_failed()

    def gather(self, number: int, optimizer: Any) -> None:
        """An optimizer is about to use its gradients."""
        sensors = self._sensors
        sampled = sensors.calls.sampled
        if sampled or not sensors.norms.knows(number):
            tensors, scale = parameters(optimizer), loss_scale(optimizer)
            self._session.attempt("norms", sensors.norms.at_update, number, gradients_of(tensors), scale)
            if sampled:
                renew = {id(p) for p in tensors} if self.stepped else None
                known = sensors.norms.each
                self._session.attempt("parameters", sensors.parameters.before_update, renew, scale, known)
        used = sensors.norms.used
        if used is not None and used - used != 0:  # before the update, which spreads it to all weights
            self.search_non_finite(used, sensors.losses.latest, True)

    def has_stepped(self, optimizer: Any) -> None:
        """An optimizer has stepped: the update is complete unless others are expected to join it."""
        optimizers = self._sensors.optimizers
        self.stepped[optimizers.number(optimizer)] = optimizer
        if not self._in_backward and (self.stepped.keys() == self._together or len(optimizers.live()) == 1):
            self.close()

    def _take_in(self, loss: torch.Tensor, fresh: bool) -> None:
        """Learns of the parameters before their first update, and of what is left in their gradients."""
        sensors, step = self._sensors, self._session.step
        early = step < GRAPH_STEPS and sensors.losses.backwards <= _GRAPH_BACKWARDS
        sensors.trainables.take_in(graph.leaves(loss) if early else None, sensors.calls.loops.weights)
        if fresh and sensors.calls.sampled and step > 0:
            left = sensors.trainables.gradients()
            sensors.parameters.stale = {number: total(tensors) or 0.0 for number, tensors in left.items()}

    def search_non_finite(
        self, number: float | None, loss: float | None, in_gradients: bool, made: torch.Tensor | None = None
    ) -> None:
        """Looks once for the origin of a loss or norm that is NaN or infinite."""
        found = self._sensors.calls.non_finites
        if number is not None and number - number != 0 and not found.found:
            tensors, step = self._sensors.trainables.tensors(), self._session.step + 1
            self._session.attempt("non_finite", found.search, step, tensors, loss, in_gradients, made)

    # ---------------------------------------------------------------- its end

    def close(self) -> None:
        """Ends the update of the optimizers that stepped, if any did."""
        if self.stepped and not self._session.stopping:
            self._together = set(self.stepped)
            stepped, self.stepped = self.stepped, {}
            self.finish(stepped)

    def finish(self, stepped: dict[int, Any]) -> None:
        """An update is complete; `stepped` are its optimizers by number, none where it was made by hand."""
        sensors = self._sensors
        step = self._session.step + 1
        backwards = max(1, sensors.losses.backwards)
        loss = sensors.losses.take(self.closure)
        fields = sensors.norms.fields()
        numbers = sorted(stepped)
        optimizers = [stepped[number] for number in numbers]
        self._session.writer.write(
            "step", step=step, elapsed=self._session.elapsed, loss=loss, **fields,
            clip_late=self.clip_late or None, lr=[rate for o in optimizers for rate in rates(o)],
            optimizers=numbers, backwards=backwards,
        )  # fmt: skip
        norm = fields["grad_norm"]
        if norm is not None and norm - norm != 0:
            self.search_non_finite(norm, loss, True)
        if sensors.calls.sampled:
            self._session.attempt("penalties", sensors.penalties.ended)
            self._session.attempt("parameters", sensors.parameters.after_update, step, numbers)
            self._session.attempt("loss_sums", sensors.loss_sums.write, step, loss, backwards)
            sensors.losses.forget_calls()
        if sensors.gradientless.waits:
            self._session.attempt("gradientless", sensors.gradientless.updated)
        sensors.calls.updated(step)
        if not sensors.graphless.over:
            self._session.attempt("graphless_end", sensors.graphless.leave)
            self._session.attempt("graphless", sensors.graphless.updated, step, self._probing)
        if sensors.calls.sampled and stepped:
            self._session.attempt("parameters", sensors.parameters.leave)
        sensors.norms.forget()
        self.clip_late = self.closure = False
        sensors.trainables.watched = []
        self._session.step = step
        self._session.backwards = 0
        if self._tries:
            self._trials(step, optimizers, backwards, fields)
        sensors.evaluations.trained.step = step + 1
        reason = self._session.enough()
        if reason is not None and not self.early.begins(reason):
            self.end(reason)

    def _trials(self, step: int, stepped: Sequence[Any], backwards: int, fields: dict[str, Any]) -> None:
        """What copies of the process will try: an update is complete."""
        attempt = self._session.attempt
        if not self.withholding.over:
            attempt("withheld", self.withholding.updated, step, stepped, backwards, fields)
        if self.withholding.lingers:
            attempt("withheld_end", self.withholding.leave)
        if self.deep is not None:
            attempt("deep", self.deep.updated, step, stepped, backwards, fields)
            if step >= AT:  # also where a failure has switched it off
                attempt("deep_end", self.deep.leave)
            self.deep = None if self.deep.over else self.deep
        self._tries = self.deep is not None or not self.withholding.over or self.withholding.lingers

    def end(self, reason: str) -> None:
        """Enough was seen: the script is asked to stop."""
        self.leave(reason)
        self._session.stop()

    def leave(self, reason: str) -> None:
        """Writes the last records; nothing is observed any more."""
        session, sensors = self._session, self._sensors
        if session.active:
            if self.deep is not None:
                session.attempt("deep_end", self.deep.leave)
            if session.writer.is_open:
                session.attempt("evaluations", sensors.evaluations.training_goes_on, session.step)
                session.attempt("withheld", self.withholding.at_end, reason)
                session.attempt("parameters", sensors.trainables.take_in_frozen)
            session.attempt("withheld_end", self.withholding.leave)
            session.attempt("graphless_end", sensors.graphless.leave)
            sensors.calls.finish()
            session.finish(reason)

    def end_of_script(self) -> None:
        """The interpreter exits: the update under way is closed."""
        session, sensors = self._session, self._sensors
        if not session.active:
            return
        if self.early.waiting:
            self.leave("steps")
            return
        built = sensors.recurrences.built_modules()
        if not session.writer.is_open and built:  # it built networks but never trained them
            for module in built:
                sensors.recurrences.number(module)
            session.begin()
        try:
            if sensors.trainables.changed_by_hand():
                self.finish({})
            self.close()
        except StopProbe:
            return
        self.leave("script_end")
