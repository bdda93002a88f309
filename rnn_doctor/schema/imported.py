"""The record of a log of metrics that another library wrote: what was read of it as what."""

from typing import Literal

from rnn_doctor.schema.values import Frozen

Role = Literal["train_loss", "val_loss", "learning_rate", "grad_norm"]
Axis = Literal["update", "epoch", "row"]


class Column(Frozen):
    """A column (tag, key) of the log that is used."""

    role: Role
    name: str
    """As it stands in the log."""
    values: int
    """How many it holds."""
    guessed: bool = True
    """By its name; otherwise the user said so."""


class ForeignLog(Frozen):
    """A log of metrics, as it was understood."""

    format: str
    """What wrote it, e.g. `TensorBoard`."""
    axis: Axis
    """What its steps count: updates of the parameters, epochs, or rows where it says neither."""
    spacing: int = 1
    """Median distance of two training losses (gradient norms, rates) on that axis; 1 is every step."""
    epochs: int | None = None
    """Passes over the training data that were begun; None where the log does not count them."""
    columns: tuple[Column, ...]
    unused: tuple[str, ...] = ()
    """Columns that are not used, up to a hundred."""
    doubts: tuple[str, ...] = ()
    """Where more than one reading was possible: sentences on what was taken, or not taken, and why."""


class Imported(ForeignLog):
    """In the place of all that a probe would have seen: the log was written by another library."""

    record: Literal["imported"]
