"""How much was seen."""

from rnn_doctor.derive import foreign_logs
from rnn_doctor.derive.registry import known, signal
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement


@signal(unit="updates", reads=("steps",))
def steps_observed(view: View) -> Measurement:
    """Number of parameter updates seen, of all optimizers.

    Reads: `log.steps`. Unit: updates. None if: a foreign log does not count them.
    """
    counted = foreign_logs.steps_counted(view)
    if counted is not None:
        return counted
    return known(view.log.steps_seen or len(view.log.steps), n=len(view.log.steps))
