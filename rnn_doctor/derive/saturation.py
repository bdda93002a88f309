"""What gates and units do: saturated before learning began, dead at the end."""

import math
from collections.abc import Callable

from rnn_doctor.derive.losses import loss_uninformed_first
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import each_module, of_all
from rnn_doctor.derive.view import View
from rnn_doctor.schema.built import InitialWeights
from rnn_doctor.schema.recurrence import Layer
from rnn_doctor.schema.signals import Measurement

_NAMES = {
    "i": "input gate closed",
    "f": "forget gate closed",
    "o": "output gate closed",
    "r": "reset gate closed",
    "g": "cell candidate saturated",
    "n": "candidate saturated",
    "h": "state saturated",
}
_CLOSING = frozenset("ifor")
_UNSEEN = "its gates were not replayed"
_UNSEEN_LATER = "its gates were not replayed after the first update"
_LOADED = "its weights were loaded, as it seems, and may be saturated rightly: {}"
UNTRAINED = 0.6
"""First loss over that of an answer that knows nothing, below which something was learned before: untrained networks
start at 0.68 or above (benchmarks/thresholds/loaded_weights.py)."""

_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1, "LSTMCell": 4, "GRUCell": 3, "RNNCell": 1, "custom": 1}


def _harmful(layer: Layer, relu: bool) -> dict[str, float]:
    """Share of each gate that is saturated on the side where it does harm.

    A forget or update gate that is open keeps the state: that is memory. A closed input gate does harm unless the
    forget gate is as open, when the cell averages over a long time (Tallec, Ollivier 2018).
    """
    gates = {gate.name: gate for gate in layer.gates}
    found: dict[str, float] = {gate.name: gate.low for gate in layer.gates if gate.name in ("f", "o", "r")}
    if "i" in gates:
        found["i"] = max(0.0, gates["i"].low - (gates["f"].high if "f" in gates else 0.0))
    bounded = ("g", "n") if relu else ("g", "n", "h")
    found |= {gate.name: gate.low + gate.high for gate in layer.gates if gate.name in bounded}
    return found


def _worst(view: View, module: int) -> tuple[float, str, int] | None:
    """Share, name and number of layers of the most saturated gate at the first update."""
    relu = view.log.modules[module].nonlinearity == "relu"
    layers = [r for r in view.log.layers if r.module == module and r.step == 1 and r.gates]
    shares = [
        (share, f"{_NAMES[name]} in layer {layer.layer}{' (backward)' * layer.reverse}", len(layers))
        for layer in layers
        for name, share in _harmful(layer, relu).items()
    ]
    return max(shares, key=lambda s: s[0]) if shares else None


def trained_before(view: View, module: int) -> str | None:
    """What tells that a module's weights were trained before this run; None where they look fresh or were not seen.

    Fresh weights have the distribution that they were drawn from, uniform, normal or orthogonal, and one scale in all
    gates; learning gives it tails and the gates scales of their own. A first loss far below that of an answer that
    knows nothing tells the same.
    """
    ratio = loss_uninformed_first(view)
    if ratio is not None and ratio < UNTRAINED:
        return f"its first loss is {ratio:.2f} of what an answer that knows nothing gets"
    for weights in view.log.initial_weights:
        if weights.module == module and not _drawn(view, weights):
            return "its recurrent weights have not the distribution of fresh ones"
    return None


def _drawn(view: View, weights: InitialWeights) -> bool:
    """Whether the recurrent weights are distributed as uniform, normal or orthogonal ones, within sampling error."""
    described = view.log.modules[weights.module]
    hidden, gates = described.hidden_size, _GATES.get(described.kind)
    if weights.kurtosis is None or weights.gate_spread is None or not hidden or gates is None:
        return True
    block = hidden * (described.proj_size or hidden) * (1.0 if weights.filled is None else weights.filled)
    if weights.gate_spread > 1.03 + 4 * math.sqrt(1 / block):
        return False
    number = gates * block
    uniform = abs(weights.kurtosis + 1.2) < 0.03 + 4 / math.sqrt(number)
    wide = 0.03 + 4 * math.sqrt(24 / number)
    return uniform or -6 / (hidden + 2) - wide < weights.kurtosis < wide


