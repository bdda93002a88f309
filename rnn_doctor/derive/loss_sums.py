"""Whether the training loss is a mean over the time steps, or their sum."""

import math
from statistics import median

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.wiring import LossSum

_CLOSE = 1e-3
"""Relative difference at which two numbers of losses are the same: they are sums in single precision."""


@signal(unit="steps", reads=("loss_sums", "batches"))
def loss_summed_steps(view: View) -> Measurement:
    """Over how many time steps the training loss adds up, median over the samples; 1 where it is their mean.

    The update's loss over the mean loss of one target is 1 of a mean. It counts as a sum over time where it is the
    number of a recurrent module's time steps in the same update, alone or times the number of sequences or of all
    other targets of a step. A sum over the sequences alone is none over time.

    Reads: `log.loss_sums[i]`, `log.batches[i].time`, `.calls`, `.batch` of the same update. Unit: time steps.
    None if: no loss function of torch made the loss, in a single backward pass an update, or it is made otherwise,
    as of several losses or with a penalty.
    """
    counts = view.once(_counts)
    if isinstance(counts, str):
        return unknown(counts)
    places = [call.location for call in view.log.losses if call.location is not None]
    return known(median(counts), n=len(counts), location=places[0] if places else None)


def _counts(view: View) -> list[int] | str:
    """Time steps that the loss of each sampled update adds up, or why that is not known."""
    if not view.log.steps:
        return NO_STEP
    if not view.log.loss_sums:
        return "its loss was not seen to come from loss functions of torch in one backward pass"
    found = [_summed(view, record) for record in view.log.loss_sums]
    counts = [count for count in found if count is not None]
    if len(counts) < len(found):
        return "how its loss is made of the losses of single targets was not seen"
    return counts


def _summed(view: View, record: LossSum) -> int | None:
    """Time steps that the loss of one update adds up; None where it is neither their sum nor a mean."""
    if not math.isfinite(record.loss) or not record.mean or not math.isfinite(record.mean):
        return None
    ratio = record.loss / record.mean
    if math.isclose(ratio, 1, rel_tol=_CLOSE):
        return 1
    sequences = {1}
    for batch in view.log.batches:
        if batch.step != record.step:
            continue
        sequences.add(batch.batch)
        if batch.time > 1 and math.isclose(batch.calls, ratio, rel_tol=_CLOSE):
            return 1  # one call for each sequence
        if record.targets <= batch.batch:
            continue  # one target for each sequence
        steps = batch.time if batch.time > 1 else batch.calls
        beside = {1, batch.batch, record.targets / steps, record.targets / steps / batch.batch}
        if steps > 1 and any(math.isclose(ratio, steps * n, rel_tol=_CLOSE) for n in beside if n >= 1):
            return steps
    return 1 if any(math.isclose(ratio, n, rel_tol=_CLOSE) for n in sequences) else None


@signal(unit="ratio", reads=("loss_sums", "batches"))
def loss_summed_spread(view: View) -> Measurement:
    """Largest over smallest number of time steps that the training loss adds up, over the samples.

    Reads: as loss_summed_steps. Unit: ratio; 1 where all updates have the same length.
    None if: as loss_summed_steps.
    """
    counts = view.once(_counts)
    return unknown(counts) if isinstance(counts, str) else known(max(counts) / min(counts), n=len(counts))
