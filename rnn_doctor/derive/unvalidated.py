"""Why no validation was seen, and which option or line would bring one within the observation."""

import math

from rnn_doctor.schema.runlog import RunLog
from rnn_doctor.schema.validating import EarlyValidation

NONE_SEEN = "no validation loss was computed while the script was watched"
_BEYOND = 10
"""Updates after an epoch, so that what learns on after its validation is seen too."""
_ENDLESS = 1_000_000
"""Batches of an epoch that nobody waits for: a sampler that draws for ever says so by a huge number."""

_WHY = {
    "off": "--validate off left the epoch as it is",
    "by_hand": "the script makes its batches by hand, so that no epoch can be ended early",
    "by_next": "the script takes its batches by next(), so that no epoch can be ended early",
    "not_expected": "nothing in it showed that one would come",
    "ranks": "several ranks cannot end an epoch at the same batch",
    "ended": "its epoch was ended early, and none followed",
    "failed": "its epoch was ended early, and the script failed afterwards",
}


def why_none(log: RunLog) -> str:
    """The reason, as a clause, with what would help."""
    early = log.early_validation
    if early is None:
        return NONE_SEEN
    error = f" ({early.error})" if early.error else ""
    return f"{NONE_SEEN}: {_WHY[early.outcome]}{error}; {_advice(early, log)}"


def _advice(early: EarlyValidation, log: RunLog) -> str:
    """The option that helps where one does: more steps, or the default of --validate."""
    needed = _updates_of_an_epoch(early, log)
    if needed is not None:
        seen = f"an epoch has {early.epoch} batches, {early.given} of which were seen"
        return f"{seen}: use --steps {needed + _BEYOND} to observe what comes after it"
    if early.outcome == "off":
        return "leave --validate at auto"
    if early.outcome in ("by_hand", "by_next"):
        return f"if it validates later, use more --steps than {early.step}, or validate every few updates"
    return "if it does validate, use --steps to observe beyond its first validation, or --steps all"


def more_of_them(log: RunLog, needed: int) -> str:
    """What brings so many validations within the observation, as a clause; nothing where that is not known.

    Where the epoch was ended early for the one that was seen, they would come one an epoch.
    """
    early = log.early_validation
    if (
        early is None
        or early.outcome != "ended"
        or not early.epoch
        or early.epoch > _ENDLESS
        or not log.steps
    ):
        return ""
    updates = math.ceil(needed * early.epoch / log.steps[-1].backwards) + _BEYOND
    return f"; an epoch has {early.epoch} batches: use --steps {updates}, or --steps all"


def _updates_of_an_epoch(early: EarlyValidation, log: RunLog) -> int | None:
    """The update that ends the epoch under way, where the loader tells its length."""
    if early.outcome in ("ended", "failed") or not early.epoch or early.given is None or not log.steps:
        return None
    if early.epoch > _ENDLESS:
        return None
    left = early.epoch - early.given
    return early.step + math.ceil(left / log.steps[-1].backwards) if left > 0 else None
