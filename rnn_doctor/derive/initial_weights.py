"""The recurrent weights before the first update."""

import math
from collections.abc import Callable

from rnn_doctor.derive.lag import lag_gain_longest, lag_slope_start
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.saturation import gate_saturation_start, gate_saturation_start_name, trained_before
from rnn_doctor.derive.subjects import each_module, is_hand_written
from rnn_doctor.derive.view import View
from rnn_doctor.schema.built import InitialWeights
from rnn_doctor.schema.signals import Measurement

LARGE = 1.3
"""Gain of the recurrent weights above all that orthogonal, identity, Xavier and PyTorch's own ones have."""
GROWS = 1.5
"""Decades of growth over the longest lag below which large weights do no harm: nn.RNN of gain 2, whose gradient
grows by 1.1 over 15 steps, learned to recall as fast as orthogonal ones (benchmarks/thresholds/recurrent_init.py)."""
OVERLARGE = 2.8
"""Gain of such weights from which on their growth over a sequence is no longer asked for: saturated states and short
sequences bound it (benchmarks/thresholds/doses_scaled.txt)."""
SATURATES = 2.16
"""Gain from which on a tanh keeps a state at 0.97 by itself: tanh(2.16 * 0.97) = 0.97."""
MOST = 0.5
"""Share of saturated states from which on RD201 warns: those that wide inputs saturate are no more."""
SLOPE = 0.01
"""Decades a step; no usual initialization stretches gradients (RD102)."""
SMALL = 0.2
"""A third of the gain of PyTorch's default, and no more than uniform weights within 0.1 have from 12 units on."""
CLOSED = -1.5
"""Bias that lets less than a fifth of the state through each step."""
SHUT = 0.5
"""Share of a gate's values below a tenth, or above nine, from which on a hand-written one counts as closed."""
ENTERS = 0.1
"""Share of the state below which a sequence as good as does not enter it (benchmarks/thresholds/open_gates.py)."""
_GRUS = ("GRU", "GRUCell")
FORGETS = -0.4
"""Decades a step: PyTorch's default loses 0.2 to 0.3."""
LOSSY = -0.7
"""Decades a step of a hand-written cell whose weights are sound: a sigmoid on the state loses 0.84 at PyTorch's own
initialization. Healthy hand-written cells of the fault bench lost 0.46 at most (120 of them)."""
SQUASHED = 0.1
"""Share of saturated states or gates from which on they are a cause of their own (RD201)."""
_NOT_SEEN = "its initial weights were not seen"


@signal(unit="ratio", by="module", reads=("initial_weights",))
def unit_asymmetry_min(view: View) -> dict[str, Measurement]:
    """How far the hidden units of the most uniform layer differ: ||W - mean over units|| / ||W||.

    Reads: `log.initial_weights[i].asymmetry`. Unit: ratio; 0 where all units are copies of one another.
    None if: the initial weights were not seen (TorchScript), or, of a hand-written cell, not those that carry its
    state on, or none that take its input.
    """
    found = {}
    for number, name in view.module_names.items():
        values = [w.asymmetry for w in _weights(view, number)]
        numbers = [v for v in values if math.isfinite(v)]
        location = view.log.modules[number].location
        found[name] = (
            known(min(numbers), n=len(numbers), location=location)
            if numbers
            else unknown("its initial weights were not seen", location=location)
        )
    return found


def _weights(view: View, module: int) -> list[InitialWeights]:
    return [w for w in view.log.initial_weights if w.module == module]


@signal(unit="ratio", by="module", reads=("initial_weights",))
def recurrent_gain(view: View) -> dict[str, Measurement]:
    """Gain of the recurrent weights before the first update, of the layer where it is farthest from 1 in decades.

    Root mean square times sqrt(H): 0.58 by PyTorch's default, 1 orthogonal.

    Reads: `log.initial_weights[i].hidden_gain`. Unit: ratio. None if: the initial weights were not seen.
    """

    def measure(module: int) -> Measurement:
        gains = [w.hidden_gain for w in _weights(view, module) if math.isfinite(w.hidden_gain)]
        if not gains:
            return unknown(_NOT_SEEN)
        return known(max(gains, key=lambda g: abs(math.log(g)) if g > 0 else math.inf), n=len(gains))

    return each_module(view, measure)