@signal(unit="share", by="module", reads=("layers.gates", "initial_weights", "losses"))
def gate_saturation_start(view: View) -> dict[str, Measurement]:
    """Largest share of one gate of one layer that is saturated on its harmful side before the first update.

    Closed input, forget, output and reset gates, and candidates or tanh states beyond 0.97; an open forget or
    update gate is memory and does not count.

    Reads: `log.layers[i].gates` of step 1; `log.initial_weights[i].kurtosis`, `.gate_spread` and the first loss tell
    loaded weights. Unit: share of rows, time steps and units. None if: not replayed, or saturated and loaded.
    Source: Karpathy, Johnson, Fei-Fei 2015, section 4.2.
    """

    def measure(module: int) -> Measurement:
        worst = _worst(view, module)
        if not worst:
            return unknown(_UNSEEN)
        loaded = trained_before(view, module) if worst[0] > 0 else None
        return unknown(_LOADED.format(loaded)) if loaded else known(worst[0], n=worst[2])

    return each_module(view, measure)


@signal(unit="text", by="module", reads=("layers.gates",))
def gate_saturation_start_name(view: View) -> dict[str, Measurement]:
    """Which gate of which layer that is.

    Reads: `log.layers[i].gates` of step 1. Unit: text. None if: not replayed.
    """
    found = {}
    for number, name in view.module_names.items():
        worst = _worst(view, number)
        found[name] = known(worst[1], n=worst[2]) if worst else unknown(_UNSEEN)
    return found


def _stuck(view: View, module: int) -> tuple[float, float, str] | None:
    """Share of units stuck closed, slope and name of the gate with most of them, when last seen after an update."""
    last = {(r.layer, r.reverse): r for r in view.log.layers if r.module == module and r.step > 1 and r.gates}
    found = []
    for layer in last.values():
        gates = {gate.name: gate for gate in layer.gates}
        open_share = gates["f"].stuck_high if "f" in gates else 0.0
        for gate in layer.gates:
            if gate.name in _CLOSING:
                share = gate.stuck_low - (open_share if gate.name == "i" else 0.0)
                where = f"{_NAMES[gate.name]} in layer {layer.layer}{' (backward)' * layer.reverse}"
                found.append((max(0.0, share), gate.slope, where))
    return max(found, default=None)


def _of_stuck(view: View, module: int, part: int) -> Measurement:
    if view.log.modules[module].kind in ("RNN", "RNNCell"):
        return unknown("it has no gates")
    stuck = _stuck(view, module)
    return known(stuck[part], n=1) if stuck else unknown(_UNSEEN_LATER)


@signal(unit="share", by="module", reads=("layers.gates",))
def gate_stuck_share(view: View) -> dict[str, Measurement]:
    """Largest share of a layer's units whose input, forget, output or reset gate stays closed, when last seen.

    Closed is below 0.1 in more than 90 % of rows and time steps. Closed input gates count less what forget gates stay
    open: such a cell averages over a long time.

    Reads: `log.layers[i].gates` after the first update. Unit: share; 0 of modules without gates.
    None if: not replayed after the first update.
    Source: Karpathy, Johnson, Fei-Fei 2015, section 4.2.
    """

    def measure(module: int) -> Measurement:
        plain = view.log.modules[module].kind in ("RNN", "RNNCell")
        return known(0.0) if plain else _of_stuck(view, module, 0)

    return each_module(view, measure)


@signal(unit="slope", by="module", reads=("layers.gates",))
def gate_stuck_slope(view: View) -> dict[str, Measurement]:
    """Mean derivative of that gate by its sum: what share of a gradient gets through.

    Reads: `log.layers[i].gates` after the first update. Unit: slope; 0.25 half open. None if: as gate_stuck_share, or
    without gates.
    """
    return each_module(view, lambda module: _of_stuck(view, module, 1))


