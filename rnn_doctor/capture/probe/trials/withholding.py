"""Where the script has not validated: keeps the batches of one pass, and at the end has a copy learn without a part.

A network that has been through its data a few times has no example left that is new to it, so that none of its own
losses tells what it has by heart. A copy of it can be made that has: it begins anew and is shown the same batches but
for some of their rows. The script waits for it after its last observed update, when nothing more of it is looked at.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any, Callable, Iterator, Sequence

import torch

from ..sensing import Sensors
from ..sensors.examples import Rows, rows
from ..sensors.optimizers import parameters, rates
from ..session import Session
from .batch_fit import Clip, Unfaithful
from .copying import clip_of, told_by_copy, unable
from .forking import NoAnswer
from .tape import NoTape, Recorder, Tape
from .withheld import FEWEST, FOLDS, Batch, Subject, learn_without

MOST_BATCHES = 16
"""Batches of a pass that are kept: the examples of a larger set are not seen often in a few updates."""
PASSES = 4
"""Passes over the data at least: of what was seen less often little is known by heart."""
_NOTED = 3
"""The pass that is noted: by then a script that validates after each has done so, and nothing is noted."""
_MOST_NUMBERS = 4_000_000
"""Parameters that are kept as they were at the beginning."""
_AGAIN = 0.9
"""Share of the examples of a pass that earlier ones gave too, where a loader gives the same ones again."""
_SECONDS, _SHARE, _MOST_SECONDS = 1.0, 1.0, 5.0
"""What the copy may compute, besides a share of the time that the training took, and at most."""
_PATIENCE = 3.0
"""Times as long as it may compute may it take: another process may be in its way."""
_FUSED = ("lstm", "gru", "rnn_tanh", "rnn_relu")
_TOGETHER = ("batch_norm", "sync_batch_norm")
_CELLS = ("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")


class Withholding:
    """Follows the training until one pass over its data is noted, and has a copy learn from it at the end."""

    def __init__(self, session: Session, sensors: Sensors, probing: Callable[[], bool]) -> None:
        self._session = session
        self._sensors = sensors
        self._recorder = Recorder(probing)
        self._entered = False
        self._taken = False
        """The script had a mode of its own entered where a pass was to be noted."""
        self._reason: str | None = None
        """Why there will be no copy."""
        self._by_hand = False
        """No loader gives the batches."""
        self._length = 0
        """Batches of a pass."""
        self._optimizer: Any = None
        self._begin: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._noted: list[torch.Tensor] = []
        self._rates: list[list[float]] = []
        self._clip: Clip | None = None
        self._layout: Rows | None = None
        self._batches: list[Batch] = []
        self.noting = False
        """The forward pass that runs is noted."""
        self.over = not session.config.validate or session.config.steps is None
        """Nothing is left to follow; there are tens of thousands of updates in a whole training."""

    # ---------------------------------------------------------------- the training

    def called(self, module: Any, given: Any) -> None:
        """A recurrent module ran, in a pass that is noted."""
        self._layout = rows(module, given)

    def backward(self, loss: torch.Tensor) -> None:
        """A backward pass is about to run."""
        with self._leaving_on_failure():
            if self.noting:
                self._note(loss)
            elif self._session.step == 0 and not self._begin:
                self._first()

    def updated(self, step: int, stepped: Sequence[Any], backwards: int, fields: dict[str, Any]) -> None:
        """The update `step` is complete; `fields` are the norms of its record."""
        with self._leaving_on_failure():
            self._updated(step, stepped, backwards, fields)

    def _updated(self, step: int, stepped: Sequence[Any], backwards: int, fields: dict[str, Any]) -> None:
        if len(stepped) != 1 or stepped[0] is not self._optimizer:
            self._refuse("other optimizers than one make its updates")
            return
        self._rates.append(rates(self._optimizer))
        if self.noting:
            self._recorder.resume()
            if len(self._batches) == self._length:
                self.leave()
        elif not self._batches and step >= (_NOTED - 1) * self._length and self._sensors.loaders.left == 0:
            if self._sensors.evaluations.seen:
                self.over = True
                return
            reason = unable(self._session, self._sensors, stepped, backwards)
            if reason is not None:
                self._refuse(reason)
            elif self._recorder.begin():
                self.noting = self._entered = True
                self._clip = clip_of(fields)
                self._noted = [parameter.detach().clone() for parameter, _ in self._begin]
            else:
                self._taken = True

    def _first(self) -> None:
        """The first backward pass: whether the data are few, and what the parameters are."""
        loaders, steps = self._sensors.loaders, self._session.config.steps or 0
        optimizers = self._sensors.optimizers.live()
        trained = [p for o in optimizers for p in parameters(o) if p.requires_grad]
        length = loaders.length(loaders.current)
        if loaders.current is None:  # why it cannot be brought to validate, either; that is told
            self.over = self._by_hand = True
            return
        reasons = (
            (not length, "the training loader does not know its length"),
            ((length or 0) > MOST_BATCHES, f"a pass over its data takes more than {MOST_BATCHES} batches"),
            ((length or 0) * PASSES > steps, f"fewer than {PASSES} passes over its data are observed"),
            (len(optimizers) != 1, "other optimizers than one make its updates"),
            (any(o.state for o in optimizers), "its optimizer goes on from an earlier training"),
            (
                sum(p.numel() for p in trained) > _MOST_NUMBERS,
                f"it has more than {_MOST_NUMBERS:,} parameters",
            ),
        )
        reason = next((reason for holds, reason in reasons if holds), None)
        reason = reason or unable(self._session, self._sensors, optimizers, 1)
        if reason is not None:
            self._refuse(reason)
            return
        self._length, self._optimizer = length or 0, optimizers[0]
        self._begin = [(p, p.detach().clone()) for p in trained]

    def _note(self, loss: torch.Tensor) -> None:
        """Keeps what led to this loss."""
        loaders, layout = self._sensors.loaders, self._layout
        self._layout = None
        in_order = (
            loaders.current is not None and loaders.since_begun(loaders.current) == len(self._batches) + 1
        )
        try:
            tape = self._recorder.tape(loss)
        except NoTape as error:
            self._refuse(str(error))
            return
        if not in_order:
            self._refuse("its batches are taken before they are used")
        elif layout is None:
            self._refuse("how its batches are laid out was not seen")
        elif any(bool(state.any()) for state in _initial_states(tape)):
            self._refuse("a state is carried on from batch to batch")
        else:
            self._batches.append(Batch(tape, layout, float(loss.detach())))

    def _refuse(self, reason: str) -> None:
        self._reason = reason
        self.over = True
        self._begin, self._noted, self._batches = [], [], []
        self.leave()

    @contextlib.contextmanager
    def _leaving_on_failure(self) -> Iterator[None]:
        """A sensor that fails is asked no more: it must not stay in the script's way."""
        try:
            yield
        except Exception:
            self._refuse("it failed")
            raise

    def leave(self) -> None:
        """Nothing is noted any more."""
        self.noting = False
        if self._entered and self._recorder.end():
            self._entered = False

    @property
    def lingers(self) -> bool:
        """Whether what noted could not be taken out of the script's way yet."""
        return self._entered and not self.noting

    # ---------------------------------------------------------------- the end

    def at_end(self, reason: str) -> None:
        """The observation ends; where the script has not validated, a copy learns, or the log says why not."""
        self.leave()
        asked = self._session.config.validate and self._session.config.steps is not None
        if not asked or self._by_hand or not self._session.step or self._sensors.evaluations.seen:
            return
        if reason not in ("steps", "script_end"):
            return
        began = time.perf_counter()
        fields: dict[str, Any] = {"absent": self._reason or self._lacking()}
        if fields["absent"] is None:
            fields = self._in_copy()
        self._session.writer.write("withheld", step=self._session.step, **fields)
        self._session.apart_at_end(time.perf_counter() - began)

    def _lacking(self) -> str | None:
        """What is missing at the end; None where all is there."""
        return next((reason for lacks, reason in self._lacks() if lacks), None)

    def _lacks(self) -> Iterator[tuple[bool, str]]:
        """One after the other: the later ones rest on the earlier."""
        step, few = self._session.step, f"fewer than {PASSES} passes over its data were observed"
        yield self._taken and not self._batches, "the script has a TorchFunctionMode of its own entered"
        yield not self._batches or len(self._batches) < self._length or step < PASSES * self._length, few
        examples = sum(batch.layout.batch for batch in self._batches)
        yield examples < FEWEST, f"a pass over its data has {examples} examples, {FEWEST} are needed"
        late = _NOTED * self._length * self._session.elapsed > self._seconds * step
        yield late, "its updates take too long"
        names = {name for batch in self._batches for name, _ in batch.tape.functions}
        yield bool(names & set(_TOGETHER)), "a layer normalizes over the batch, and so mixes its examples"
        yield (
            any(batch.tape.stale for batch in self._batches),
            "its batches lie in memory that is written to again",
        )
        trains = self._sensors.loaders.trains
        again = None if trains is None else self._sensors.loaders.rows.repeated(trains)
        yield again is None, "whether its training examples come again could not be told"
        yield again is not None and again < _AGAIN, "its training examples are others in each pass"

    @property
    def _seconds(self) -> float:
        return min(_MOST_SECONDS, _SECONDS + _SHARE * self._session.elapsed)

    def _in_copy(self) -> dict[str, Any]:
        """The fields of the record."""
        seconds = self._seconds
        subject = Subject(self._batches, self._optimizer, self._begin, self._noted, self._rates, self._clip)

        def answer() -> dict[str, Any]:
            try:
                return learn_without(subject, time.process_time() + seconds)
            except (Unfaithful, NoTape) as error:
                return {"absent": str(error)}

        try:
            found = told_by_copy(self._session, answer, _PATIENCE * seconds)
        except NoAnswer as error:
            return {"absent": str(error)}
        if "absent" in found:
            return found
        examples = sum(batch.layout.batch for batch in self._batches)
        return {"batches": len(self._batches), "examples": examples, "folds": FOLDS, **found}


def _initial_states(tape: Tape) -> Iterator[torch.Tensor]:
    """The initial states of recurrent functions that were made outside of the pass."""
    for name, args in tape.functions:
        if name not in (*_FUSED, *_CELLS):
            continue
        packed = name in _FUSED and isinstance(args[3], (list, tuple))  # the weights come after the state
        state = args[2] if packed else args[1]
        for each in state if isinstance(state, (list, tuple)) else (state,):
            if isinstance(each, torch.Tensor) and not each.requires_grad:
                yield each
