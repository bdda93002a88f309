"""The state of an observation: tells steps apart, asks the sensors, and ends the script when enough was seen.

A step is one parameter update. Optimizers that step after the same backward passes make one step together
(encoder and decoder); those with a backward pass in between make two (generator and discriminator). Where no
optimizer ever steps, a change of the parameters between two backward passes is an update made by hand.
"""

from __future__ import annotations

import time
from typing import Any, Callable, Sequence, TypeVar

import torch
from torch.nn.utils.rnn import PackedSequence

from . import graph, places
from .calls import Calls
from .config import Config
from .early_validation import EarlyValidation
from .naming import Naming
from .sensors.evaluations import Evaluations
from .sensors.loaders import Loaders
from .sensors.losses import Losses
from .sensors.norms import BY_HAND, GradientNorms, total
from .sensors.optimizers import Optimizers, loss_scale, parameters, rates
from .sensors.parameters import Parameters
from .sensors.recurrence import Recurrences
from .session import Session
from .stopping import StopProbe
from .trainables import Trainables, gradients_of

_Method = TypeVar("_Method", bound=Callable[..., Any])
_GRAPH_STEPS = 3
_GRAPH_BACKWARDS = 4
_LEARNING = ("on_backward", "after_update", "on_gradients_returned")
"""Entries that a script passes which trains on although it was asked to stop."""


def entry(method: _Method) -> _Method:
    """An entry into the probe: does nothing once it is over, counts its time, and never raises but to stop."""

    def run(self: Observer, *args: Any) -> Any:
        session = self.session
        if not session.active:
            if session.stopping and method.__name__ in _LEARNING:
                session.stop()
            return None
        outermost = not self.inside
        self.inside = True
        began = time.perf_counter()
        try:
            if self.early.waiting:
                return self.early.meanwhile(method.__name__, args)
            return method(self, *args)
        except StopProbe:
            raise
        except Exception as error:
            session.switch_off(method.__name__, error)
        finally:
            if outermost:
                self.inside = False
                session.spent += time.perf_counter() - began

    run.__name__ = method.__name__
    run.__doc__ = method.__doc__
    run.is_entry = True  # type: ignore[attr-defined]
    return run  # type: ignore[return-value]


