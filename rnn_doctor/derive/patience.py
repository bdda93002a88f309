"""Schedulers that lower the rate where the loss stands still, and are told the loss of every single batch."""

import math

from rnn_doctor.derive.data_size import batches_a_pass
from rnn_doctor.derive.rate_decay import GONE
from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.built import Plateau
from rnn_doctor.schema.signals import Measurement

_EACH = 0.9
"""Calls an update from which on it is called at every one."""


@signal(unit="updates", by="optimizer", reads=("plateaus", "loaders", "batch_orders"))
def plateau_updates(view: View) -> dict[str, Measurement]:
    """Updates without a new lowest loss after which a ReduceLROnPlateau has left a hundredth of the rate.

    Its patience counts calls of its step(): where it is called after every update they are single batches, whose
    losses scatter. 22 with the patience of 10 and the factor of 0.1 that it has by default.

    Reads: `log.plateaus[i]`, `log.loaders[id]`, `log.batch_orders[-1]`. Unit: updates. None if: none was called, or it
    was once an epoch; it keeps a hundredth of the rate or more; or one batch holds all the data, or may.
    """
    last = {each.scheduler: each for each in view.log.plateaus}
    return {
        name: _of(view, own[-1])
        for number, name in view.optimizer_names.items()
        if (own := [each for each in last.values() if each.optimizer in (None, number)])
    }


def _of(view: View, plateau: Plateau) -> Measurement:
    if not view.log.steps:
        return unknown(NO_STEP)
    if plateau.calls < _EACH * plateau.step:
        return unknown("the scheduler is not told the loss of every batch", location=plateau.location)
    if plateau.floor >= GONE or not 0 < plateau.factor < 1:
        return unknown("the scheduler keeps a hundredth of the rate or more", location=plateau.location)
    if not _batches_differ(view):
        return unknown("one batch may hold all training data", location=plateau.location)
    falls = math.ceil(math.log(GONE) / math.log(plateau.factor))
    return known((plateau.patience + 1) * falls, n=plateau.calls, location=plateau.location)


def _batches_differ(view: View) -> bool:
    """Whether a batch is known to be a part of the training data alone."""
    batches = view.once(batches_a_pass)
    if not isinstance(batches, str):
        return batches > 1
    order = view.log.batch_orders[-1] if view.log.batch_orders else None
    if order is None or order.same:
        return False
    returns = 2 * (order.different or 0) <= order.looked  # each sequence, as of a batch that is all the data
    return bool(order.distance) or not returns
