"""What the recurrent modules are given: scale, constants."""

import math
from collections.abc import Callable, Sequence
from statistics import median

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.recurrence import LoopInput
from rnn_doctor.schema.runlog import Batch
from rnn_doctor.schema.signals import Measurement

FEWEST_TOKENS = 64
"""Tokens, all of which are one, or vectors: of a batch or two."""
FEWEST_PLACES, SHARE_OF_LOOKS = 256, 0.75
"""Time steps of all samples at a look, which hold one number alone, and how many of the looks are such; in no healthy
run of 1,034 of the fault bench one was."""
HARDLY_VARIES = 1e-4
"""Standard deviation of all numbers of a batch over the largest, at most: of the recorded runs of the fault bench no
healthy one has less than 0.07, inputs beside an offset of 500 standard deviations have 0.002, and what is scaled to the
range of another sensor 0.00002."""
FEWEST_ZEROS, FEWEST_LOOKS = 12, 3
"""Vectors of zeros alone, and looks at them: of 76 healthy runs of the fault bench whose loops were looked at none had
a look without another number."""


def by_module(
    view: View, measure: Callable[[Sequence[Batch]], bool | float | None], reason: str
) -> dict[str, Measurement]:
    """A measurement for each recurrent module from its batches; `reason` is given where that yields None."""
    found = {}
    for number, name in view.module_names.items():
        module, batches = view.log.modules[number], view.batches[number]
        value = measure(batches) if batches else None
        if not batches:
            found[name] = unknown(_unseen(module.called), location=module.location)
        elif value is None:
            found[name] = unknown(reason, location=module.location)
        else:
            found[name] = known(value, n=len(batches), location=module.location)
    return found


def _unseen(called: bool) -> str:
    return (
        "it was not called in a sampled training step"
        if called
        else "TorchScript or a compiler hides its calls"
    )


def _by_any(
    view: View,
    measure: Callable[[Sequence[Batch]], bool | float | None],
    of_loops: Callable[[Sequence[LoopInput]], bool | float | None],
    reason: str,
) -> dict[str, Measurement]:
    """The same, and of hand-written recurrences from what their steps take."""
    found = by_module(view, measure, reason)
    for number, name in view.module_names.items():
        inputs = [each for each in view.log.loop_inputs if each.module == number]
        value = of_loops(inputs) if inputs and not view.batches[number] else None
        if value is not None:
            found[name] = known(value, n=len(inputs), location=found[name].location)
    return found


def _median(values: Sequence[float | None]) -> float | None:
    numbers = [v for v in values if v is not None and math.isfinite(v)]
    return median(numbers) if numbers else None


@signal(unit="units of the input", by="module", reads=("batches.std", "loop_inputs"))
def input_std(view: View) -> dict[str, Measurement]:
    """Standard deviation of a module's input over batch, time and features, median over the samples.

    Reads: `log.batches[i].std`; of a hand-written recurrence that starts from zeros `log.loop_inputs[i].std`.
    Unit: units of the input. None if: the module was not called in a sampled step.
    """
    return _by_any(
        view,
        lambda b: _median([x.std for x in b]),
        lambda given: _median([x.std for x in given]),
        "its input is never finite",
    )


@signal(unit="units of the input", by="module", reads=("batches.absmax", "loop_inputs"))
def input_absmax(view: View) -> dict[str, Measurement]:
    """Largest magnitude in a module's input, median over the samples.

    Reads: `log.batches[i].absmax`, `log.loop_inputs[i].absmax`. Unit: units of the input. None if: as input_std.
    """
    return _by_any(
        view,
        lambda b: _median([x.absmax for x in b]),
        lambda given: _median([x.absmax for x in given]),
        "its input is never finite",
    )


@signal(unit="ratio", by="module", reads=("batches.mean", "batches.std"))
def input_offset(view: View) -> dict[str, Measurement]:
    """Magnitude of the mean of a module's input over its standard deviation, median over the samples.

    Reads: `log.batches[i].mean`, `.std`. Unit: ratio. None if: as input_std, or the input does not vary.
    """
    return by_module(
        view, lambda b: _median([abs(x.mean) / x.std for x in b if x.std > 0]), "its input does not vary"
    )


@signal(unit="share", by="module", reads=("batches.drive", "loop_inputs"))
def input_drive(view: View) -> dict[str, Measurement]:
    """Share of gate entries that the input alone saturates, |W_ih x + b_ih| > 4, at the first sample.

    At the start, because weights that have learned may saturate gates on purpose.

    Reads: `log.batches[i].drive`, `log.loop_inputs[i].drive`. Unit: share; 0 at the default initialization and inputs
    of unit scale. None if: the module was not called in a sampled step, or has no input weights of its own.
    """
    return _by_any(
        view,
        lambda b: next((x.drive for x in b if x.drive is not None), None),
        lambda given: given[0].drive if given[0].step == 1 else None,
        "its input weights were not seen",
    )


