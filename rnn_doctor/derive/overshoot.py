"""What steps that are too large leave behind: states that are flat, a loss far above where it began."""

from rnn_doctor.derive.displacement import displacement_excess
from rnn_doctor.derive.losses import loss_end_ratio, loss_halved_steadily
from rnn_doctor.derive.progress import loss_end_uninformed
from rnn_doctor.derive.rate_search import grows, spike_of_gradient, spikes_as_it_rises
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.recurrence import Layer
from rnn_doctor.schema.signals import Measurement

_BOUNDED = frozenset("gnh")
"""Candidates and states that pass a tanh."""
FAR = 5.0
"""Times the first loss, and times that of an answer that knows nothing; of 915 runs of the fault bench that learned
later none stood above 2.9 times both."""
FLAT = 0.85
"""Networks that learned by large steps had at most 0.82 of their states saturated, but for one whose loss did not fall
within 50 updates (benchmarks/thresholds/doses_large.txt)."""


@signal(unit="share", reads=("layers.gates",))
def saturation_gained(view: View) -> Measurement:
    """Share of candidates or tanh states that were driven into saturation since the first update, of the layer and
    module where it is largest.

    Beyond 0.97 on either side when last seen, less what was so at the first look. Gates do not count: an open one is
    memory.

    Reads: `log.layers[i].gates`. Unit: share. None if: not replayed before the first update and after it.
    """
    first: dict[tuple[int, int, bool], float] = {}
    last: dict[tuple[int, int, bool], float] = {}
    for layer in view.log.layers:
        share = _flat(view, layer)
        if share is not None:
            key = (layer.module, layer.layer, layer.reverse)
            (first if layer.step == 1 else last)[key] = share
    gains = [last[key] - first[key] for key in first.keys() & last.keys()]
    if not gains:
        return unknown("no recurrence was replayed before and after the first update")
    return known(max(0.0, *gains), n=len(gains))


def _flat(view: View, layer: Layer) -> float | None:
    """Share of one layer's candidates or states beyond 0.97; None of ReLU units, which have no bound."""
    if view.log.modules[layer.module].nonlinearity == "relu":
        return None
    return max((gate.low + gate.high for gate in layer.gates if gate.name in _BOUNDED), default=None)


@signal(unit="claim", reads=("samples", "parameters", "steps.loss", "losses", "loss_sums"))
def steps_astray(view: View) -> Measurement:
    """Whether the updates took the weights further than healthy training does, or the loss far above its start.

    Far is 5 times the first loss, and 5 times that of an answer that knows nothing, in the median of the last quarter:
    a first batch that was easy is no start. Where a gradient spike threw an optimizer that follows the gradient's size,
    the loss is the spike's doing, unless clipping cut it down, or the rate rose: then the first loss alone is enough.

    Reads: as displacement_excess, loss_end_ratio and loss_end_uninformed. Unit: claim.
    None if: as displacement_excess, unless the loss tells.
    """
    moved, end, level = displacement_excess(view), loss_end_ratio(view), loss_end_uninformed(view)
    assert isinstance(moved, Measurement)
    assert isinstance(end, Measurement)
    assert isinstance(level, Measurement)
    rises = view.once(grows) or view.once(spikes_as_it_rises)
    told = (end,) if level.value is None and rises else (end, level)
    lost = view.once(spike_of_gradient) is None and all(
        m.value is not None and float(m.value) > FAR for m in told
    )
    if moved.value is None and not lost:
        return moved
    return known(lost or float(moved.value or 0.0) > 1, n=moved.n)


@signal(unit="claim", reads=("steps.loss", "layers.gates"))
def large_steps_pay(view: View) -> Measurement:
    """Whether the training loss has halved steadily, and the steps did not drive the states into saturation.

    What a network with flat states learned, its output layer learned from the sign of random features.

    Reads: as loss_halved_steadily and saturation_gained. Unit: claim. None if: as loss_halved_steadily.
    """
    halved, flat = loss_halved_steadily(view), saturation_gained(view)
    assert isinstance(halved, Measurement)
    assert isinstance(flat, Measurement)
    if not halved.value:
        return halved
    return known(float(flat.value or 0.0) <= FLAT, n=halved.n)
