"""Lets the script's own validation come within the observation, by ending its epoch of training early.

After the last update that is to be observed the training's loader says that it is exhausted, once. A script that
validates after each epoch goes on to do so, and is ended when that is done: before it writes a file, before it learns
again. What was trained until then is what it would have been.
"""

from __future__ import annotations

import sys
import time
import weakref
from typing import Any, Callable

import torch

from . import prospects
from .paths import masked
from .sensors.evaluations import Evaluations
from .sensors.loaders import Loaders
from .session import Session
from .writing import before_writing

_AHEAD = 4
"""Backward passes on batches that a library had taken in advance."""
_FEWEST_LOSSES = 10
"""Losses of the evaluation that are waited for in any case; more only as far as there were updates."""
_MOST_ERROR = 500
_SECONDS = 2.0
"""Besides the time that the training took until then, that the script may take for its evaluation."""


class EarlyValidation:
    """What happens between the last observed update and the end, where the script has not validated by then."""

    def __init__(
        self, session: Session, loaders: Loaders, evaluations: Evaluations, end: Callable[[], None]
    ) -> None:
        self._session = session
        self._loaders = loaders
        self._evaluations = evaluations
        self._end = end
        self.waiting = False
        """The last update was made, and the script is let go on to its validation."""
        self._to_cut: weakref.WeakSet[Any] = weakref.WeakSet()
        self._lightning = False
        self._cut = False
        self._again = False
        self._backwards = 0
        self._losses = 0
        self._exhausted: set[int] = set()
        self._until = 0.0

    def begins(self, reason: str) -> bool:
        """Whether the script shall go on to its validation, though enough was seen."""
        if reason != "steps" or self._evaluations.seen or self._evaluations.under_way:
            return False
        outcome = self._outcome()
        self._write(outcome)
        if outcome != "ended":
            return False
        # Of a library that looks a batch ahead the epoch may have ended by itself: there is none to cut.
        self._cut = self._loaders.finished is not None
        self._to_cut = weakref.WeakSet(() if self._cut else self._loaders.training_iterators())
        self._until = time.perf_counter() + self._session.elapsed + _SECONDS
        self.waiting = True
        if (
            not self._lightning
        ):  # its loggers write before it validates; its checkpoints go through torch.save
            before_writing(self._saves)
        return True

    def _outcome(self) -> str:
        """Why the epoch is ended, or why it is not."""
        if not self._session.config.validate:
            return "off"
        if self._session.world > 1:
            return "ranks"  # they would have to end it at the same batch, and wait for each other afterwards
        frame = sys._getframe(1)
        trainer = prospects.lightning_trainer(frame)
        self._lightning = trainer is not None
        if trainer is not None:
            return "ended" if prospects.stop_lightning(trainer) else "not_expected"
        if self._at_hand() not in self._loaders.training:
            return "by_hand"
        others = any(not self._loaders.trains_on(loader) for loader in prospects.loaders(frame))
        return "ended" if others or prospects.validation_expected(frame) else "not_expected"

    def _at_hand(self) -> int | None:
        """The loader of the last batch, if it came from one."""
        current = self._loaders.current
        return self._loaders.finished if current is None else current

    def _write(self, outcome: str, error: str | None = None) -> None:
        number = self._at_hand()
        self._session.writer.write(
            "early_validation",
            step=self._session.step,
            outcome=outcome,
            epoch=self._loaders.length(number),
            given=None if number is None else self._loaders.since_begun(number),
            error=None if error is None else masked(error)[:_MOST_ERROR],
        )

    # ---------------------------------------------------------------- what the script does meanwhile

    def on_next(self, iterator: Any, taker: Any) -> bool:
        """Whether a loader's iterator shall say that it is exhausted; `taker` is the frame that asks it for a batch."""
        if iterator not in self._to_cut:
            return False
        self._to_cut.discard(iterator)
        if not prospects.stops_at_exhaustion(taker):
            self._write("by_next")
            self._end()
        self._cut = True
        return True

    def meanwhile(self, entry: str, args: tuple[Any, ...]) -> Any:
        """What the script does is its evaluation, or the beginning of the next epoch."""
        if time.perf_counter() > self._until or self._session.out_of_time():
            self._end()
        react = getattr(self, entry, None)
        return None if react is None else react(*args)

    def on_heard(self, sensor: str, note: Callable[..., None], *args: Any) -> None:
        """A sensor that listens to torch takes note of what the script called."""
        self._session.attempt(sensor, note, *args)

    def on_recurrent_call(self, module: Any, given: Any, _state: Any, _output: Any) -> None:
        """A recurrent module ran."""
        self._evaluations.called(module, given, torch.is_grad_enabled())

    def on_loss_call(
        self, function: str, output: Any, target: Any, result: Any, options: dict[str, Any]
    ) -> None:
        """A loss function returned."""
        learns = result.requires_grad
        self._session.attempt(
            "evaluations", self._evaluations.on_loss, function, output, target, result, options, learns
        )
        self._losses += not (learns and self._loaders.current in self._loaders.training)
        if self._losses >= max(_FEWEST_LOSSES, self._session.step) or self._complete(self._at_hand()):
            self._end()

    def on_loader(self, iterator: Any, loader: Any) -> None:
        """A loader is iterated: another one than that of an evaluation that is complete needs no waiting for."""
        if self._losses and not self._loaders.trains_on(loader):
            done = self._loaders.current
            if done is None or self._evaluations.pending(done):
                self._end()
        self._loaders.iterating(iterator, loader)

    def on_batch(self, iterator: Any, batch: Any) -> None:
        """A loader gave a batch; one that trains was begun anew if it was ended before."""
        self._loaders.gave(iterator, batch, False)
        self._session.attempt("orders", self._loaders.rows.gave, self._loaders.current, batch)
        if self._cut and self._loaders.current in self._loaders.training:
            self._again = True

    def on_loader_end(self) -> None:
        """A loader is exhausted. The losses of batches taken in advance may still come."""
        current = self._loaders.current
        if current is not None and current not in self._loaders.training:
            self._exhausted.add(current)
            if self._complete(current):
                self._end()

    def _complete(self, loader: int | None) -> bool:
        if loader not in self._exhausted or loader is None:
            return False
        return self._evaluations.pending(loader) >= self._loaders.since_begun(loader)

    def on_backward(self, *_: Any) -> None:
        """The script learns again: from a batch taken in advance, or in its next epoch."""
        self._backwards += 1
        if self._again or self._evaluations.under_way or self._backwards > _AHEAD:
            self._end()

    on_gradients_returned = on_backward

    def _saves(self) -> None:
        if self.waiting and self._session.active:
            self.on_save()

    def on_save(self) -> None:
        """The script is about to save something: what it would not have come to must not replace what it has."""
        self._end()

    def failed(self, error: BaseException) -> None:
        """The script raised after its epoch was ended early, maybe for that reason: it is not held against it."""
        self._write("failed", f"{type(error).__name__}: {error}")
