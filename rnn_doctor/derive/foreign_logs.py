"""What can be measured of a log of metrics that another library wrote, and the one reason of all that cannot."""

from rnn_doctor.derive.registry import known, unknown
from rnn_doctor.derive.view import View
from rnn_doctor.schema.imported import Role
from rnn_doctor.schema.signals import Measurement

METRICS_ALONE = "the log holds metrics alone: no gradients, weights or activations of the network"

_WORDS: dict[Role, str] = {
    "train_loss": "training loss",
    "val_loss": "validation loss",
    "learning_rate": "learning rate",
    "grad_norm": "gradient norm",
}
_BOTH: tuple[Role, ...] = ("val_loss", "train_loss")

MEASURED: dict[str, tuple[Role, ...]] = {
    "steps_observed": (),
    "data_repeated": ("train_loss",),
    "evaluations_observed": ("val_loss",),
    "watched_to_the_end": (),
    "overfitting_outlook": ("val_loss",),
    "validation_rise": ("val_loss",),
    "validation_trend_z": ("val_loss",),
    "validation_best": ("val_loss",),
    "validation_lost": ("val_loss",),
    "training_trend": _BOTH,
    "gap_growth": _BOTH,
    "validation_rise_early": _BOTH,
    "training_fall_since_best": _BOTH,
    "overfitting_basis": ("val_loss",),
    "validation_rise_z": ("val_loss",),
    "validation_rise_is_sure": ("val_loss",),
    "validation_lasting_rise": ("val_loss",),
    "validation_stays_up": ("val_loss",),
    "leaves_training_behind": _BOTH,
    "validation_parting": _BOTH,
    "validation_turns": _BOTH,
    "memorizing_parting": _BOTH,
    "memorizing_turns": _BOTH,
    "memorizing_basis": ("val_loss",),
    "loss_rise_max": ("train_loss",),
    "loss_end_ratio": ("train_loss",),
    "loss_halved_steadily": ("train_loss",),
    "loss_fall": ("train_loss",),
    "loss_halved": ("train_loss",),
    "training_halved": ("train_loss",),
    "loss_fall_late": ("train_loss",),
    "non_finite_found": ("train_loss",),
    "non_finite_origin": ("train_loss",),
    "non_finite_step": ("train_loss",),
    "non_finite_when": ("train_loss",),
    "grad_norm_spike_max": ("grad_norm",),
    "grad_norm_spike_count": ("grad_norm", "train_loss"),
    "lr_remaining_min": ("learning_rate",),
    "lr_starved_share": ("learning_rate",),
    "lr_decays_away": ("learning_rate",),
}
"""The signals that mean the same of logged rows as of single updates, with the columns that each needs.

All others are absent: most read what such a log has not, and some look at neighbouring updates, which rows are not.
"""


def lacks(view: View, name: str) -> str | None:
    """Why a foreign log does not hold what a signal needs; None where it does, or where the log is our own."""
    source = view.log.imported
    if source is None:
        return None
    if name not in MEASURED:
        return METRICS_ALONE
    have = {column.role for column in source.columns}
    missing = [_WORDS[role] for role in MEASURED[name] if role not in have]
    return f"the log holds no {' and no '.join(missing)}" if missing else None


def unseen_between(view: View, what: str) -> str | None:
    """Why nothing that is found in a log of rows does not mean that nothing was there; None where rows are updates."""
    source = view.log.imported
    if source is None or (source.axis == "update" and source.spacing == 1):
        return None
    if source.axis == "row":
        return f"the log does not say whether it holds the {what} of every update"
    every = "every epoch" if source.axis == "epoch" else f"one of {source.spacing} updates"
    return f"the log holds the {what} of {every} alone"


def sparse(measured: Measurement, view: View, name: str) -> Measurement:
    """The measurement, or that it is not known where it says that nothing happened, and rows do not show all."""
    if name != "grad_norm_spike_count" or measured.value:
        return measured
    reason = unseen_between(view, "gradient norm")
    return unknown(reason) if reason and measured.value is not None else measured


def steps_counted(view: View) -> Measurement | None:
    """How far a foreign log goes, in updates, where it counts these; None of our own logs."""
    source = view.log.imported
    if source is None:
        return None
    if source.axis != "update":
        return unknown("the log does not count updates")
    numbers = [*(step.step for step in view.log.steps), *(each.step for each in view.log.evaluations)]
    return known(max(numbers, default=0), n=len(view.log.steps))