class Observer:
    """Takes what the script does, and passes it to the sensors step by step."""

    def __init__(self, config: Config) -> None:
        self.session = Session(config)
        self.inside = False
        """The probe itself is at work: what it calls of torch is not the script's doing."""
        writer = self.session.writer
        self.naming = Naming()
        self.recurrences = Recurrences(writer, self.naming)
        self.optimizers = Optimizers(writer)
        self.parameters = Parameters(writer, self.naming)
        self.trainables = Trainables(self.naming, self.optimizers, self.recurrences, self.parameters)
        self.norms = GradientNorms(writer)
        self.losses = Losses(writer)
        self.loaders = Loaders(writer)
        self.evaluations = Evaluations(writer, self.loaders, config.steps)
        self.early = EarlyValidation(self.session, self.loaders, self.evaluations, lambda: self._end("steps"))
        self.calls = Calls(self.session, self.naming, self.recurrences, self.loaders)
        self._stepped: dict[int, Any] = {}
        self._together: set[int] = set()
        self._closure = False
        self._clip_late = False
        self._in_backward = False

    # ---------------------------------------------------------------- what the script does

    @entry
    def on_recurrent_built(self, module: Any) -> None:
        """A recurrent module was constructed."""
        self.recurrences.built(module, places.here())

    @entry
    def on_recurrent_scripted(self, module: Any) -> None:
        """A recurrent module goes into TorchScript, which will hide its calls."""
        self.recurrences.number(module, False)

    @entry
    def on_recurrent_call(self, module: Any, given: Any, state: Any, output: Any) -> None:
        """A recurrent module returned from its forward call."""
        first = output[0] if type(output) is tuple else output
        data: torch.Tensor = first.data if isinstance(first, PackedSequence) else first
        learns = torch.is_grad_enabled()
        self.session.attempt("evaluations", self.evaluations.called, module, given, learns)
        if not learns:
            return
        if not data.requires_grad:  # weights and input are frozen, as a reservoir's are
            self.session.begin()
            self.calls.frozen(module, given, state, output)
            return
        self._close_step()
        self.session.begin()
        self.calls.forward(module, given, state, output)

    @entry
    def on_loss_call(
        self, function: str, output: Any, target: Any, result: Any, options: dict[str, Any]
    ) -> None:
        """A loss function of torch returned."""
        learns = result.requires_grad
        evaluated = self.evaluations.on_loss
        self.session.attempt("evaluations", evaluated, function, output, target, result, options, learns)
        if learns:
            self.calls.loss(function, output, target, options)
        if learns and self._samples:
            describe, step = self.losses.describe, self.session.step + 1
            self.session.attempt("losses", describe, step, function, output, target, result, options)

    @entry
    def on_backward(self, tensors: Any) -> None:
        """A backward pass is about to run."""
        self._close_step()
        self.session.begin()
        if self.trainables.changed_by_hand():
            self._finish_step(())
        self.session.place("backward")
        self.loaders.trained()
        self.session.attempt("evaluations", self.evaluations.training_goes_on, self.session.step)
        self.session.backwards = self.losses.backwards
        if self.session.out_of_time():  # within an update of many backward passes, such as LBFGS makes
            self._end("time")
        loss = tensors if isinstance(tensors, torch.Tensor) else sum(tensors)
        fresh = self.losses.backwards == 0
        loss = self.losses.on_backward(loss, places.site())
        if self._samples:
            self.session.attempt("parameters", self._take_in, loss, fresh)
            if self.losses.backwards <= _GRAPH_BACKWARDS:
                self.session.attempt("losses", self.losses.describe_expression, self.session.step + 1, loss)
        self.calls.backward(loss)
        value = self.losses.latest
        self._search_non_finite(value, value, False)
        self._in_backward = True

    @entry
    def after_backward(self) -> None:
        """A backward pass has run."""
        self._in_backward = False
        self.calls.backward_done()
        by_hand = not (self.trainables.optimized or self.norms.scaling)
        if by_hand or self.norms.wants_backward(self._samples):
            self.session.attempt("norms", self.norms.after_backward, self.trainables.gradients())
        if by_hand:  # nothing else will be seen of this gradient
            self._search_non_finite(self.norms.before, None, True)
        if self._stepped:  # optimizers that stepped within the backward pass
            self._close_step(True)
        elif by_hand:
            self.session.attempt("parameters", self.trainables.watch_hands, self._samples)

    @entry
    def on_backward_failed(self) -> None:
        """A backward pass raised; the script may go on with the next batch."""
        self._in_backward = False
        self.calls.backward_failed()

    @entry
    def on_gradients_returned(self, loss: torch.Tensor, gradients: Sequence[torch.Tensor]) -> None:
        """`autograd.grad` of a loss by parameters returned: the script updates them by hand, as new tensors."""
        if self.trainables.optimized or self.trainables.watched:
            return
        self.session.begin()
        self.session.place("backward")
        self.session.attempt("evaluations", self.evaluations.training_goes_on, self.session.step)
        self.losses.on_backward(loss, places.site())
        self.norms.after_backward({BY_HAND: [g for g in gradients if g is not None]})
        self._finish_step(())

    @entry
    def on_gradient_hook(self, node: Any) -> None:
        """The script hooks the gradient of what this operation made."""
        if self.calls.searching:
            self.calls.loops.hooked.add(node._sequence_nr())

    @entry
    def on_graph(self, loss: torch.Tensor) -> None:
        """A loss whose graph is about to be consumed by `autograd.grad`."""
        if self._samples and self.session.step < _GRAPH_STEPS and not self.trainables.optimized:
            self.calls.loops_of(loss)

    @entry
    def on_clip(self, tensors: Sequence[torch.Tensor], limit: float, tells_norm: bool) -> None:
        """A clip call is about to run; `tells_norm`: it will return the 2-norm that it found."""
        if self.session.step > 0 and self.losses.backwards == 0:
            self._clip_late = True
            self.norms.placed(self.session.step)
            return
        holder = self.trainables.holder(tensors) if tells_norm and not self._samples else None
        if holder is not None:
            self.session.attempt("norms", self.norms.clipping_by_norm, holder, limit, self.session.step + 1)
            return
        gradients = self.trainables.gradients()
        if not any(gradients.values()):
            gradients = {BY_HAND: gradients_of(tensors)}
        self.session.attempt("norms", self.norms.clipping, gradients, limit, self.session.step + 1)

    @entry
    def on_clipped(self, norm: Any) -> None:
        """A clip call returned."""
        self.session.attempt("norms", self.norms.clipped, norm)

    @entry
    def on_scale(self, original: torch.Tensor, result: torch.Tensor) -> None:
        """GradScaler multiplied a loss."""
        self.norms.scaling = True
        self.losses.scaled(result, original)

    @entry
    def on_optimizer_built(self, optimizer: Any) -> None:
        """An optimizer was constructed."""
        self.optimizers.built(optimizer, places.here())

    @entry
    def on_scheduler_built(self, scheduler: Any, optimizer: Any) -> None:
        """A learning-rate scheduler was constructed."""
        self.optimizers.scheduler(scheduler, optimizer)

    @entry
    def on_zero_grad(self) -> None:
        """Gradients are cleared."""
        self.session.place("zero_grad")

    @entry
    def before_update(self, optimizer: Any, closure: Callable[..., Any] | None) -> Any:
        """An optimizer is about to step; returns a closure to use in the place of the given one."""
        number = self.optimizers.number(optimizer, closure is not None)
        self.trainables.optimized = True
        self.session.place("step")
        if closure is None:
            self._gather(number, optimizer)
            return None
        self._closure = True
        seen = False

        def observed(*args: Any, **kwargs: Any) -> Any:
            nonlocal seen
            result = closure(*args, **kwargs)
            if not seen:
                seen = True
                self._gather_entry(number, optimizer)
            return result

        return observed

    @entry
    def _gather_entry(self, number: int, optimizer: Any) -> None:
        self._gather(number, optimizer)

    @entry
    def after_update(self, optimizer: Any) -> None:
        """An optimizer has stepped."""
        self._stepped[self.optimizers.number(optimizer)] = optimizer
        if not self._in_backward:
            self._close_step(set(self._stepped) == self._together or len(self.optimizers.live()) == 1)

    @entry
    def on_loader(self, iterator: Any, loader: Any) -> None:
        """A DataLoader is iterated."""
        self.loaders.iterating(iterator, loader)

    @entry
    def on_batch(self, iterator: Any, batch: Any) -> None:
        """A DataLoader gave a batch."""
        self.loaders.gave(iterator, batch, self._samples)
        self.session.attempt("orders", self.calls.orders.gave, self.loaders.current, batch)

    @entry
    def on_loader_end(self) -> None:
        """A DataLoader is exhausted."""
        self.loaders.ended()

    @entry
    def on_next(self, iterator: Any, taker: Any) -> bool:
        """A DataLoader is asked for a batch after the last update; whether it shall say that it is exhausted."""
        return False

    @entry
    def on_save(self) -> None:
        """The script saves something after the last update."""

    # ---------------------------------------------------------------- steps

    @property
    def _samples(self) -> bool:
        return self.calls.sampled

    def _close_step(self, now: bool = True) -> None:
        """Ends the step of the optimizers that stepped, unless others are expected to join them."""
        if now and self._stepped and not self.session.stopping:
            self._together = set(self._stepped)
            stepped = [optimizer for _, optimizer in sorted(self._stepped.items())]
            self._stepped = {}
            self._finish_step(stepped)

    def _finish_step(self, stepped: Sequence[Any]) -> None:
        step = self.session.step + 1
        backwards = max(1, self.losses.backwards)
        loss = self.losses.take(self._closure)
        fields = self.norms.fields()
        numbers = [self.optimizers.number(o) for o in stepped]
        self.session.writer.write(
            "step", step=step, elapsed=self.session.elapsed, loss=loss, **fields,
            clip_late=self._clip_late or None, lr=[rate for o in stepped for rate in rates(o)],
            optimizers=numbers, backwards=backwards,
        )  # fmt: skip
        self._search_non_finite(fields["grad_norm"], loss, True)
        if self._samples:
            self.session.attempt("parameters", self.parameters.after_update, step, numbers)
        self.calls.updated(step)
        self.norms.forget()
        self.losses.forget_calls()
        self._clip_late = self._closure = False
        self.trainables.updated()
        self.session.step = step
        self.session.backwards = 0
        self.evaluations.trained.begins(step + 1)
        self._end_if_enough()

    def _gather(self, number: int, optimizer: Any) -> None:
        if self._samples or not self.norms.knows(number):
            tensors, scale = parameters(optimizer), loss_scale(optimizer)
            self.session.attempt("norms", self.norms.at_update, number, gradients_of(tensors), scale)
            if self._samples:
                renew = {id(p) for p in tensors} if self._stepped else None
                self.session.attempt("parameters", self.parameters.before_update, renew, scale)
        # Before the update, which spreads what is not finite to all weights.
        self._search_non_finite(self.norms.used, self.losses.latest, True)

    def _take_in(self, loss: torch.Tensor, fresh: bool) -> None:
        """Learns of the parameters before their first update, and of what is left in their gradients."""
        early = self.session.step < _GRAPH_STEPS and self.losses.backwards <= _GRAPH_BACKWARDS
        self.trainables.take_in(graph.leaves(loss) if early else None)
        if fresh and self._samples and self.session.step > 0:
            left = self.trainables.gradients()
            self.parameters.stale = {number: total(tensors) or 0.0 for number, tensors in left.items()}

    def _search_non_finite(self, number: float | None, loss: float | None, in_gradients: bool) -> None:
        """Looks once for the origin of a loss or norm that is NaN or infinite."""
        found = self.calls.non_finites
        if number is not None and number - number != 0 and not found.found:
            search, step = found.search, self.session.step + 1
            self.session.attempt("non_finite", search, step, self.trainables.tensors(), loss, in_gradients)

    # ---------------------------------------------------------------- the end

    def _end_if_enough(self) -> None:
        reason = self.session.enough()
        if reason is not None and not self.early.begins(reason):
            self._end(reason)

    def _end(self, reason: str) -> None:
        self.finish(reason)
        self.session.stop()

    def finish(self, reason: str) -> None:
        """Writes the last records; nothing is observed any more."""
        if self.session.active:
            if self.session.writer.is_open:
                self.session.attempt("evaluations", self.evaluations.training_goes_on, self.session.step)
            self.calls.finish()
            self.session.finish(reason)

    def end_of_script(self) -> None:
        """The interpreter exits."""
        if not self.session.active:
            return
        if self.early.waiting:
            self.finish("steps")
            return
        built = self.recurrences.built_modules()
        if not self.session.writer.is_open and built:  # it built networks but never trained them
            for module in built:
                self.recurrences.number(module)
            self.session.begin()
        try:
            if self.trainables.changed_by_hand():
                self._finish_step(())
            self._close_step()
        except StopProbe:
            return
        self.finish("script_end")

    def crashed(self, kind: type[BaseException], error: BaseException, where: Any) -> None:
        """An exception ends the script."""
        if not self.session.active:
            return
        if issubclass(kind, KeyboardInterrupt):
            self.finish("interrupted")
        elif self.early.waiting:
            self.early.failed(error)
            self.finish("steps")
        else:
            self.session.crashed(kind, error, where)
            self.finish("crash")
