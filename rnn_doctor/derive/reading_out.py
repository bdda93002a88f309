"""What the loss reads: padding, the reverse direction, mixed samples."""

from statistics import median

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.recurrence import Mixing, Padding
from rnn_doctor.schema.signals import Measurement

ONE_STEP = 0.999
"""Share of the reverse half's gradient where it has seen a single input; with T equal steps it would be 1 / T."""

_WHAT = {"input": "the input", "output": "the output", "state": "the final state"}


def _paddings(view: View, module: int) -> list[Padding]:
    return [record for record in view.log.paddings if record.module == module]


@signal(unit="share", by="module", reads=("paddings.padded_share",))
def padded_rows_share(view: View) -> dict[str, Measurement]:
    """Share of a module's sequences that end before the time axis does, median over the samples.

    Reads: `log.paddings[i].padded_share`. Unit: share. None if: padding was not looked for, as of single sequences.
    """
    found = {}
    for number, name in view.module_names.items():
        location = view.log.modules[number].location
        shares = [record.padded_share for record in _paddings(view, number)]
        found[name] = (
            known(median(shares), n=len(shares), location=location)
            if shares
            else unknown("the padding of its sequences was not looked at", location=location)
        )
    return found


@signal(unit="share", by="module", reads=("paddings.read_share", "paddings.unread_share"))
def padding_misread_share(view: View) -> dict[str, Measurement]:
    """Share of what the loss takes from a module that lies beyond the ends of its sequences; the least of all samples.

    Of packed sequences, whose output is zero there: the share of rows from which the loss takes nothing.

    Reads: `log.paddings[i].read_share`, `.unread_share`. Unit: share. None if: the read-out was not seen.
    """
    found = {}
    for number, name in view.module_names.items():
        location = view.log.modules[number].location
        shares = [
            share
            for record in _paddings(view, number)
            if (share := record.unread_share if record.packed else record.read_share) is not None
        ]
        found[name] = (
            known(min(shares), n=len(shares), location=location)
            if shares
            else unknown("whether the loss reads padding was not seen", location=location)
        )
    return found


@signal(unit="claim", by="module", reads=("readouts.reverse_last_share", "modules"))
def reverse_reads_one_step(view: View) -> dict[str, Measurement]:
    """Whether the loss reads the reverse direction only where it has seen a single input, at every sample.

    Reads: `log.readouts[i].reverse_last_share` of sequences longer than a step. Unit: claim; False of one direction.
    None if: the read-out of the reverse direction was not seen.
    """
    found = {}
    for number, name in view.module_names.items():
        module = view.log.modules[number]
        shares = [
            r.reverse_last_share
            for r in view.log.readouts
            if r.module == number and r.time > 1 and r.reverse_last_share is not None
        ]
        if not module.bidirectional:
            found[name] = known(False, location=module.location)
        elif shares:
            one = all(share > ONE_STEP for share in shares)
            found[name] = known(one, n=len(shares), location=module.location)
        else:
            reason = "how the loss reads its reverse direction was not seen"
            found[name] = unknown(reason, location=module.location)
    return found


def _mixing(view: View, module: int) -> Mixing | None:
    """The view to name: one whose line is known, where there is one."""
    records = [record for record in view.log.mixings if record.module == module]
    return next((r for r in records if r.location), records[0] if records else None)


@signal(unit="claim", by="module", reads=("mixings", "batches"))
def batch_mixed_by_view(view: View) -> dict[str, Measurement]:
    """Whether a view takes numbers of one sample for those of another, on the way to or from a module.

    Reads: `log.mixings`. Unit: claim; its location is the view's. None if: the module was not called in a sampled
    step.
    """
    found = {}
    for number, name in view.module_names.items():
        module, record = view.log.modules[number], _mixing(view, number)
        if record is not None:
            found[name] = known(True, location=record.location or module.location)
        elif view.batches[number]:
            found[name] = known(False, n=len(view.batches[number]), location=module.location)
        else:
            found[name] = unknown("its calls were not looked at", location=module.location)
    return found


@signal(unit="name", by="module", reads=("mixings",))
def batch_mixed_by_view_name(view: View) -> dict[str, Measurement]:
    """What the view that mixes samples takes for what, in words.

    Reads: `log.mixings`. Unit: name. None if: no view mixes samples.
    """
    found = {}
    for number, name in view.module_names.items():
        record = _mixing(view, number)
        found[name] = (
            known(f"{_WHAT[record.what]} {record.shape} as {record.viewed}")
            if record
            else unknown("no view mixes samples")
        )
    return found
