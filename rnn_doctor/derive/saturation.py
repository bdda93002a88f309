"""What gates and units do: saturated before learning began, dead at the end."""

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import each_module, of_all
from rnn_doctor.derive.view import View
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
_UNSEEN = "its gates were not replayed"


def _harmful(layer: Layer, relu: bool) -> dict[str, float]:
    """Share of each gate that is saturated on the side where it does harm.

    A forget or update gate that is open keeps the state: that is memory. A closed input gate does harm unless the
    forget gate is as open, when the cell averages over a long time (Tallec, Ollivier 2018).
    """
    gates = {gate.name: gate for gate in layer.gates}
    found: dict[str, float] = {gate.name: gate.low for gate in layer.gates if gate.name in ("f", "o", "r")}
    if "i" in gates:
        found["i"] = max(0.0, gates["i"].low - gates["f"].high)
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


@signal(unit="share", by="module", reads=("layers.gates",))
def gate_saturation_start(view: View) -> dict[str, Measurement]:
    """Largest share of one gate of one layer that is saturated on its harmful side before the first update.

    Closed input, forget, output and reset gates, and candidates or tanh states beyond 0.97; an open forget or
    update gate is memory and does not count.

    Reads: `log.layers[i].gates` of step 1. Unit: share of rows, time steps and units. None if: not replayed.
    Source: Karpathy, Johnson, Fei-Fei 2015, section 4.2.
    """

    def measure(module: int) -> Measurement:
        worst = _worst(view, module)
        return known(worst[0], n=worst[2]) if worst else unknown(_UNSEEN)

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


@signal(unit="share", by="module", reads=("layers.dead_share",))
def dead_unit_share(view: View) -> dict[str, Measurement]:
    """Share of a layer's units whose state never changes, of the layer with most of them, when last seen.

    Reads: `log.layers[i].dead_share`, the last of each layer. Unit: share. None if: not replayed.
    """

    def measure(module: int) -> Measurement:
        last = {
            (r.layer, r.reverse): r.dead_share
            for r in view.log.layers
            if r.module == module and r.dead_share is not None
        }
        return of_all(list(last.values()), max, _UNSEEN)

    return each_module(view, measure)
