"""The calls of recurrent modules in training, handed to the sensors that look at them."""

from __future__ import annotations

from typing import Any, Callable

import torch

from .listening import Listening, Tell
from .naming import Naming
from .origins import Origins
from .recurrence.examiner import Examiner
from .schedule import examined_steps, sampled_steps
from .sensors.axis_tests import AxisTests
from .sensors.constant_tokens import ConstantTokens
from .sensors.copied import CopiedTargets
from .sensors.data_lag import DataLags
from .sensors.detachments import Detachments
from .sensors.differences import Differences
from .sensors.inputs import Inputs
from .sensors.loaders import Loaders
from .sensors.loops import Loops
from .sensors.losses import REGRESSING
from .sensors.mixing import Mixings
from .sensors.modes import Modes
from .sensors.nonfinite import NonFinites
from .sensors.orders import Orders
from .sensors.padding import Paddings
from .sensors.read_sites import ReadSites
from .sensors.recurrence import Recurrences
from .sensors.sample_steps import SampleSteps
from .sensors.softmaxes import Softmaxes
from .sensors.states import StateFlows
from .session import Session

_VIEWED_UNTIL = 3
"""Updates until which views are looked at."""


_SEARCHED_UNTIL = 3
"""Updates until which hand-written recurrences are looked for, beside those that are examined."""


