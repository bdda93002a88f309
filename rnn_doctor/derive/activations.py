"""Layers outside of recurrences of which an activation lets nothing through."""

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement

_EARLY = "its activation was not looked at after the first update"

SPEAKS = 0.5
"""Share of silent units up to which a layer speaks: of 168 healthy dense layers up to 0.47 were at the 50th update."""
_NOT_BOTH = "no layer with such an activation was looked at before the first update and later"


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


@signal(unit="share", reads=("activations",))
def layer_silenced(view: View) -> Measurement:
    """The largest silent_unit_share of a layer that spoke before the first update; 0 where none did.

    Half of its units or more: in a fresh layer a third is silent in all of a few rows.

    Reads: `log.activations[i].silent_share`. Unit: share of units.
    None if: no layer was looked at before the first update and later.
    """
    first = {each.name: each.silent_share for each in view.log.activations if each.step == 1}
    found = silent_unit_share(view)
    assert isinstance(found, dict)
    now = {
        name: float(each.value) for name, each in found.items() if each.value is not None and name in first
    }
    spoke = [share for name, share in now.items() if first[name] <= SPEAKS]
    return known(max(spoke, default=0.0), n=len(now)) if now else unknown(_NOT_BOTH)
