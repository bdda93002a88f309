"""Layers outside of recurrences of which an activation lets nothing through."""

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement

_EARLY = "its activation was not looked at after the first update"


@signal(unit="share", by="module", reads=("activations",))
def silent_unit_share(view: View) -> dict[str, Measurement]:
    """Share of a layer's units of which its activation leaves nothing but 0, in all rows, the least of all looks.

    Of layers outside of recurrences, behind which a ReLU or one of its kin stands. Small weights may keep all units
    below zero at first, so that the first update does not count.

    Reads: `log.activations[i].silent_share`. Unit: share of units. None if: not looked at after the first update.
    Source: Maas, Hannun, Ng 2013.
    """
    shares: dict[str, list[float]] = {}
    for activation in view.log.activations:
        later = shares.setdefault(activation.name, [])
        if activation.step > 1:
            later.append(activation.silent_share)
    return {
        name: known(min(later), n=len(later)) if later else unknown(_EARLY) for name, later in shares.items()
    }
