"""Whether the network can learn one fixed batch, and what helps it where it cannot (`--deep`)."""

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement
from rnn_doctor.schema.trials import BatchFit

UNASKED = "whether one batch can be learned was not tried (--deep tries it)"
_FURTHER = 0.85
"""Share of the loss that an arm leaves at most where its change helps."""
_STANDS = 0.9
"""Share that it leaves at least where it has come to nothing."""
_RATES = ("rate_x10", "rate_x0.1", "rate_x100", "adam")


def _arms(view: View) -> dict[str, BatchFit]:
    return {fit.arm: fit for fit in view.log.batch_fits}


def _own(view: View) -> BatchFit | Measurement:
    """The arm of the script's own settings, or why there is none."""
    own = _arms(view).get("own")
    if own is None:
        return unknown(UNASKED, option="--deep")
    if own.absent is not None or not own.losses:
        return unknown(
            f"whether one batch can be learned could not be tried: {own.absent or 'nothing came of it'}"
        )
    return own


@signal(unit="claim", reads=("batch_fits",))
def batch_learned(view: View) -> Measurement:
    """Whether a copy of the network halved the loss of one fixed batch in 50 updates by the script's own settings.

    Reads: `log.batch_fits[i].learned` of the arm `own`. Unit: claim.
    None if: not asked for, not possible, or the loss is not above 0, so that it has no half.
    """
    return _learned(view)


def _learned(view: View) -> Measurement:
    own = _own(view)
    if isinstance(own, Measurement):
        return own
    if not own.losses[0] > 0:
        return unknown("the loss of the batch is not above 0, so that it has no half")
    return known(own.learned, n=len(own.losses) - 1)


@signal(unit="loss", reads=("batch_fits",))
def batch_loss_first(view: View) -> Measurement:
    """Loss of the fixed batch before the copy made its first update.

    Reads: `log.batch_fits[i].losses[0]` of the arm `own`. Unit: that of the loss. None if: as `batch_learned`.
    """
    own = _own(view)
    return own if isinstance(own, Measurement) else known(own.losses[0])


@signal(unit="loss", reads=("batch_fits",))
def batch_loss_last(view: View) -> Measurement:
    """Loss of the fixed batch after the copy's last update, by the script's own settings.

    Reads: `log.batch_fits[i].losses[-1]` of the arm `own`. Unit: that of the loss. None if: as `batch_learned`.
    """
    own = _own(view)
    return own if isinstance(own, Measurement) else known(own.losses[-1], n=len(own.losses) - 1)


@signal(unit="updates", reads=("batch_fits",))
def batch_updates(view: View) -> Measurement:
    """Updates that the copy made on the fixed batch: 50, or fewer where it had halved the loss before.

    Reads: `log.batch_fits[i].losses` of the arm `own`. Unit: updates. None if: as `batch_learned`.
    """
    own = _own(view)
    return own if isinstance(own, Measurement) else known(len(own.losses) - 1)


@signal(unit="share", reads=("batch_fits",))
def batch_loss_left(view: View) -> Measurement:
    """Share of the fixed batch's loss that is left after the copy's last update, by the script's own settings.

    Reads: `log.batch_fits[i].losses` of the arm `own`. Unit: share; a copy stops at a half.
    None if: as `batch_learned`.
    """
    own = _own(view)
    if isinstance(own, Measurement):
        return own
    if not own.losses[0] > 0:
        return unknown("the loss of the batch is not above 0")
    return known(own.losses[-1] / own.losses[0], n=len(own.losses) - 1)


@signal(unit="name", reads=("batch_fits",))
def batch_cause(view: View) -> Measurement:
    """What keeps the network from learning one fixed batch, by the change with which a copy gets further.

    `none` where it learns it as it is; `step_size` where another rate or Adam gets further from its own weights;
    `initialization` where only weights drawn anew do; `either` where both do, each by itself; `wiring` where no change
    brings the loss down even by a tenth: the loss, the architecture or what the optimizer holds; `open` in between.
    All arms begin at the same update, with the same batch. To get further is to leave 0.85 of the loss at most, of
    what the script's own settings began with or ended with.

    Reads: `log.batch_fits[i].arm`, `.losses`. Unit: name. None if: as `batch_learned`, or where arms are missing.
    """
    learned = _learned(view)
    if learned.value is None:
        return learned
    cause = "none" if learned.value else _cause(_arms(view))
    return (
        known(cause)
        if cause
        else unknown("the time for trials was over before a change that helps was found")
    )


def _cause(arms: dict[str, BatchFit]) -> str | None:
    """By the arms besides the own one; None where one is missing that might have helped."""
    level = min(arms["own"].losses[0], arms["own"].losses[-1])
    tried = {name: arm.losses[-1] / level for name, arm in arms.items() if name != "own" and arm.losses}
    helped = {name for name, left in tried.items() if left <= _FURTHER}
    if "fresh" in helped:
        return "either" if helped & set(_RATES) else "initialization"
    if helped & set(_RATES):
        return "step_size"
    if "fresh_adam" in helped:
        return "initialization"
    if tried.keys() < {*_RATES, "fresh", "fresh_adam"}:
        return None
    return "open" if min(tried.values()) < _STANDS else "wiring"
