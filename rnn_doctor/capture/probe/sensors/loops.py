"""Hand-written recurrences: found in the graph of a loss, and asked how far back their gradients reach."""

from __future__ import annotations

import functools
import weakref
from typing import Any, Callable

import torch
from torch import nn

from ..naming import Naming
from ..recurrence import (
    cut_states,
    loop_gain,
    loop_inputs,
    loop_layers,
    loop_starts,
    loops,
    renewed,
    scans,
    severed,
)
from ..recurrence.module_calls import applies, share, within_a_call
from ..recurrence.unrolled import Unrolled
from ..writer import Writer
from .activations import Activations
from .detachments import Detachments
from .graph_tokens import tokens_under
from .lost_loops import LostLoops
from .recurrence import Recurrences
from .states import StateFlows
from .step_reads import StepReads

_FUSED = "TorchScript or a compiler hides its calls, and no time steps are left in the graph"
_STACKED = (
    "TorchScript or a compiler hides its calls, and in the graph its layers and directions are not told apart"
)
_CUT = "its state is cut off from its graph at every step"
_CUT_SOON = "its state is cut off from its graph every few steps"
_RENEWED = "its state is made anew, of zeros, for each of its steps"
_UNREACHED = "all that it makes is cut off from its graph before the loss reads it"
_LOST = "its state is changed between its calls, and the graph does not show how"
_ONE_LAYER = 4
"""Weights and biases of one layer in one direction."""
_SETTLED = 3
"""Update from which on a recurrence that no loss has reached is said to be cut off: networks may take turns."""
_TORCHS = (nn.RNNBase, nn.modules.rnn.RNNCellBase)
_MOST_BACKWARDS = 4
"""Backward passes of an update whose graphs are searched."""