@signal(unit="text", by="module", reads=("layers.gates",))
def gate_stuck_name(view: View) -> dict[str, Measurement]:
    """Which gate of which layer that is.

    Reads: `log.layers[i].gates` after the first update. Unit: text. None if: as gate_stuck_slope.
    """
    return each_module(view, lambda module: _of_stuck(view, module, 2))


def _last(view: View, module: int, of: Callable[[Layer], float | None]) -> list[float]:
    """What was last seen of each layer and direction, where it was."""
    last: dict[tuple[int, bool], float] = {}
    for layer in view.log.layers:
        value = of(layer) if layer.module == module else None
        if value is not None:
            last[layer.layer, layer.reverse] = value
    return list(last.values())


def _dead(layer: Layer) -> float | None:
    """Share of its units whose state never changes; None where too few states were looked at, or too early to tell."""
    if layer.dead_share is None and layer.hidden_norm and not any(layer.hidden_norm):
        return 1.0
    return layer.dead_share if layer.step > 1 else None


@signal(unit="share", by="module", reads=("layers.dead_share", "layers.hidden_norm"))
def dead_unit_share(view: View) -> dict[str, Measurement]:
    """Share of a layer's units whose state never changes, of the layer with most of them, when last seen.

    Where too few states were looked at to tell single units, a state that is 0 throughout is dead as a whole.

    Reads: `log.layers[i].dead_share`, `.hidden_norm`, the last of each layer after the first update. Unit: share.
    None if: not replayed after the first update: small weights make small states at first.
    """

    def measure(module: int) -> Measurement:
        return of_all(_last(view, module, _dead), max, _UNSEEN_LATER)

    return each_module(view, measure)


@signal(unit="share", by="module", reads=("layers.dead_share", "layers.hidden_norm"))
def dead_unit_share_lowest(view: View) -> dict[str, Measurement]:
    """Share of units whose state never changes, of the layer that is given the inputs, when last seen.

    The upper layers of a healthy stack say nearly the same for many updates, until those below them tell things apart.

    Reads: as dead_unit_share, of layer 0, of its worse direction. Unit: share. None if: as dead_unit_share.
    """

    def measure(module: int) -> Measurement:
        return of_all(
            _last(view, module, lambda each: None if each.layer else _dead(each)), max, _UNSEEN_LATER
        )

    return each_module(view, measure)


@signal(unit="share", by="module", reads=("layers.dead_share",))
def dead_unit_share_first(view: View) -> dict[str, Measurement]:
    """Share of a layer's units whose state never changed before the first update, of the layer with most of them.

    Reads: `log.layers[i].dead_share` of the first update. Unit: share. None if: not replayed at the first update.
    """

    def measure(module: int) -> Measurement:
        first = _last(view, module, lambda layer: layer.dead_share if layer.step == 1 else None)
        return of_all(first, max, "its gates were not replayed at the first update")

    return each_module(view, measure)


@signal(unit="claim", by="module", reads=("layers.active_share",))
def units_rectified(view: View) -> dict[str, Measurement]:
    """Whether the states of a module pass a ReLU, which is silent for a part of what it is given by design.

    Reads: `log.layers[i].active_share`. Unit: claim. None if: not replayed, or all states were 0.
    """

    def measure(module: int) -> Measurement:
        layers = [layer for layer in view.log.layers if layer.module == module]
        told = any(layer.active_share is not None for layer in layers)
        return known(told, n=len(layers)) if layers else unknown(_UNSEEN)

    return each_module(view, measure)


@signal(unit="share", by="module", reads=("layers.effective_rank",))
def effective_rank(view: View) -> dict[str, Measurement]:
    """How many directions the states of a layer take up, over their largest number, of the layer with fewest, when
    last seen.

    exp of the entropy of the singular values. Low where the task is, too: it supports other signals, and decides
    nothing.

    Reads: `log.layers[i].effective_rank`, the last of each layer. Unit: share. None if: not replayed.
    Source: Roy, Vetterli 2007.
    """

    def measure(module: int) -> Measurement:
        return of_all(_last(view, module, lambda layer: layer.effective_rank), min, _UNSEEN)

    return each_module(view, measure)
