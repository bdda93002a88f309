"""What the script does, as the probe hears of it: each entry passes it on to the sensors it concerns.

An ordinary update, at which no sensor looks, passes here too, at some three microseconds for each function that runs.
So whether something has anything to do is asked here, and not within itself, where in most updates it has not.
"""

from __future__ import annotations

import math
from typing import Any, Callable, Sequence

import torch
from torch.nn.utils.rnn import PackedSequence

from . import places
from .config import Config
from .entries import entry
from .recurrence.kernel import is_usual
from .sensing import Sensors
from .sensors.norms import BY_HAND
from .session import Session
from .trainables import gradients_of
from .updates import GRAPH_STEPS, Updates


class Observer:
    """Takes what the script does, and passes it to the sensors step by step."""

    def __init__(self, config: Config) -> None:
        self.session = Session(config)
        self.inside = False
        """The probe itself is at work: what it calls of torch is not the script's doing."""
        sensors = Sensors(self.session, self.tell)
        self.naming = sensors.naming
        self.recurrences = sensors.recurrences
        self.optimizers = sensors.optimizers
        self._plateaus = sensors.plateaus
        self.trainables = sensors.trainables
        self.norms = sensors.norms
        self.losses = sensors.losses
        self.loss_sums = sensors.loss_sums
        self.loaders = sensors.loaders
        self._rebuilt = False
        """A recurrent module was built after an update, and no optimizer since."""
        self.evaluations = sensors.evaluations
        self.gradientless = sensors.gradientless
        self.calls = sensors.calls
        self._updates = Updates(self.session, sensors, lambda: self.inside)
        self._asks = True
        """No backward pass was called: if anything, the script asks for its gradients."""
        self.early = self._updates.early

    # ---------------------------------------------------------------- what the script does

    @entry
    def on_recurrent_built(self, module: Any) -> None:
        """A recurrent module was constructed."""
        self.recurrences.built(module, places.here())
        self._rebuilt = self.session.step > 0

    @entry
    def on_recurrent_scripted(self, module: Any) -> None:
        """A recurrent module goes into TorchScript, which will hide its calls."""
        self.recurrences.number(module, False)

    @entry
    def on_evaluation_mode(self, module: Any) -> None:
        """The script calls `eval()` on a module."""
        self.session.attempt("modes", self.calls.modes.evaluated, module)

    def tell(self, sensor: str, note: Callable[..., None], *args: Any) -> None:
        """A sensor that listens to torch has heard of something, unless the probe itself did it."""
        if not self.inside:
            self.on_heard(sensor, note, *args)

    @entry
    def on_heard(self, sensor: str, note: Callable[..., None], *args: Any) -> None:
        """A sensor that listens to torch takes note of what the script called."""
        self.session.attempt(sensor, note, *args)

    @entry
    def on_recurrent_call(self, module: Any, given: Any, state: Any, output: Any) -> None:
        """A recurrent module returned from its forward call."""
        if not is_usual(module, given, output):
            self.recurrences.number(module)
            return
        first = output[0] if type(output) is tuple else output
        data: torch.Tensor = first.data if isinstance(first, PackedSequence) else first
        if not torch.is_grad_enabled():
            self.session.attempt("evaluations", self._without_gradients, module, given)
            return
        if not data.requires_grad:  # weights and input are frozen, as a reservoir's are
            self.session.begin()
            self.calls.frozen(module, given, state, output)
            return
        if self._updates.stepped:
            self._updates.close()
        if not self.session.began:
            self.session.begin()
        self.session.attempt("evaluations", self.evaluations.called, module, given, True)
        if self._updates.withholding.noting:
            self.session.attempt("withheld", self._updates.withholding.called, module, given)
        self.calls.forward(module, given, state, output)

    def _without_gradients(self, module: Any, given: Any) -> None:
        self.evaluations.called(module, given, self.gradientless.on_call(module))

    @entry
    def on_loss_call(
        self, function: str, output: Any, target: Any, result: Any, options: dict[str, Any]
    ) -> None:
        """A loss function of torch returned."""
        if result.is_meta:  # Keras computes its shapes so
            return
        learns = result.requires_grad
        evaluated = self.evaluations.on_loss
        self.session.attempt("evaluations", evaluated, function, output, target, result, options, learns)
        if learns and not self.calls.quiet:
            self.calls.loss(function, output, target, options)
        if learns and self.calls.sampled:
            describe, step = self.losses.describe, self.session.step + 1
            self.session.attempt("losses", describe, step, function, output, target, result, options)
            self.session.attempt(
                "loss_sums", self.loss_sums.on_loss, function, output, target, result, options
            )

    @entry
    def on_backward(self, tensors: Any) -> None:
        """A backward pass is about to run."""
        self._asks = False
        if self._updates.stepped:
            self._updates.close()
        if not self.session.began:
            self.session.begin()
        if not self.trainables.optimized and self.trainables.changed_by_hand():
            self._updates.finish({})
        if "backward" not in self.session.roles:
            self.session.place("backward")
        if self.loaders.current is not None:
            self.loaders.trained()
        evaluations = self.evaluations
        if evaluations.under_way:
            self.session.attempt("evaluations", evaluations.training_goes_on, self.session.step)
        self.session.backwards = before = self.losses.backwards
        if before and self.session.out_of_time():  # an update of many backward passes, such as LBFGS makes
            self._updates.end("time")
        loss = tensors if isinstance(tensors, torch.Tensor) else sum(tensors)
        if evaluations.learned_losses.waiting:
            self.session.attempt("evaluations", evaluations.learned_losses.on_backward, loss)
        self._updates.backward(self.losses.on_backward(loss, places.site()), fresh=before == 0)

    @entry
    def after_backward(self) -> None:
        """A backward pass has run."""
        self._updates.backward_done()

    @entry
    def on_backward_failed(self) -> None:
        """A backward pass raised; the script may go on with the next batch."""
        self._updates.backward_failed()

    @entry
    def on_gradients_asked(self, loss: torch.Tensor, sought: Sequence[torch.Tensor]) -> bool:
        """`autograd.grad` of a loss by tensors is about to run: whether it is what the script has for a backward pass.

        It is where it is asked for what an optimizer holds, and none was ever called: the script puts the gradients in
        their places. Beside backward passes it serves other ends, a measure of its own or a step of meta-learning.
        """
        trains = self._asks and self.trainables.hold(sought)
        if trains:
            self.on_backward(loss)
            self._asks = True
        return trains

    @entry
    def after_gradients_asked(self) -> None:
        """They were returned; an optimizer finds them where the script puts them."""
        self._updates.backward_done(gathered=False)

    @entry
    def on_gradients_returned(
        self, loss: torch.Tensor, sought: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor]
    ) -> None:
        """`autograd.grad` of a loss by leaves returned: a script without optimizers updates them, as new tensors."""
        trainables = self.trainables
        if trainables.optimized or trainables.watched or trainables.wait_for_update(sought):
            return
        self.session.begin()
        self.session.place("backward")
        self.session.attempt("evaluations", self.evaluations.training_goes_on, self.session.step)
        self.losses.on_backward(loss, places.site())
        self.norms.after_backward({BY_HAND: [g for g in gradients if g is not None]})
        self._updates.finish({})

    @entry
    def on_gradient_hook(self, node: Any) -> None:
        """The script hooks the gradient of what this operation made."""
        if self.calls.searching:
            self.calls.loops.hooked.add(node._sequence_nr())

    @entry
    def on_graph(self, loss: torch.Tensor) -> None:
        """A loss whose graph is about to be consumed by `autograd.grad`."""
        if self.calls.sampled and self.session.step < GRAPH_STEPS and not self.trainables.optimized:
            self.calls.loops_of(loss)

    @entry
    def on_clip(self, tensors: Sequence[torch.Tensor], limit: float, tells_norm: bool) -> None:
        """A clip call is about to run; `tells_norm`: it will return the 2-norm that it found."""
        if math.isinf(limit):
            return  # asked for the norm alone, to log it
        if self.session.step > 0 and self.losses.backwards == 0:
            self._updates.clip_late = True
            self.norms.placed(self.session.step)
            return
        holder = self.trainables.holder(tensors) if tells_norm and not self.calls.sampled else None
        if holder is not None:
            self.session.attempt("norms", self.norms.clipping_by_norm, holder, limit, self.session.step + 1)
            return
        gradients = self.trainables.gradients()
        if not any(gradients.values()):
            gradients = {BY_HAND: gradients_of(tensors)}
        self.session.attempt("norms", self.norms.clipping, gradients, limit, self.session.step + 1)

    @entry
    def on_clipped(self, norm: Any) -> None:
        """That call returned the norm."""
        self.session.attempt("norms", self.norms.clipped, norm)

    @entry
    def on_scale(self, scaler: Any, original: torch.Tensor, result: torch.Tensor) -> None:
        """GradScaler multiplied a loss."""
        self.norms.scaled(scaler)
        self.losses.scaled(result, original)

    @entry
    def on_unscale(self) -> None:
        """GradScaler divides the gradients of an optimizer again."""
        self.norms.unscaled()

    @entry
    def on_optimizer_built(self, optimizer: Any) -> None:
        """An optimizer was constructed."""
        self.optimizers.built(optimizer, places.here())
        if self.calls.sampled and self.session.step == 0:  # not before: data are prepared by many differences
            self.calls.differences.watch(True)
        if self._rebuilt:  # of a network that is made anew, as for each fold
            self._rebuilt = False
            self.evaluations.another_training()

    @entry
    def on_scheduler_built(self, scheduler: Any, optimizer: Any) -> None:
        """A learning-rate scheduler was constructed."""
        self.optimizers.scheduler(scheduler, optimizer)

    @entry
    def on_plateau_step(self, scheduler: Any) -> None:
        """A ReduceLROnPlateau is told a loss."""
        update = self.session.step + bool(self._updates.stepped)
        self.session.attempt("plateaus", self._plateaus.told, scheduler, update, self.calls.sampled)

    @entry
    def on_zero_grad(self) -> None:
        """Gradients are cleared."""
        self.session.place("zero_grad")

    @entry
    def before_update(self, optimizer: Any, closure: Callable[..., Any] | None) -> Any:
        """An optimizer is about to step; returns a closure to use in the place of the given one."""
        number = self.optimizers.number(optimizer, closure is not None)
        if number not in self.optimizers.stepped:
            self.optimizers.steps_first(number, optimizer, closure is not None)
        self.trainables.optimized = True
        if "step" not in self.session.roles:
            self.session.place("step")
        if closure is None:
            self._updates.gather(number, optimizer)
            return None
        self._updates.closure = True
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
        self._updates.gather(number, optimizer)

    @entry
    def after_update(self, optimizer: Any) -> None:
        """An optimizer has stepped."""
        self._updates.has_stepped(optimizer)

    @entry
    def on_loader(self, iterator: Any, loader: Any) -> None:
        """A DataLoader is iterated."""
        self.loaders.iterating(iterator, loader)

    @entry
    def on_batch(self, iterator: Any, batch: Any) -> None:
        """A DataLoader gave a batch."""
        self.loaders.gave(iterator, batch, self.calls.sampled)
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

    # ---------------------------------------------------------------- the end

    def finish(self, reason: str) -> None:
        """Writes the last records; nothing is observed any more."""
        self._updates.leave(reason)

    def end_of_script(self) -> None:
        """The interpreter exits."""
        self._updates.end_of_script()

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