class Loops:
    """Finds the recurrences that a script wrote itself, and writes what their graph shows."""

    def __init__(
        self,
        writer: Writer,
        naming: Naming,
        recurrences: Recurrences,
        flows: StateFlows,
        detachments: Detachments,
        attempt: Callable[..., None],
    ) -> None:
        """attempt: calls what looks beside the loops; if that fails, it alone is switched off."""
        self._writer = writer
        self._naming = naming
        self._owner = naming.holder
        self._recurrences = recurrences
        self._flows = flows
        self._detachments = detachments
        self._attempt = attempt
        self._lost = LostLoops(self._running)
        self.reads = StepReads(writer)
        self._activations = Activations(writer, naming)
        self._fed: dict[str, bool] = {}
        """By the name of a recurrence: whether its steps take or give anything of their own."""
        self.hooked: set[int] = set()
        """Operations of this step whose gradients the script hooks, by their numbers in autograd's sequence."""
        self._sought: set[int] = set()
        """Weights of this step that a name was sought for."""
        self.measured: set[int] = set()
        """Cells of torch's whose gain of this step was taken from the graph."""
        self.weights: weakref.WeakValueDictionary[int, torch.Tensor] = weakref.WeakValueDictionary()
        """By id(): the weights of those that were found in any step."""
        self.rows: set[int] = set()
        """Of the states of those that were found in this step: as many as there are sequences in a batch."""
        self.sizes: dict[int, tuple[int, int]] = {}
        """By recurrence of the graph that was searched last: its steps, and its rows."""
        self.tables: list[torch.Tensor] = []
        """The tokens that its loss depends on."""
        self.given: dict[int, list[torch.Tensor]] = {}
        """By recurrence of that graph: what its steps took of the batch."""
        self.carried = False
        """Whether one of them began with a state that may be an earlier batch's."""
        self._backwards = 0
        self._made = self._made_before = -1
        """Number, in autograd's sequence, of the last operation under a loss of this update, and of an earlier one."""
        self._aside: list[int] = []
        """Of the first updates: operations that no loss depends on."""
        self._examined: set[int] = set()
        """Recurrences that were examined in this step; further micro-batches of it are not."""

    def on_backward(self, step: int, loss: torch.Tensor, examine: bool) -> None:
        """A backward pass is about to run. examine: at the cost of one more through the recurrence."""
        self._backwards += 1
        if loss.grad_fn is None or self._backwards > _MOST_BACKWARDS:
            return
        unrolled = Unrolled(loss)
        self.sizes, self.tables = {}, tokens_under(unrolled)
        self._made = max(self._made, loss.grad_fn._sequence_nr())
        followed = 1 < step <= _SETTLED and self._backwards == 1  # the update before was, too
        self._aside += [renewed.aside(unrolled, self._made_before)] if followed else []
        known = self._belongs()
        found: dict[int, loops.Loop] = {}
        for name, loop in self._running(unrolled, known):
            self._lost.reached()
            number = self._recurrences.custom(name, loop.hidden_size, self._naming.built_at(name))
            found[number] = loop
            self.weights.update((id(weight), weight) for weight in loop.weights)
            if loop.rows is not None:
                self.rows.add(loop.rows)
                self.sizes[number] = loop.steps, loop.rows
            self.carried |= not loop.anew
            kept = self._is_kept(unrolled, loop)
            if (examine or kept) and number not in self._examined:
                self._examined.add(number)
                self._examine(step, number, unrolled, loop, kept)
        if not found:
            self._scan(step, unrolled, examine)
        self._tell_cut_off(step, unrolled, known, found, examine)
        if examine:
            self._attempt("activations", self._activations.on_graph, step, unrolled)
            self._tell_unused(step, unrolled, known, not found)
            self._uncover(unrolled)
        for number, module in self._recurrences.hidden_modules() if examine else ():
            if number not in self._examined and applies(unrolled, module):
                self._examined.add(number)
                self._examine_hidden(step, number, unrolled, module)
        if examine:
            self._follow_detours(step, unrolled)
        self.reads.on_graph(unrolled, found)
        self.given = loop_inputs.by_step(unrolled, found)

    def _tell_cut_off(
        self,
        step: int,
        unrolled: Unrolled,
        known: Callable[[torch.Tensor], bool],
        found: dict[int, loops.Loop],
        examine: bool,
    ) -> None:
        """Numbers, and writes of, the recurrences that are cut off every few steps. found: those of the graph."""
        severed_here = self._detachments.severed
        told = [(cut, self._detachments.where(cut)) for cut in cut_states.find(unrolled, known, self._owner)]
        told += severed.find(unrolled, severed_here, known, self._owner) if severed_here else []
        for cut, location in told:
            name = self._owner(cut.weights)
            number = self._recurrences.custom(name, cut.hidden_size, self._naming.built_at(name))
            if not examine:
                continue
            if number in found:
                # The graph may hold its last steps and no more; or another state is handed on beside this one.
                if found[number].steps > cut.length:
                    continue
            elif number in self._examined:
                continue
            else:
                self._examined.add(number)
                absent = _CUT if cut.length == 1 else _CUT_SOON
                self._writer.write(
                    "loop", step=step, module=number, steps=cut.length, states=0, absent=absent
                )
            self._writer.write(
                "state_flow", step=step, module=number, location=location, calls=cut.applied, length=cut.length,
                fresh=cut.stretches - cut.cut, detached=cut.cut, attached=cut.applied - cut.stretches,
            )  # fmt: skip

    def _scan(self, step: int, unrolled: Unrolled, examine: bool) -> None:
        """Recurrences whose steps are computed at once."""
        for scan in scans.find(unrolled):
            loop = scan.loop
            name = self._owner(loop.weights)
            number = self._recurrences.custom(name, loop.hidden_size, self._naming.built_at(name))
            if examine and number not in self._examined:
                self._examined.add(number)
                self._examine(
                    step, number, unrolled, loop, gain=functools.partial(scans.gain, unrolled, scan)
                )

    def on_cut(self, node: Any, result: torch.Tensor, location: dict[str, Any] | None) -> None:
        """A tensor is cut off from its graph, in which recurrences may be that no loss will reach.

        Nothing is sought where a recurrence is known that the training runs: a state is cut off at every batch's end.
        """
        if not self._recurrences.ids:
            self._lost.on_cut(node, result, location)

    def _tell_unused(
        self, step: int, unrolled: Unrolled, known: Callable[[torch.Tensor], bool], alone: bool
    ) -> None:
        """Writes of the recurrences that cannot learn: given zeros at each step, or reached by no loss.

        alone: the graph holds no other.
        """
        aside = 0 if self._recurrences.ids else min(self._aside, default=0)
        for cut in renewed.find(unrolled, known, self._owner, aside) if alone else ():
            number = self._unused(self._owner(cut.weights), cut.hidden_size)
            if number is not None:
                self._writer.write(
                    "loop",
                    step=step,
                    module=number,
                    steps=1,
                    states=0,
                    absent=_RENEWED,
                    unused="state_renewed",
                )
                self._writer.write(
                    "state_flow", step=step, module=number, calls=cut.applied, fresh=cut.applied, length=1
                )
        for lost in self._lost.lost(unrolled) if step >= _SETTLED else ():
            number = self._unused(lost.name, lost.hidden_size)
            if number is not None:
                self._writer.write(
                    "loop", step=step, module=number, steps=lost.steps, states=0, absent=_UNREACHED,
                    unused="output_cut_off", location=lost.location,
                )  # fmt: skip

    def _unused(self, name: str, hidden_size: int) -> int | None:
        """The number of such a recurrence, the first time that it is met in this step."""
        number = self._recurrences.custom(name, hidden_size, self._naming.built_at(name))
        if number in self._examined:
            return None
        self._examined.add(number)
        return number

    def _running(
        self, unrolled: Unrolled, known: Callable[[torch.Tensor], bool] | None = None
    ) -> list[tuple[str, loops.Loop]]:
        """The recurrences of a graph that run over a sequence, with their names."""
        found = loops.find(unrolled, known or self._belongs(), self._owner)
        named = [(self._owner(loop.weights), loop) for loop in found]
        return [(name, loop) for name, loop in named if self._is_fed(name, loop)]

    def _is_fed(self, name: str, loop: loops.Loop) -> bool:
        """Whether a loop runs over a sequence; asked once of each, for it does not change from step to step."""
        fed = self._fed.get(name)
        if fed is None:
            fed = self._fed[name] = loop.is_fed()
        return fed

    def _belongs(self) -> Callable[[torch.Tensor], bool]:
        """Tells whether a weight belongs to a recurrent module of torch's, also of one that came from a file.

        A tensor without a gradient belongs to one where it shares its memory with a weight.
        """
        own = {id(w) for module in self._recurrences.built_modules() for w in module.parameters()}

        def known(weight: torch.Tensor) -> bool:
            if id(weight) in own:
                return True
            if not weight.requires_grad:
                modules = [m for m in self._naming.live() if isinstance(m, _TORCHS)]
                return any(share(weight, w) for module in modules for w in module.parameters())
            if self._naming.of_parameter(weight).owner is None and id(weight) not in self._sought:
                self._sought.add(id(weight))
                self._naming.refresh([weight])
            owner = self._naming.of_parameter(weight).owner
            return isinstance(owner, _TORCHS)

        return known

    def _follow_detours(self, step: int, unrolled: Unrolled) -> None:
        """Cells of torch's called in a loop, whose state passes other operations on its way to the next call."""
        numbers = self._recurrences.ids
        cells = {numbers[id(m)]: m for m in self._recurrences.built_modules() if id(m) in numbers}
        unlinked, detoured = self._flows.unlinked(), self._flows.detoured()
        alone = {number: self._flows.longest(number) for number in unlinked}
        wanted = [n for n in (*unlinked, *detoured) if n in cells and n not in self._examined]
        found = loops.find(unrolled, lambda _: False, self._owner) if wanted else []
        for number in wanted:
            own = {id(w) for w in cells[number].parameters()}
            loop = next((each for each in found if any(id(w) in own for w in each.weights)), None)
            if loop is not None and not within_a_call(unrolled, loop, alone.get(number, 0)):
                self._examined.add(number)
                if number in unlinked:
                    self._flows.linked(number, loop.steps - 1)
                if self._measure(step, number, unrolled, loop):
                    self.measured.add(number)
            elif number in detoured and applies(unrolled, cells[number]):
                self._examined.add(number)
                self._writer.write("loop", step=step, module=number, steps=1, states=0, absent=_LOST)

    def _uncover(self, unrolled: Unrolled) -> None:
        """Numbers the modules of torch's that the loss depends on though no call of theirs was seen."""
        numbered = self._recurrences.ids
        for module in self._recurrences.built_modules():
            if id(module) not in numbered and applies(unrolled, module):
                self._recurrences.number(module, called=False)

    def _examine_hidden(self, step: int, number: int, unrolled: Unrolled, module: Any) -> None:
        """A module whose calls were not seen; some kernels leave their steps in the graph."""
        own = {id(w) for w in module.parameters()}
        found = loops.find(unrolled, lambda weight: id(weight) not in own, lambda _: "")
        if len(own) > _ONE_LAYER:
            self._writer.write("loop", step=step, module=number, steps=1, states=0, absent=_STACKED)
        elif found:
            self._examine(step, number, unrolled, found[0])
        else:
            self._writer.write("loop", step=step, module=number, steps=1, states=0, absent=_FUSED)

    def forget(self) -> None:
        """The step is over."""
        self._backwards = 0
        self._lost.forget()
        self.rows.clear()
        self.sizes, self.tables, self.given = {}, [], {}
        self.carried = False
        self._made_before = self._made
        self._examined.clear()
        self.measured.clear()
        self.hooked.clear()
        self._sought.clear()

    def _is_kept(self, unrolled: Unrolled, loop: loops.Loop) -> bool:
        """Whether the state came with its graph from an earlier update.

        A whole recurrence may be older than an update of other parameters, as a generator's is whose samples
        a discriminator has seen.
        """
        old = {unrolled.nodes[number]._sequence_nr() <= self._made_before for number in loop.operations}
        return len(old) > 1

    def _examine(
        self,
        step: int,
        number: int,
        unrolled: Unrolled,
        loop: loops.Loop,
        kept: bool = False,
        gain: Callable[[], dict[str, Any]] | None = None,
    ) -> None:
        if not kept:  # the pass of an earlier update may have freed its graph
            self._measure(step, number, unrolled, loop, gain)
            for fields in loop_layers.layers(unrolled, loop):
                self._writer.write("layer", step=step, module=number, **fields)
            if gain is None and number not in self._recurrences.ids.values():
                self._attempt("loop_starts", self._describe, step, number, unrolled, loop)
        self._writer.write(
            "state_flow", step=step, module=number, calls=loop.steps, attached=loop.steps - 1 - kept,
            kept=1 if kept else None, length=loop.steps,
        )  # fmt: skip

    def _describe(self, step: int, number: int, unrolled: Unrolled, loop: loops.Loop) -> None:
        """Writes what a recurrence starts from, and what it is given."""
        for fields in loop_starts.initial_weights(unrolled, loop, self._naming.path_of) if step == 1 else ():
            self._writer.write("initial_weights", module=number, **fields)
        given = loop_starts.given(unrolled, loop)
        if given is not None:
            self._writer.write("loop_input", step=step, module=number, **given)

    def _measure(
        self,
        step: int,
        number: int,
        unrolled: Unrolled,
        loop: loops.Loop,
        gain: Callable[[], dict[str, Any]] | None = None,
    ) -> bool:
        """Writes how far gradients reach, or why that is not known; returns whether it is.

        gain: the fields of its record, where they are not taken from step to step.
        """
        absent = loop_gain.absent(unrolled, loop, self.hooked)
        self._writer.write(
            "loop", step=step, module=number, steps=loop.steps, states=len(loop.states[-1]) if loop.states else 0,
            linear=loop.linear if unrolled.whole and not loop.diagonal else None, absent=absent,
        )  # fmt: skip
        if absent is None:
            self._writer.write(
                "lag_gain",
                step=step,
                module=number,
                **(gain() if gain is not None else loop_gain.gain(unrolled, loop)),
            )
        return absent is None