class Calls:
    """What the recurrent modules take and give, each sensor asked at the steps of its schedule."""

    def __init__(
        self, session: Session, naming: Naming, recurrences: Recurrences, loaders: Loaders, tell: Tell
    ) -> None:
        writer, listening = session.writer, Listening(tell)
        self._session = session
        self._recurrences = recurrences
        self._loaders = loaders
        self._sampled_steps = sampled_steps(session.config.steps)
        self._examined_steps = examined_steps(session.config.steps)
        self.origins = Origins()
        self.non_finites = NonFinites(writer, naming, self.origins)
        self.reads = ReadSites(self.origins)
        self.detachments = Detachments()
        self.inputs = Inputs(writer, self.reads, self.detachments)
        self.paddings = Paddings(writer, self.reads)
        self.mixings = Mixings(writer, listening)
        self.flows = StateFlows(writer)
        self.softmaxes = Softmaxes(writer, listening)
        self.differences = Differences(listening)
        self.data_lags = DataLags(writer)
        self.axis_tests = AxisTests(writer)
        self.copied = CopiedTargets(writer)
        self.sample_steps = SampleSteps(writer, listening)
        self.constant_tokens = ConstantTokens(writer)
        self.modes = Modes(writer, naming)
        self.orders = Orders(writer, loaders.rows, listening)
        self.examiner = Examiner(writer)
        self.watch_detaching: Callable[[bool], None] = lambda _: None
        """Begins or ends to tell of the tensors that the script cuts off from their graph."""
        self.loops = Loops(writer, naming, recurrences, self.flows, self.detachments, session.attempt)
        self._link = "fresh"
        self.searching = False
        self._failed = 0
        """The last update of which a backward pass raised."""
        self._begin(1)

    def _begin(self, step: int) -> None:
        """The update `step` is under way: which sensors look at it, worked out once for all its calls."""
        self._step = step
        self.sampled = step in self._sampled_steps
        """Whether it is a sampled one."""
        # What is carried on shows at the sampled step if the one before was followed, too.
        self._flowing = self.sampled or step + 1 in self._sampled_steps
        self._mixing = self.sampled and step <= _VIEWED_UNTIL  # views are the same at every step
        self.loops.reads.wanted = self._mixing
        if self._mixing and step > 1:  # at the first, data may still be prepared: from the first call on
            self._session.attempt("softmax", self.softmaxes.watch, True)
        self._examining = step in self._examined_steps
        searched = self.searching
        self.searching = self._examining or step <= _SEARCHED_UNTIL
        """Whether hand-written recurrences are looked for."""
        if self.differences.watches or (self.sampled and step > 1):
            self.differences.watch(self.sampled)
            self.differences.forget()
        self.quiet = not (self._flowing or self.searching or self.orders.waits)
        """Whether no sensor looks at what this update does, unless a module is called that was not known."""
        self.detachments.beneath = self.loops.on_cut if self._examining else None
        if self.searching != searched:
            self.watch_detaching(self.searching)

    def forward(self, module: Any, given: Any, state: Any, output: Any) -> None:
        """A recurrent module ran forward with gradients."""
        attempt = self._session.attempt
        number = self._recurrences.number(module)
        attempt("non_finite", self.non_finites.on_call, module, given, state, output)
        if number not in self.data_lags.closed:
            self.quiet = False
            attempt("data_lag", self.data_lags.on_call, number, module, given)
        if self.quiet:
            return
        if self.orders.waits:
            attempt("orders", self.orders.on_call, module, given)
        if self.sampled:
            self.differences.watch(True)
            if self.searching:
                attempt("detachments", self.detachments.returned, number, output)
            attempt(
                "inputs", self.inputs.on_call, number, module, given, state, output, self._loaders.batch()
            )
            attempt("padding", self.paddings.on_call, number, module, given, output)
            attempt("axes", self.axis_tests.on_call, self._step, number, module, given, output)
            attempt("copied_targets", self.copied.on_call, self._step, number, module, given, output)
            if self.orders.redrawn.open:
                attempt("orders", self.orders.redrawn.on_call, module, given)
        if self._mixing:
            attempt("reads", self.reads.on_call, number, module, output)
            attempt("step_reads", self.loops.reads.on_call, number, module, output)
            attempt("softmax", self.softmaxes.watch, True)
            source = self._loaders.source
            attempt("mixing", self.mixings.on_call, number, module, given, state, output, source)
            attempt("axes", self.sample_steps.on_call, self._step, number, module, given, source)
        if self._flowing:
            attempt("states", self._follow, number, module, given, state, output)
        if self._examining:
            attempt("recurrence", self.examiner.on_call, number, module, given, state, output, self._link)

    def frozen(self, module: Any, given: Any, state: Any, output: Any) -> None:
        """A recurrent module ran in the training, but nothing learns through it: there is no gradient to look at."""
        self._recurrences.number(module, frozen=True)
        self._session.attempt("non_finite", self.non_finites.on_call, module, given, state, output)

    def _follow(self, number: int, module: Any, given: Any, state: Any, output: Any) -> None:
        self._link = "fresh"
        self._link = self.flows.on_call(
            number, module, given, state, output, self._loaders.place, self.detachments.line(state)
        )

    def loss(self, function: str, output: Any, target: Any, options: dict[str, Any]) -> None:
        """A loss function that leads to a gradient returned, in an update that is not quiet."""
        if self.orders.waits:
            self._session.attempt("orders", self.orders.on_loss, function, output, target, options)
        if self.data_lags.waits:
            self._session.attempt("data_lag", self.data_lags.on_loss, function, output, target, options)
        if self.sampled:
            self._session.attempt("axes", self.axis_tests.on_loss, function, output, target, options)
            self._session.attempt("copied_targets", self.copied.on_loss, function, output, target, options)
            self._session.attempt("orders", self.orders.first_batch.on_loss, target)
            if self.orders.redrawn.open:
                self._session.attempt("orders", self.orders.redrawn.on_loss, function, target)

    def backward(self, loss: torch.Tensor) -> None:
        """A backward pass is about to run."""
        if self.non_finites.operations.sought:
            self._session.attempt("non_finite", self.non_finites.operations.on_backward, loss)
        if self.quiet:
            return
        if self.data_lags.waits:
            self.data_lags.on_backward()
        if self._mixing:
            self._session.attempt("reads", self.reads.on_backward, loss)
            self._session.attempt("mixing", self.mixings.on_backward, self._step, loss)
            self._session.attempt("axes", self.sample_steps.on_backward, self._step, self._loaders.source)
        if self._flowing:
            self._session.attempt("states", self.flows.on_backward, loss)
        self.loops_of(loss)
        if self.sampled and self.copied.waits:
            self._session.attempt("copied_targets", self._written_by_hand, loss)
        if self.sampled and self.searching:
            self._graph(self.loops.sizes, self.loops.tables)
        if self.orders.waits:
            self._session.attempt("orders", self.orders.on_backward, self.loops.rows, self.loops.carried)

    def _written_by_hand(self, loss: torch.Tensor) -> None:
        """The differences that a loss is made of are losses, too."""
        for each in self.differences.beneath(loss):
            self.copied.on_loss(each.like or REGRESSING[0], each.output, each.target, {})
        self.copied.let_go()

    def _graph(self, sizes: dict[int, tuple[int, int]], tables: list[torch.Tensor]) -> None:
        """The graph of a loss of a sampled step was searched."""
        attempt = self._session.attempt
        if self._mixing:
            source = self._loaders.source
            attempt("mixing", self.mixings.on_loops, self._step, self.loops.given, sizes, source)
            attempt("axes", self.sample_steps.on_loops, self._step, self.loops.given, source)
        attempt("axes", self.axis_tests.on_graph, self._step, sizes, tables, self.loops.given)
        if self.orders.redrawn.open:
            attempt("orders", self.orders.redrawn.on_graph, sizes, tables, self.loops.given)
        if self.constant_tokens.open:
            attempt("inputs", self.constant_tokens.on_graph, self._step, list(sizes), tables)

    def loops_of(self, loss: torch.Tensor) -> None:
        """Looks for hand-written recurrences in a graph that is about to be consumed."""
        if self.searching:
            self._session.attempt("loops", self.loops.on_backward, self._step, loss, self._examining)

    def backward_done(self) -> None:
        """A backward pass has run; the parameters are still those of the forward pass."""
        if self.sampled or self.modes.changed:
            self._session.attempt(
                "modes", self.modes.backward_done, self.sampled, self._session.backwards > 0
            )
        if self._examining:
            step, last = self._step, self._session.config.steps
            closely = step in (1, last) or last is None
            self._session.attempt("recurrence", self.examiner.examine, step, closely, self.loops.measured)

    def backward_failed(self) -> None:
        """A backward pass raised, which may end the script: what was gathered of its update is written, once."""
        if self._failed != self._step:
            self._failed = self._step
            self._write_unfinished()
            if self._examining:
                self._session.attempt("recurrence", self.examiner.examine, self._step, False)
        self.examiner.forget()

    def _write_unfinished(self) -> None:
        self._write(self._step)
        if self._flowing:
            self._session.attempt("states", self.flows.ended, self._step, True)

    def _write(self, step: int) -> None:
        if self.sampled:
            self._session.attempt("inputs", self.inputs.write, step)
            self._session.attempt("padding", self.paddings.write, step)
            self._session.attempt("axes", self.axis_tests.updated)
            self._session.attempt("copied_targets", self.copied.updated)
            self._session.attempt("orders", self.orders.first_batch.updated)
            if self.orders.redrawn.open:
                self._session.attempt("orders", self.orders.redrawn.updated, self.searching)

    def updated(self, step: int) -> None:
        """An update is complete."""
        if self.modes.waits:
            self._session.attempt("modes", self.modes.updated, step)
        if not self.quiet:
            self._updated(step)
        self.non_finites.forget()
        self._begin(step + 1)

    def _updated(self, step: int) -> None:
        self._write(step)
        if self.orders.waits:
            self._session.attempt("orders", self.orders.updated, step)
        if self._mixing:
            self._session.attempt("axes", self.sample_steps.updated, step)
            self._session.attempt("step_reads", self.loops.reads.write, step)
            self._session.attempt("reads", self.reads.forget)
            self._session.attempt("mixing", self.mixings.ended)
            self._session.attempt("softmax", self.softmaxes.write, step)
            self._session.attempt("softmax", self.softmaxes.watch, False)
        if self._flowing:
            self._session.attempt("states", self.flows.ended, step, self.sampled)
        if self.data_lags.waits:
            self._session.attempt("data_lag", self.data_lags.updated, step)
        if self._examining:
            self.examiner.forget()
        if self.searching:
            self.loops.forget()
            self.detachments.forget()

    def leave_to_compiler(self, for_good: bool) -> None:
        """A compiler is to meet torch's functions as torch made them; for_good: from now on, it runs at any time."""
        if for_good:
            self.softmaxes.compiles = self.origins.compiles = self.differences.compiles = True
        self.softmaxes.watch(False)
        self.differences.watch(False)
        self.origins.leave()

    def finish(self) -> None:
        """Nothing is observed any more; what was gathered of an unfinished update is written."""
        if self._session.backwards and self._failed != self._step:
            self._write_unfinished()
        self.watch_detaching(False)
        self.origins.leave()
        self._session.attempt("mixing", self.mixings.finish)
        self._session.attempt("softmax", self.softmaxes.watch, False)
        self.differences.watch(False)
        self._session.attempt("data_lag", self.data_lags.finish)
        self._session.attempt("axes", self.axis_tests.finish)
        self._session.attempt("copied_targets", self.copied.finish)
        self._session.attempt("axes", self.sample_steps.finish)
        self._session.attempt("orders", self.orders.write, self._session.step, self._loaders.trains)
