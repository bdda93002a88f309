"""A run log as the signals look at it: the series that belongs together, and names for its subjects."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar

from rnn_doctor.derive.searches import updates_of_search
from rnn_doctor.schema.built import Module, Optimizer, Parameter
from rnn_doctor.schema.recurrence import Loop
from rnn_doctor.schema.runlog import Batch, RunLog, Sample, Step
from rnn_doctor.schema.values import Location

NO_STEP = "no training step was seen"

Result = TypeVar("Result")


class View:
    """Read-only access to one run log; what several signals need is worked out once."""

    def __init__(self, log: RunLog, lag: int | None = None) -> None:
        self.log = log
        self.lag = lag
        self._kept: dict[object, object] = {}

    def once(self, work: "Callable[[View], Result]") -> Result:
        """What a function makes of this view, worked out once: several signals share it."""
        if work not in self._kept:
            self._kept[work] = work(self)
        return self._kept[work]  # type: ignore[return-value]

    @cached_property
    def training(self) -> Sequence[Step]:
        """The updates of all optimizers, without those of a search for a learning rate that went before."""
        return self.log.steps[updates_of_search(self.log.steps) :]

    @cached_property
    def turns(self) -> list[tuple[int, ...]]:
        """The sets of optimizers that stepped, the one that the series are made of first.

        Where optimizers take turns (GANs) their losses and norms are different quantities. The most frequent
        set leads; of sets about as frequent, the one that trains more recurrent weights.
        """
        counts = Counter(step.optimizers for step in self.training)
        if not counts:
            return []
        holders = {p.optimizer for p in self.log.parameters.values() if p.module is not None}
        often = [turn for turn, count in counts.items() if count >= 0.9 * max(counts.values())]
        lead = max(often, key=lambda turn: len(holders.intersection(turn)))
        return [lead, *(turn for turn in counts if turn != lead)]

    @cached_property
    def alternates(self) -> bool:
        """Whether other optimizers step between two steps of the leading ones, as the two sides of a GAN do."""
        if len(self.turns) < 2:
            return False
        lead = [k for k, step in enumerate(self.training) if step.optimizers == self.turns[0]]
        return lead[-1] - lead[0] >= len(lead)

    @cached_property
    def steps(self) -> list[Step]:
        """The steps of the leading set of optimizers."""
        return [step for step in self.training if step.optimizers == self.turns[0]]

    @cached_property
    def finite_steps(self) -> list[Step]:
        """Those before the first loss or gradient that is not finite: what follows means nothing."""
        kept = []
        for step in self.steps:
            if not all(v is None or math.isfinite(v) for v in (step.loss, step.grad_norm)):
                break
            kept.append(step)
        return kept

    @cached_property
    def losses(self) -> list[float]:
        """Finite training losses of the series, up to the first that is not finite."""
        return [step.loss for step in self.finite_steps if step.loss is not None]

    @cached_property
    def loss_broke(self) -> bool:
        """Whether a loss that was finite at first became NaN or infinite."""
        values = [step.loss for step in self.steps if step.loss is not None]
        return bool(values) and math.isfinite(values[0]) and not all(map(math.isfinite, values))

    def updates(self, step: int) -> int:
        """How many updates the leading set of optimizers had made after a step; of a thinned log by its share."""
        own = sum(each.step <= step for each in self.steps)
        if self.log.steps_seen is None:
            return own
        every = sum(each.step <= step for each in self.log.steps)
        return round(step * own / every) if every else 0

    def clipped_to(self, step: int) -> float:
        """What clipping left of the gradient's norm at one step; 1 where nothing clips, or nothing was seen."""
        at = next((each for each in self.log.steps if each.step == step), None)
        if at is None or at.clipped_norm is None or not at.grad_norm or not math.isfinite(at.grad_norm):
            return 1.0
        return at.clipped_norm / at.grad_norm

    @property
    def counted_by(self) -> str:
        """What a number of a step counts: updates, or what a foreign log has instead."""
        return self.log.imported.axis if self.log.imported else "update"

    @cached_property
    def by_hand(self) -> bool:
        """Whether the script updates its parameters without a torch optimizer."""
        return any(not step.optimizers for step in self.log.steps)

    @cached_property
    def module_names(self) -> dict[int, str]:
        """A name for each recurrent module, unique within the run."""
        names = {number: module.name for number, module in self.log.modules.items()}
        taken = Counter(names.values())
        unique = {
            number: name if taken[name] == 1 else f"{name} ({_place(self.log.modules[number], number)})"
            for number, name in names.items()
        }
        again = Counter(unique.values())
        return {n: name if again[name] == 1 else f"{name} #{n}" for n, name in unique.items()}

    @cached_property
    def frozen(self) -> frozenset[str]:
        """The names of the modules through which no gradient flows."""
        return frozenset(self.module_names[n] for n, module in self.log.modules.items() if module.frozen)

    @cached_property
    def gradientless(self) -> frozenset[str]:
        """The names of the modules that the training runs under torch.no_grad(), though it should train them."""
        return frozenset(
            self.module_names[n] for n, module in self.log.modules.items() if module.gradientless
        )

    @cached_property
    def unreached(self) -> dict[int, Location | None]:
        """Hand-written recurrences all of whose results are cut off before the loss, with the line that does so."""
        found: dict[int, list[Loop]] = {}
        for loop in self.log.loops:
            found.setdefault(loop.module, []).append(loop)
        return {
            number: next((loop.location for loop in reversed(loops) if loop.location), None)
            for number, loops in found.items()
            if all(loop.unused == "output_cut_off" for loop in loops) and number in self.log.modules
        }

    @cached_property
    def renewed(self) -> frozenset[int]:
        """Hand-written recurrences that are given a state of zeros at each of their steps.

        Where the loss shows one step alone, whenever it was looked at: one update may be the first of a sequence.
        """
        told: dict[int, list[str | None]] = {}
        for loop in self.log.loops:
            told.setdefault(loop.module, []).append(loop.unused)
        single = {flow.module for flow in self.log.state_flows if flow.calls == 1}
        return frozenset(
            number
            for number, each in told.items()
            if set(each) == {"state_renewed"} and len(each) > (number in single)
        )

    @cached_property
    def optimizer_names(self) -> dict[int, str]:
        """A name for each optimizer, unique within the run."""
        kinds = Counter(optimizer.kind for optimizer in self.log.optimizers.values())
        return {
            number: optimizer.kind if kinds[optimizer.kind] == 1 else f"{optimizer.kind} #{number}"
            for number, optimizer in self.log.optimizers.items()
        }

    @cached_property
    def batches(self) -> dict[int, list[Batch]]:
        """What each recurrent module was given, by its id."""
        found: dict[int, list[Batch]] = {number: [] for number in self.log.modules}
        for batch in self.log.batches:
            found.setdefault(batch.module, []).append(batch)
        return found

    @cached_property
    def finite_samples(self) -> list[Sample]:
        """The samples up to the first weight that is not finite."""
        kept = []
        for sample in self.log.samples:
            if not all(map(math.isfinite, (*sample.weight_norm, *sample.displacement))):
                break
            kept.append(sample)
        return kept

    def module_of(self, parameter: Parameter) -> int | None:
        """The recurrent module that a parameter belongs to; of hand-written ones, of those that cannot learn."""
        if parameter.module is not None:
            return parameter.module
        frozen = (n for n, module in self.log.modules.items() if module.frozen and module.kind == "custom")
        numbers = (*self.unreached, *self.renewed, *frozen)
        return next((number for number in numbers if self._holds(number, parameter)), None)

    def _holds(self, number: int, parameter: Parameter) -> bool:
        """Whether a hand-written recurrence holds a parameter.

        Of one that no loss reaches and that is a root, whose name no parameter bears, what the loss does not use.
        """
        module = self.log.modules[number].name
        if any(each.name.startswith(f"{module}.") for each in self.log.parameters.values()):
            return parameter.name.startswith(f"{module}.")
        if self.log.modules[number].frozen:
            return not parameter.trainable
        return number in self.unreached and parameter.used is False

    def name_within(self, parameter: Parameter) -> str:
        """What a parameter is called in the subject that it belongs to."""
        within = parameter.name.removeprefix(f"{self.owner(parameter)}.")
        return within if parameter.module is None else within.rpartition(".")[2]

    def owner(self, parameter: Parameter) -> str:
        """The subject that a parameter belongs to: its recurrent module, or the module it is named after."""
        module = self.module_of(parameter)
        if module in self.module_names:
            return self.module_names[module]
        return parameter.name.rpartition(".")[0] or parameter.name

    def owner_location(self, parameter: Parameter) -> Location | None:
        """The source line of its recurrent module."""
        number = self.module_of(parameter)
        module = self.log.modules.get(number) if number is not None else None
        return module.location if module else None

    def rates(self, number: int) -> list[tuple[float, ...]]:
        """Learning rates of one optimizer by parameter group, at each of its steps."""
        optimizer = self.log.optimizers[number]
        own = [step for step in self.log.steps if number in step.optimizers]
        return [rates for step in own if (rates := self._share(step, number, optimizer))]

    def rates_at(self, number: int, step: int) -> tuple[float, ...]:
        """Learning rates of one optimizer by parameter group at one step; nothing where it did not step."""
        optimizer = self.log.optimizers[number]
        at = [each for each in self.log.steps if each.step == step and number in each.optimizers]
        return self._share(at[0], number, optimizer) if at else ()

    def rates_at_step(self, number: int, step: Step) -> tuple[float, ...]:
        """Learning rates of one of the optimizers that made a step; nothing where they cannot be told apart."""
        return self._share(step, number, self.log.optimizers[number])

    def _share(self, step: Step, number: int, optimizer: Optimizer) -> tuple[float, ...]:
        """This optimizer's part of a step's rates; nothing where the parts cannot be told apart."""
        if step.optimizers == (number,):
            return step.lr
        sizes = [len(self.log.optimizers[o].lr) if o in self.log.optimizers else 0 for o in step.optimizers]
        if sum(sizes) != len(step.lr):
            return ()
        begin = sum(sizes[: step.optimizers.index(number)])
        return step.lr[begin : begin + len(optimizer.lr)]


def _place(module: Module, number: int) -> str:
    return f"{module.location.file}:{module.location.line}" if module.location else f"#{number}"
