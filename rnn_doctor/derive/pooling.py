"""Padding that is pooled with the steps of a sequence: whether the loss takes a maximum or a mean over it."""

from rnn_doctor.derive.reading_out import read_at
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.subjects import each_module, of_all
from rnn_doctor.derive.view import View
from rnn_doctor.schema.recurrence import Padding
from rnn_doctor.schema.signals import Measurement

_UNSEEN = "whether the loss takes the steps together was not seen"


def _paddings(view: View, module: int) -> list[Padding]:
    return [record for record in view.log.paddings if record.module == module]


@signal(unit="name", by="module", reads=("paddings.pooling",))
def padding_pooling(view: View) -> dict[str, Measurement]:
    """How the loss takes the steps of a module together at every sample: maximum, mean, or otherwise.

    Reads: `log.paddings[i].pooling`. Unit: name; "otherwise" where it reads single steps, or weights them.
    None if: no padding was seen, or the run log is older than the measurement.
    """

    def measure(module: int) -> Measurement:
        kinds = {record.pooling for record in _paddings(view, module) if record.pooling}
        if not kinds:
            return unknown(_UNSEEN)
        return known(kinds.pop() if len(kinds) == 1 else "otherwise")

    return each_module(view, measure)


@signal(unit="share", by="module", reads=("paddings.pooled_share",))
def padding_pooled_share(view: View) -> dict[str, Measurement]:
    """Share of what the loss takes together of padded sequences that stands in their padding, at the latest sample.

    Of a maximum the share of units whose largest value does, which grows while the network learns; of a mean the share
    of the steps.

    Reads: `log.paddings[i].pooling`, `.pooled_share`; its location is the read-out's. Unit: share; 0 where the padding
    is masked, or the loss does not take the steps together.
    None if: no padding was seen, or the run log is older than the measurement.
    """

    def measure(module: int) -> Measurement:
        shares = [r.pooled_share or 0.0 for r in _paddings(view, module) if r.pooling is not None]
        measured = of_all(shares[-1:], max, _UNSEEN)
        return measured.model_copy(update={"location": read_at(view, module)})

    return each_module(view, measure)
