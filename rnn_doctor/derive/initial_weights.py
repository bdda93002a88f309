"""The recurrent weights before the first update."""

import math

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement


@signal(unit="ratio", by="module", reads=("initial_weights",))
def unit_asymmetry_min(view: View) -> dict[str, Measurement]:
    """How far the hidden units of the most uniform layer differ: ||W - mean over units|| / ||W||.

    Reads: `log.initial_weights[i].asymmetry`. Unit: ratio; 0 where all units are copies of one another.
    None if: the initial weights were not seen (TorchScript, hand-written cells).
    """
    found = {}
    for number, name in view.module_names.items():
        values = [w.asymmetry for w in view.log.initial_weights if w.module == number]
        numbers = [v for v in values if math.isfinite(v)]
        location = view.log.modules[number].location
        found[name] = (
            known(min(numbers), n=len(numbers), location=location)
            if numbers
            else unknown("its initial weights were not seen", location=location)
        )
    return found
