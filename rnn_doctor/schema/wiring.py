"""Records of how a training is put together: the modes of its modules."""

from typing import Literal

from rnn_doctor.schema.values import Frozen, Location


class Mode(Frozen):
    """Which of the trained network's modules that act in training alone are in training mode.

    Written of the first update, and of each from which on it differs; the lists run parallel.
    """

    record: Literal["mode"]
    step: int
    """The first update of which this holds: of all its backward passes."""
    names: tuple[str, ...] = ()
    kinds: tuple[Literal["dropout", "batch_norm"], ...] = ()
    training: tuple[bool, ...] = ()
    others: bool | None = None
    """Whether any other trained module is in training mode; None where there is no other."""
    complete: bool = True
    """Later changes are recorded too; False where there were too many."""
    location: Location | None = None
    """The line that last called `eval()` on one of those that are not, or on what holds it."""
