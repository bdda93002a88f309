"""How much of a loss by step is padding that is compared with padding."""

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import each_module
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement

MASKED = 0.01
"""Share of the gradient in padding at the first update, below which a script leaves it out by a mask of its own."""


@signal(unit="share", by="module", reads=("copied_targets", "paddings.read_share"))
def padding_in_loss(view: View) -> dict[str, Measurement]:
    """Share of the targets of a module's steps that are padding, where the loss takes the outputs there.

    Rows of different lengths end in one token and one target again and again, and the loss leaves neither out: not by
    ignore_index, nor by a mask, through which no gradient comes.

    Reads: `log.copied_targets[i].idle`; `log.paddings[i].read_share` of the first update. Unit: share. None if: the
    targets were not held against the inputs, or either are no tokens, or what the loss takes was not seen.
    """

    def measure(module: int) -> Measurement:
        record = next((r for r in view.log.copied_targets if r.module == module), None)
        if record is None or record.idle is None:
            return unknown("tokens and targets of its steps were not held against each other")
        if record.idle == 0:
            return known(0.0, n=record.targets)
        read = next((p.read_share for p in view.log.paddings if p.module == module), None)
        if read is None:
            return unknown("whether the loss takes what stands in padding was not seen")
        return known(record.idle if read > MASKED else 0.0, n=record.targets)

    return each_module(view, measure)
