"""Layers outside of recurrences of which an activation lets nothing through."""

from rnn_doctor.derive.registry import known, signal
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement

SILENT = 0.95
"""Share of a layer's units that say nothing from which on it counts as dead: single units of a sound layer do so, and
those of a dead one begin to speak by noise alone."""


def silent_layers(view: View) -> dict[str, Measurement]:
    """By the name of each layer that is dead: the share of its units of which nothing but 0 is left.

    Whenever it was looked at after the first update, and then in all rows.
    """
    shares: dict[str, list[float]] = {}
    units: dict[str, int] = {}
    for activation in view.log.activations:
        if activation.step > 1:
            shares.setdefault(activation.name, []).append(activation.silent_share)
            units[activation.name] = activation.units
    return {name: known(min(each), n=units[name]) for name, each in shares.items() if min(each) >= SILENT}


@signal(unit="claim", by="module", reads=("activations", "modules"))
def lets_nothing_through(view: View) -> dict[str, Measurement]:
    """Whether a subject is a layer outside of recurrences whose activation leaves nothing but 0.

    Layers of which some units speak are no subjects: a good part of a sound layer may be silent.

    Reads: `log.activations[i].silent_share`. Unit: claim; False of recurrent modules. None if: never.
    """
    recurrent = {
        name: known(False, location=view.log.modules[number].location)
        for number, name in view.module_names.items()
    }
    silent = {name: known(True, n=measured.n) for name, measured in view.once(silent_layers).items()}
    return silent | recurrent