@signal(
    unit="claim",
    by="module",
    reads=("batches.constant_share", "batches.mean", "tokens", "loop_inputs", "step_readouts"),
)
def input_constant(view: View) -> dict[str, Measurement]:
    """Whether the input of a module never varies: not over batch, time, calls, nor from step to step.

    Decoders that are given a start token or zeros and a state of their own are not meant; neither is a vector
    that is repeated over time, which differs between sequences.

    Of a recurrence written by hand that starts from zeros what its steps take beside the state is looked at, and the
    tokens that its loss depends on, where there are any. A number that is another in one of four looks at most counts.

    Reads: `log.batches[i].constant_share`, `.mean`, `.state`; `log.loop_inputs[i]`, `log.step_readouts[i].rows`,
    `log.tokens[i]`. Unit: claim.
    None if: as input_std, or too few values to tell.
    """
    found = _by_any(view, _constant, _all_constant, "a single value at a time cannot vary")
    for number, module in view.module_names.items():
        if (
            not view.batches[number]
            and found[module].value is False
            and _one_vector_for_all_rows(view, number)
        ):
            found[module] = found[module].model_copy(update={"value": True})
    for tokens in view.log.tokens:  # of several the last
        name = view.module_names.get(tokens.module)
        if name is not None and not view.batches[tokens.module] and tokens.looked >= FEWEST_TOKENS:
            same = tokens.constant or found[name].value is True
            found[name] = known(same, n=tokens.looked, location=found[name].location)
    return found


def _all_constant(given: Sequence[LoopInput]) -> bool | None:
    if not all(each.constant for each in given):
        return False
    vectors = sum(each.vectors for each in given)
    nothing = len(given) >= FEWEST_LOOKS and vectors >= FEWEST_ZEROS and not any(e.absmax for e in given)
    if vectors < FEWEST_TOKENS and not nothing:
        return None
    return all(math.isclose(each.mean, given[0].mean, rel_tol=1e-6, abs_tol=1e-9) for each in given)


def _one_vector_for_all_rows(view: View, module: int) -> bool:
    """Whether the steps of a hand-written recurrence over several rows are all given one vector in each update.

    Another one in the next: no sample can be told from another of its batch.
    """
    given = [each for each in view.log.loop_inputs if each.module == module]
    rows = [each.rows for each in view.log.step_readouts if each.module == module]
    vectors = sum(each.vectors for each in given)
    return bool(rows) and min(rows) > 1 and vectors >= FEWEST_TOKENS and all(each.constant for each in given)


def _constant(batches: Sequence[Batch]) -> bool | None:
    enough = [b for b in batches if b.time * b.batch * b.calls >= 4 and b.finite]
    if not enough:
        return None
    if any(b.state in ("given", "carried") for b in enough):
        return False
    if all(b.std <= HARDLY_VARIES * b.absmax for b in enough) and _one_level(enough):
        return True
    if any(b.constant_share < 1 for b in enough):
        return _nearly_all_constant(enough)
    if all(b.batch > 1 for b in enough):
        return True
    level = enough[0].mean  # one sequence at a time: a repeated vector is constant within each step alone
    return len(enough) > 1 and all(math.isclose(b.mean, level, rel_tol=1e-6, abs_tol=1e-9) for b in enough)


def _one_level(batches: Sequence[Batch]) -> bool:
    """Whether all looks lie about one number, as closely as the numbers of each."""
    if len(batches) == 1 and batches[0].batch == 1:
        return False  # of a single sequence, which another may differ from
    means = [b.mean for b in batches]
    return max(means) - min(means) <= HARDLY_VARIES * max(b.absmax for b in batches)


def _nearly_all_constant(batches: Sequence[Batch]) -> bool:
    """Whether three of four looks, each at many samples, found one and the same number: a rare other one tells nothing.

    So it is where numbers from 0 to 1 were cast to whole ones: the largest of all alone is 1.
    """
    blank = [b for b in batches if b.constant_share == 1]
    if len(blank) < FEWEST_LOOKS or SHARE_OF_LOOKS * len(batches) > len(blank):
        return False
    many = all(b.batch > 1 and b.batch * b.time * b.calls >= FEWEST_PLACES for b in blank)
    return many and all(b.std == 0 and b.mean == blank[0].mean for b in blank)
