"""Records of trials: what a copy of the network did where something was changed."""

from typing import Literal

from rnn_doctor.schema.validating import ExampleLosses, Rise
from rnn_doctor.schema.values import Frozen, Number

ArmName = Literal["own", "rate_x10", "rate_x0.1", "rate_x100", "adam", "fresh", "fresh_adam"]


class BatchFit(Frozen):
    """One arm of the test whether the network learns one fixed batch, made in a copy of the process.

    All arms of a log begin at the same update, with the same batch, the same random numbers and, but for `fresh`
    ones, the same weights.
    """

    record: Literal["batch_fit"]
    step: int
    """The update whose batch it is."""
    arm: ArmName
    """`own`: as the script does it, at the highest rate that its schedule is known to reach. Else what was changed:
    the learning rate; Adam at its default rate; weights drawn anew as torch does by default; the last two together."""
    rate: Number | None = None
    """Learning rate of the first group of parameters."""
    losses: tuple[Number, ...] = ()
    """The batch's before each update and after the last: of 50 at most, fewer where it was learned before."""
    learned: bool = False
    """The loss has come down by half."""
    share: Number | None = None
    """Of fresh weights: the share of all numbers that was drawn anew; other modules have no default."""
    absent: str | None = None
    """Why the arm was not tried, as a clause."""


class Look(Frozen):
    """What a copy that learns without a part of the training examples makes of both, in evaluation mode."""

    step: int
    """Updates of the copy."""
    examples: ExampleLosses
    """Of the examples that were kept from it."""
    trained: ExampleLosses
    """Of those that it learns from."""
    rise: Rise | None = None
    """How far the former lie above what they were at the best look before; steps are the copy's."""


class Withheld(Frozen):
    """A copy of the network that learned the training data anew without some of the examples, and how it did on them.

    Made where the script had not validated by the end of the observation. The copy begins with the script's first
    weights and makes as many updates as the script, by its optimizer, rates and clipping, as far as time allows.
    """

    record: Literal["withheld"]
    step: int
    """The script's last update."""
    batches: int | None = None
    """Of the pass over the data that the copy learned from, again and again."""
    examples: int | None = None
    """In these batches."""
    left_out: int | None = None
    """How many of them were kept from the copy, drawn at random."""
    looks: tuple[Look, ...] = ()
    """At both parts, at even intervals."""
    absent: str | None = None
    """Why there was no such copy, as a clause."""
