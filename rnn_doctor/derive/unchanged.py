"""Why weights that an optimizer holds stay exactly as they were."""

from collections.abc import Iterator

from rnn_doctor.derive.parameters import (
    optimizer_never_steps,
    output_cut_off,
    rate_stays_zero,
    reverse_alone_unchanged,
    runs_without_gradients,
    unchanged_tensors,
    unchanged_weightless,
)
from rnn_doctor.derive.reading_out import part_unread
from rnn_doctor.derive.registry import known, signal
from rnn_doctor.derive.stillness import nothing_moves
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement

_CLAIMS = (
    ("weightless", unchanged_weightless),
    ("no_grad", runs_without_gradients),
    ("cut_off", output_cut_off),
    ("unread", part_unread),
    ("unread", reverse_alone_unchanged),
    ("rate_0", rate_stays_zero),
    ("never_steps", optimizer_never_steps),
)
"""In the order in which one of them is told."""


@signal(unit="text", by="module", reads=("parameters", "samples", "steps.lr", "steps.optimizers", "modules"))
def unchanged_cause(view: View) -> dict[str, Measurement]:
    """Why a module's weight matrices that `unchanged_tensors` counts stay as they were.

    Where no tensor of any optimizer moves, what `nothing_moves` says; else `weightless`, `no_grad`, `cut_off`,
    `unread`, `rate_0` or `never_steps`, after the claims of these; `other` where no reason is known.

    Reads: what these signals read. Unit: text. None if: none stayed as it was, or as unchanged_tensors.
    """
    counts = unchanged_tensors(view)
    assert isinstance(counts, dict)
    found = {}
    for owner, count in counts.items():
        cause = next(_causes(view, owner), "other")
        found[owner] = count if count.absent else known(cause, n=count.n, location=count.location)
    return found


def _causes(view: View, owner: str) -> Iterator[str]:
    of_all = nothing_moves(view)
    assert isinstance(of_all, Measurement)
    if of_all.value not in (None, "other"):
        yield str(of_all.value)
    for cause, claim in _CLAIMS:
        measured = claim(view)
        assert isinstance(measured, dict)
        if owner in measured and measured[owner].value is True:
            yield cause
