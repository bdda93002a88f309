"""How much of a gradient is left at the lowest of several stacked layers."""

import math
from statistics import median

from rnn_doctor.derive.losses import FEWEST, loss_fall_informed
from rnn_doctor.derive.modules import stacked_layers
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.stacks import stacks, weight_gain
from rnn_doctor.derive.subjects import each_module
from rnn_doctor.derive.view import View
from rnn_doctor.schema.recurrence import Layer
from rnn_doctor.schema.signals import Measurement

NOTHING = -45.0
"""Decades that stand for a gradient of exactly 0, which is below the range of float32."""
HARDLY = -3.0
"""Decades: behind so much nothing began, whatever later updates brought back (benchmarks/thresholds/depth.py)."""
STAYS = -1.8
"""Decades that are still lost at last. Stacks that learned had lost 1.6 at most by the 50th update; the others that had
lost less than HARDLY by then, and more than this, did not within 500 (the same)."""
BEGINS = -1.0
"""Decades that a stack of more than SEVERAL layers has lost before the first update; with skips around its layers one
has lost none (the same). Of 12 stacks of eight in the labels of the fault bench's development part one reached its
target in 1.5 times the updates that one or two layers took; of the 137 of seven and more LSTM or GRU layers in all its
parts 12 did."""
BEGINS_LESS = -1.2
"""The same of more than FEW layers: of 23 stacks of five and six in these labels that had not begun to learn by the
50th update 17 had lost as much, all of which took longer than that; of the other six three did not
(benchmarks/thresholds/deep_labels.py)."""
FEW, SEVERAL = 4, 6
"""Of FEW layers it may come back in the first updates (benchmarks/thresholds/deep_tasks.py), and of 12 healthy stacks
of three in the fault bench that had not begun to learn by then three had lost as much as BEGINS_LESS."""
MANY = 12
"""Layers without skips: of 8 stacks of so many 7 did not learn within 500 updates, and the other took 264, where its
like of up to ten layers took 36 to 141 (the same)."""
FALLEN = 0.1
"""Share of the loss that went, below what one answer to everything gets."""
_MOST = 150
"""Decades whose square a float holds."""
_UNSEEN = "the gradient of its layers was not seen"
_AT_FIRST = "the gradient of its layers was not seen after the first update"
_SINGLE = "it has one layer"


@signal(unit="decades", by="module", reads=("layers.hidden_gradient", "samples", "parameters"))
def depth_gain(view: View) -> dict[str, Measurement]:
    """Decades from the top layer's gradient to the bottom layer's at the same time step, when last seen.

    Under the script's own loss; of two directions the sum of both. Median over the time steps, their range as
    interval. Of a stack of separate modules the gradient of the weights, told of the lowest.

    Reads: `log.layers[i].hidden_gradient`, the last of each layer; `log.samples[k].grad_norm`, the last.
    Unit: decades; -3 is a thousandth.
    None if: the module has one layer and is not the lowest of a stack, or the gradient of its layers was not seen.
    """
    return each_module(view, lambda module: _gain(view, module, last=True))


@signal(unit="decades", by="module", reads=("layers.hidden_gradient", "samples", "parameters"))
def depth_gain_start(view: View) -> dict[str, Measurement]:
    """The same before the first update.

    Reads: `log.layers[i].hidden_gradient`, `log.samples[k].grad_norm` of step 1. Unit: decades.
    None if: as depth_gain.
    """
    return each_module(view, lambda module: _gain(view, module, last=False))


@signal(unit="claim", by="module", reads=("layers.hidden_gradient", "samples", "parameters"))
def depth_loses_gradient(view: View) -> dict[str, Measurement]:
    """Whether so little of the gradient reaches the lowest layer that it cannot begin: less than a thousandth before
    the first update, or less than a sixtieth when last seen; or so many layers that it takes long to begin: more than
    six, and less than a tenth before the first update, or five and six, and less than a sixteenth.

    What the first updates bring back, as an optimizer does that scales each weight's step by its own gradient, was lost
    for a while; what is lost when last seen stays so while the loss stands. A stack of plain recurrences may begin with
    a whole gradient and lose it in the first updates, as its upper layers saturate; of up to six layers that began with
    more than a sixtieth only less than a thousandth tells.

    Reads: as depth_gain_start, depth_gain and stacked_layers. Unit: claim.
    None if: as depth_gain_start; as depth_gain, where the first look alone does not tell.
    """

    def measure(module: int) -> Measurement:
        first, last = (_gain(view, module, last=last) for last in (False, True))
        if first.value is None:
            return first
        begins, layers = float(first.value), _layers(view, module)
        if layers > FEW and begins < (BEGINS if layers > SEVERAL else BEGINS_LESS):
            return known(True, n=first.n)
        if begins < HARDLY or (last.value is None and begins >= STAYS):
            return known(begins < HARDLY, n=first.n)
        if last.value is None:
            return last
        stays = begins < STAYS or layers > SEVERAL
        return known(float(last.value) < (STAYS if stays else HARDLY), n=last.n)

    return each_module(view, measure)


