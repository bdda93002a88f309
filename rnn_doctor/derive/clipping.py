"""What clipping makes of the steps."""

from rnn_doctor.derive.displacement import path_per_step
from rnn_doctor.derive.optimizer import clip_ratio_median
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement


@signal(
    unit="ratio per update",
    reads=("samples", "parameters", "steps.lr", "steps.grad_norm", "steps.clipped_norm"),
)
def path_unclipped(view: View) -> Measurement:
    """Length of an update that the same gradients would have made unclipped, if the update follows their size.

    Tells small steps that clipping made from those of a small learning rate.

    Reads: as path_per_step and clip_ratio_median. Unit: ratio per update; path_per_step where nothing
    clips. None if: as these, or the gradients were clipped to nothing.
    """
    made, ratio = path_per_step(view), clip_ratio_median(view)
    assert isinstance(made, Measurement)
    assert isinstance(ratio, Measurement)
    if made.value is None or ratio.value is None:
        return unknown(made.absent or ratio.absent or "")
    if not ratio.value:
        return unknown("the gradients were clipped to nothing")
    return known(float(made.value) / float(ratio.value), n=made.n)
