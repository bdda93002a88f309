"""Records of trials: what a copy of the network did where something was changed."""

from typing import Literal

from rnn_doctor.schema.validating import ExampleLosses, Rise
from rnn_doctor.schema.values import Frozen, Number

ArmName = Literal["own", "rate_x10", "rate_x0.1", "rate_x100", "adam", "fresh", "fresh_adam"]


class Intervention(Frozen):
    """What a trial changed of the run, which otherwise was the script's own."""

    record: Literal["intervention"]
    step: int
    name: str
    """`none` in the runs that the others are held against."""
    applied: int
    """Updates, calls or tensors that it changed; what it never met was not tried."""


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
    """What copies that learn without a part of the training examples each make of all, in evaluation mode."""

    step: int
    """Updates of each copy."""
    examples: ExampleLosses
    """By the copy that the example was kept from."""
    trained: ExampleLosses
    """By the copies that learned from it, their mean."""
    rise: Rise | None = None
    """How far the former lie above what they were at the best look before; steps are the copies'."""


class Withheld(Frozen):
    """Copies of the network that learned the training data anew, each without another part of the examples.

    Made where the script had not validated by the end of the observation. A copy begins with the script's first
    weights and makes as many updates as the script, by its optimizer, rates and clipping, as far as time allows.
    """

    record: Literal["withheld"]
    step: int
    """The script's last update."""
    batches: int | None = None
    """Of the pass over the data that the copies learned from, again and again."""
    examples: int | None = None
    """In these batches."""
    folds: int | None = None
    """Parts that the examples were shared out to at random, and copies, each of which did without one of them."""
    looks: tuple[Look, ...] = ()
    """At even intervals."""
    absent: str | None = None
    """Why there were no such copies, as a clause."""