@signal(
    unit="share",
    by="module",
    reads=("layers.hidden_gradient", "samples", "parameters", "steps.loss", "losses"),
)
def loss_fall_with_lowest(view: View) -> dict[str, Measurement]:
    """Share of the training loss that went and in which the lowest layer of the stack can have had a part.

    loss_fall_informed, but 0 where that layer had less than a sixtieth of the top layer's gradient both at first and
    when last seen, and less than a thousandth at one of the two: the layers above it learn what they can from what it
    happens to say, as when each time step comes, or the fall is that of another output. No stack that had lost as much
    learned later. It is 0 too where no fall is told, as of a loss that may be negative.

    Reads: as depth_gain, depth_gain_start and loss_fall_informed. Unit: share.
    None if: as loss_fall_informed, unless so much is lost.
    """
    fall = loss_fall_informed(view)
    assert isinstance(fall, Measurement)

    def measure(module: int) -> Measurement:
        first, last = (_gain(view, module, last=last).value for last in (False, True))
        looks = [float(v) for v in (first, last) if v is not None]
        lost = len(looks) == 2 and max(looks) < STAYS and min(looks) < HARDLY
        return known(0.0, n=len(view.losses)) if lost and len(view.losses) >= FEWEST else fall

    return each_module(view, measure)


@signal(
    unit="claim",
    by="module",
    reads=("layers.hidden_gradient", "samples", "parameters", "steps.loss", "losses"),
)
def stack_learns(view: View) -> dict[str, Measurement]:
    """Whether the loss falls through all layers of the stack, by a tenth at least, and these are not a dozen.

    The fall of a dozen layers that began with less than a tenth of the gradient promises nothing: what the upper ones
    learn comes first.

    Reads: as loss_fall_with_lowest, depth_gain_start and stacked_layers. Unit: claim.
    None if: as loss_fall_with_lowest, unless there are so many layers.
    """
    fall = loss_fall_with_lowest(view)
    assert isinstance(fall, dict)

    def measure(module: int) -> Measurement:
        first, fallen = _gain(view, module, last=False).value, fall[view.module_names[module]]
        if first is not None and float(first) < BEGINS and _layers(view, module) >= MANY:
            return known(False, n=fallen.n)
        return fallen if fallen.value is None else known(float(fallen.value) >= FALLEN, n=fallen.n)

    return each_module(view, measure)


def _layers(view: View, module: int) -> int:
    counted = stacked_layers(view)
    assert isinstance(counted, dict)
    return int(counted[view.module_names[module]].value or 1)


def _gain(view: View, module: int, last: bool) -> Measurement:
    if view.log.modules[module].num_layers < 2:
        return _of_stack(view, module, last)
    records = [r for r in view.log.layers if r.module == module and r.hidden_gradient]
    steps = {r.step for r in records}
    step = max(steps, default=0) if last else 1
    if step not in steps:
        return unknown(_UNSEEN)
    if last and step == 1:
        return unknown(_AT_FIRST)
    top, bottom = (_squares([r for r in records if r.step == step and r.layer == layer])
                   for layer in (view.log.modules[module].num_layers - 1, 0))  # fmt: skip
    gains = [
        math.log10(low / high) / 2 if low else NOTHING for low, high in zip(bottom, top, strict=False) if high
    ]
    if not gains:
        return unknown(_UNSEEN)
    interval = (min(gains), max(gains)) if len(gains) > 1 else None
    return known(median(gains), n=len(gains)).model_copy(update={"interval": interval})


def _of_stack(view: View, module: int, last: bool) -> Measurement:
    """The same of the stack of separate modules whose lowest this one is."""
    stack = view.once(stacks).get(module, (module,))
    if len(stack) == 1:
        return unknown(_SINGLE)
    if stack[0] != module:
        return unknown(f"it is a layer of the stack on {view.module_names[stack[0]]}")
    found = [s for s in view.finite_samples if last or s.step == 1]
    if not found:
        return unknown(_UNSEEN)
    if last and found[-1].step == 1:
        return unknown(_AT_FIRST)
    gain = weight_gain(view, stack, found[-1])
    return unknown(_UNSEEN) if gain is None else known(max(gain, NOTHING), n=1)


def _squares(layer: list[Layer]) -> list[float]:
    """Squared gradient norms by time step, of all directions together."""
    each = [
        [10 ** (2 * min(d, _MOST)) if math.isfinite(d) else 0.0 for d in r.hidden_gradient] for r in layer
    ]
    return [sum(squares) for squares in zip(*each, strict=False)]
