"""How much was seen."""

from rnn_doctor.derive.registry import known, signal
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement


@signal(unit="updates", reads=("steps",))
def steps_observed(view: View) -> Measurement:
    """Number of parameter updates seen, of all optimizers.

    Reads: `log.steps`. Unit: updates. None if: never.
    """
    return known(len(view.log.steps), n=len(view.log.steps))
