"""`--deep`: at one early update, copies of the process learn its batch alone, and the script waits for them."""

from __future__ import annotations

import time
from typing import Any, Callable, Sequence

import torch

from ..sensing import Sensors
from ..session import Session
from .batch_fit import OTHERS, OWN, Arm, Clip, Subject, fit
from .copying import clip_of, told_by_copy, unable
from .forking import NoAnswer
from .tape import NoTape, Recorder

AT = 4
"""The update whose batch is learned: optimizers and clipping are known by then, and nothing else is looked at."""
_SCARCE = 0.5
"""Share of the time that the arm of the script's own settings may take: the others are held against it."""


class Deep:
    """Notes one forward pass, and has copies of the process learn its batch."""

    def __init__(self, session: Session, sensors: Sensors, probing: Callable[[], bool]) -> None:
        self._session = session
        self._sensors = sensors
        self._recorder = Recorder(probing)
        self._entered = False
        self._optimizers: list[Any] = []
        self._clip: Clip | None = None
        self._told = False
        """What came of it is in the log."""
        self.over = False
        """Nothing is left to do."""

    def updated(self, step: int, stepped: Sequence[Any], backwards: int, fields: dict[str, Any]) -> None:
        """The update `step` is complete; `fields` are the norms of its record."""
        if step == AT - 1:
            reason = unable(self._session, self._sensors, stepped, backwards)
            if reason is None:
                self._optimizers, self._clip = list(stepped), clip_of(fields)
                self._entered = self._recorder.begin()
                reason = None if self._entered else "the script has a TorchFunctionMode of its own entered"
            if reason is not None:
                self._absent(reason)

    def leave(self) -> None:
        """Nothing is noted any more."""
        if not self._told:
            made = self._session.step
            self._absent(
                "its batch was not seen to lead to a loss"
                if self._entered and made >= AT
                else f"fewer than {AT} updates were made"
            )
        if self._entered and self._recorder.end():
            self._entered = False
        self.over = not self._entered

    def backward(self, loss: torch.Tensor) -> None:
        """A backward pass is about to run; the first of the update has the batch that is learned."""
        if not self._entered or self._session.step != AT - 1 or self._optimizers == []:
            return
        optimizers, self._optimizers = self._optimizers, []
        began = time.perf_counter()
        try:
            subject = Subject(self._recorder.tape(loss), loss, optimizers, self._clip)
            self._try_arms(subject)
        except (NoTape, NoAnswer) as error:
            self._absent(str(error))
        finally:
            self._session.apart(time.perf_counter() - began)

    def _try_arms(self, subject: Subject) -> None:
        seconds = self._session.config.deep
        end = time.monotonic() + seconds
        if not self._try(subject, OWN, time.monotonic() + seconds * _SCARCE):
            for arm in OTHERS:
                if time.monotonic() < end:
                    self._try(subject, arm, end)

    def _try(self, subject: Subject, arm: Arm, deadline: float) -> bool:
        """Writes what came of an arm; returns whether it learned the batch."""
        seconds = max(0.0, deadline - time.monotonic()) + 1.0
        try:
            found = told_by_copy(self._session, lambda: fit(subject, arm, deadline), seconds)
        except NoAnswer as error:
            if arm is OWN:
                raise
            found = {"losses": [], "absent": str(error)}
        learned = bool(found.pop("learned", False))
        self._told = True
        self._session.writer.write("batch_fit", step=AT, arm=arm.name, learned=learned, **found)
        return learned

    def _absent(self, reason: str) -> None:
        self._told = True
        self._session.writer.write("batch_fit", step=AT, arm=OWN.name, losses=[], absent=reason)