@signal(unit="bias", by="module", reads=("initial_weights",))
def keep_bias_min(view: View) -> dict[str, Measurement]:
    """Mean bias of the gate that keeps the state, before the first update, of the layer where it is least.

    The forget gate of an LSTM, the update gate of a GRU.

    Reads: `log.initial_weights[i].forget_bias`. Unit: bias; 0 half open. None if: no such gate, or no biases.
    """

    return each_module(view, lambda module: _keep_bias(view, module, min))


@signal(unit="bias", by="module", reads=("initial_weights",))
def keep_bias_max(view: View) -> dict[str, Measurement]:
    """The same of the layer where it is largest.

    Reads: `log.initial_weights[i].forget_bias`. Unit: bias; 0 half open. None if: as keep_bias_min.
    """
    return each_module(view, lambda module: _keep_bias(view, module, max))


def _keep_bias(view: View, module: int, of: Callable[[list[float]], float]) -> Measurement:
    biases = [w.forget_bias for w in _weights(view, module) if w.forget_bias is not None]
    missing = "it has no bias of a gate that keeps its state"
    return known(of(biases), n=len(biases)) if biases else unknown(missing)


@signal(unit="share", by="module", reads=("initial_weights", "batches"))
def state_entry_start(view: View) -> dict[str, Measurement]:
    """How much of a GRU's state all inputs of a sequence can replace at the start, in the layer where it is least.

    1 - q^T: q is the sigmoid of the update gate's mean bias, the share that a step keeps; T the longest sequence seen.

    Reads: `log.initial_weights[i].forget_bias`, `log.batches[i].time`, `.calls`. Unit: share.
    None if: it is no GRU of torch's, has no biases, or was not called.
    """
    biases = _by_module(keep_bias_max(view))

    def measure(module: int) -> Measurement:
        if view.log.modules[module].kind not in _GRUS:
            return unknown("it is no GRU of torch's")
        bias = biases[view.module_names[module]]
        lengths = [b.time * b.calls for b in view.log.batches if b.module == module]
        if bias.value is None or not lengths:
            return unknown(bias.absent or "it was not called")
        keeps = 1 / (1 + math.exp(-float(bias.value)))
        return known(1 - keeps ** max(lengths), n=bias.n)

    return each_module(view, measure)


@signal(unit="claim", reads=("initial_weights", "losses"))
def starts_untrained(view: View) -> Measurement:
    """Whether the network is a new one: its recurrent weights are distributed as they are drawn.

    And its first loss, where that of an answer that knows nothing is known, is not far below it.

    Reads: `log.initial_weights[i].kurtosis`, `.gate_spread`, and the first loss. Unit: claim.
    None if: the distribution of no recurrent weights was seen before the first update.
    """
    seen = {w.module for w in view.log.initial_weights if w.kurtosis is not None}
    if not seen:
        return unknown("how its recurrent weights were distributed at first was not seen")
    return known(not any(trained_before(view, module) for module in seen), n=len(seen))


