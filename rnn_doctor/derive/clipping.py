"""What clipping makes of the steps."""

from statistics import median

from rnn_doctor.derive.displacement import path_per_step
from rnn_doctor.derive.optimizer import clip_ratio_median
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import NO_STEP, View
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


@signal(unit="share", reads=("steps.clip_scale", "steps.clip_limit"))
def clip_scaled_share(view: View) -> Measurement:
    """Share of the updates with a clip call where GradScaler had not divided the gradients yet.

    Reads: `log.steps[k].clip_scale`, `.clip_limit`. Unit: share; 0 where nothing clips. None if: no step was seen.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    with_clip = [step for step in view.log.steps if step.clip_limit is not None]
    scaled = [step for step in with_clip if step.clip_scale is not None]
    return known(len(scaled) / len(with_clip) if with_clip else 0.0, n=len(with_clip))


@signal(unit="times", reads=("steps.clip_scale",))
def clip_scale_median(view: View) -> Measurement:
    """Median of what the gradients were multiplied by when a clip call was given them before they were divided.

    Reads: `log.steps[k].clip_scale`. Unit: times. None if: no clip call was given such gradients.
    """
    scales = [step.clip_scale for step in view.log.steps if step.clip_scale is not None]
    return known(median(scales), n=len(scales)) if scales else unknown("no scaled gradient was clipped")