@signal(unit="text", by="module", reads=("initial_weights", "lag_gains", "layers.gates", "batches"))
def recurrent_start(view: View) -> dict[str, Measurement]:
    """What is wrong with the recurrent weights or the forget bias that a module starts from, in words; "sound" if
    nothing.

    Too large, where the backward gain grows, or where they alone keep the state of a tanh saturated; too small, or a
    closed gate, where it falls faster than by any usual initialization; an update gate that keeps all, where a whole
    sequence hardly enters the state (state_entry_start). Of a hand-written cell the values of the gates
    tell, not their biases: one that chooses between the state before and a new one, and is at one end, keeps nothing
    where the gain falls so fast. Where nothing of this is wrong and the gain of such a cell falls faster still, its
    step loses what the state carries, as a sigmoid does.

    Reads: `log.initial_weights[i].hidden_gain`, `.forget_bias`, `log.lag_gains`, what state_entry_start reads, and
    `log.layers[i].gates` of step 1. Unit: text.
    None if: the weights were trained before, or weights or backward gain were not seen at the first update.
    """
    slopes, longest = _by_module(lag_slope_start(view)), _by_module(lag_gain_longest(view))

    def measure(module: int) -> Measurement:
        weights, name = _weights(view, module), view.module_names[module]
        slope, growth = slopes[name], longest[name]
        if not weights:
            return unknown(_NOT_SEEN)
        if slope.value is None or growth.value is None:
            return unknown(slope.absent or growth.absent or _NOT_SEEN)
        loaded = trained_before(view, module)
        if loaded:
            return unknown(f"its weights were loaded, as it seems: {loaded}")
        shut = any(w.forget_bias is not None and w.forget_bias < CLOSED for w in weights) or _shut(
            view, module
        )
        problem = _problem(weights, float(slope.value), float(growth.value), shut=shut)
        if problem == "sound" and _holds_at_its_bounds(view, module, weights):
            problem = "recurrent weights saturate the state"
        entry = _by_module(state_entry_start(view))[name].value
        if problem == "sound" and entry is not None and float(entry) < ENTERS:
            problem = "update gate keeps all"
        if problem == "sound" and float(slope.value) < LOSSY and _squashes(view, module):
            problem = "recurrent step too lossy"
        return known(problem, n=len(weights))

    return each_module(view, measure)


def _by_module(measured: Measurement | dict[str, Measurement]) -> dict[str, Measurement]:
    assert isinstance(measured, dict)
    return measured


def _shut(view: View, module: int) -> bool:
    """Whether a gate of a hand-written cell that chooses what is kept of its state starts at one end."""
    return is_hand_written(view, module) and any(
        (gate.name == "z" and max(gate.low, gate.high) > SHUT) or (gate.name == "f" and gate.low > SHUT)
        for layer in view.log.layers
        if layer.module == module and layer.step == 1
        for gate in layer.gates
    )


def _squashes(view: View, module: int) -> bool:
    """Whether it is the step of a hand-written cell that loses the gradient: nothing that it is given saturates it."""
    if not is_hand_written(view, module):
        return False
    saturated = _by_module(gate_saturation_start(view))[view.module_names[module]].value
    return saturated is None or float(saturated) < SQUASHED


def _holds_at_its_bounds(view: View, module: int, weights: list[InitialWeights]) -> bool:
    """Whether most states are saturated under weights that keep them so whatever the inputs are: one gain for all.

    What is gained in the directions that are not saturated then does not show over a sequence.
    """
    name = view.module_names[module]
    share = _by_module(gate_saturation_start(view))[name].value
    which = str(_by_module(gate_saturation_start_name(view))[name].value)
    high = max(w.hidden_gain for w in weights) > SATURATES
    return high and share is not None and float(share) > MOST and which.startswith("state")


def _problem(weights: list[InitialWeights], slope: float, growth: float, *, shut: bool) -> str:
    largest = max(w.hidden_gain for w in weights)
    if (slope > 0 and growth > GROWS and largest > LARGE) or (slope > SLOPE and largest > OVERLARGE):
        return "recurrent weights too large"
    if slope < FORGETS:
        if min(w.hidden_gain for w in weights) < SMALL:
            return "recurrent weights too small"
        if shut:
            return "forget gate closed"
    return "sound"


@signal(unit="claim", by="module", reads=("initial_weights", "lag_gains"))
def recurrent_start_poor(view: View) -> dict[str, Measurement]:
    """Whether something is wrong with it.

    Reads: as recurrent_start. Unit: claim. None if: as recurrent_start.
    """
    return {
        name: m if m.value is None else m.model_copy(update={"value": m.value != "sound"})
        for name, m in _by_module(recurrent_start(view)).items()
    }
