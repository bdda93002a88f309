"""Records of how a training is put together: the modes of its modules, the order of its batches, its loss."""

from typing import Literal

from rnn_doctor.schema.values import Frozen, Location, Number


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


class BatchOrder(Frozen):
    """How alike the batches of consecutive updates are. A later record replaces the earlier.

    Statistics alone: neither labels nor what batches were told apart by is kept.
    """

    record: Literal["batch_order"]
    step: int
    absent: str | None = None
    """Why the labels were not compared."""
    updates: int = 0
    """Updates whose targets were compared, one a sequence."""
    numbers: bool = False
    """The targets are numbers, of which the means are compared; else labels, of which the classes are."""
    classes: int = 0
    """How many different labels there were."""
    labels: int | None = None
    """How many labels were seen, where all were of one class, and the loss is one of a classification."""
    distance: Number | None = None
    """Mean distance of two updates' labels: half the summed differences of the classes' shares, 0 to 1; of numbers
    the difference of their means, in standard deviations of all. None where all numbers are one."""
    alike: Number | None = None
    """1 - d / distance, d the mean distance of consecutive updates: 0 in random order, towards 1 where sorted."""
    within: Number | None = None
    """Intraclass correlation of the labels of an update: 0 where they are a random choice of all labels seen, 1 where
    each update is of one class, however rare; the same of numbers; None of one target an update."""
    chance: Number | None = None
    """Share of random orders of the updates in which consecutive ones are at least as alike: of 500, of fewer where it
    is above 0.04."""
    loader: int | None = None
    """The loader that gave the batches counted next."""
    given: int = 0
    """Batches of it that were compared with the one before."""
    repeated: int = 0
    """How many of them held the same numbers."""
    same: int = 0
    """Sampled updates, all of them, that were made of the same inputs and targets by one loss; 0 where they were not,
    or what they are made of was not seen."""
    first: int = 0
    """Sampled updates whose targets are those of the loader's first batch, after it gave another; 0 where any was made
    of another, or that was not seen."""
    anew: bool | None = None
    """The script made their tensors for each of these updates; it keeps them where not, as a check does whether one
    batch can be learned, or a training on all there is."""
    sequences: int | None = None
    """How many sequences that is."""
    drawn_from: int | None = None
    """How many the tensor holds that a slice or an index took them from; None where that was not seen."""
    pairs: int | None = None
    """Pairs of tokens that follow each other in them; None where the inputs are no tokens."""
    once: Number | None = None
    """Share of the pairs that occur once."""
    classified: bool | None = None
    """Their targets are classes."""
    looked: int = 0
    """Sequences of all sampled updates that were told apart; 0 where they were not seen, or are so short that they
    repeat by themselves."""
    different: int | None = None
    """How many of them differ."""
    targets: Number | None = None
    """Targets of each, on average."""


class Tokens(Frozen):
    """Whether all tokens that a hand-written recurrence depends on are one and the same; a later record of the same
    module replaces the earlier."""

    record: Literal["tokens"]
    step: int
    module: int
    looked: int
    """Tokens of all updates that were looked at."""
    constant: bool
    """All of them are one."""


class Activation(Frozen):
    """What an activation that cuts off one side (ReLU and its kin) lets through of one layer, at one examined step."""

    record: Literal["activation"]
    step: int
    name: str
    """Of the module whose weights make what it is given."""
    function: str
    """As autograd calls it, e.g. `Relu`."""
    units: int
    rows: int
    """How many were looked at, of all its applications."""
    silent_share: Number
    """Share of the units of which nothing but 0 is left in all of these rows."""


class AxisDependence(Frozen):
    """Along which axis of a module's batches the inputs at other places tell of the targets; once a module.

    Scores are relative to the largest statistic of 39 random orders of the axis, over all distances; shares are of
    the target's variance that the input of its own place leaves open.
    """

    record: Literal["axis_dependence"]
    step: int
    module: int
    absent: str | None = None
    """Why it was not tested."""
    batches: int = 0
    """Batches that differ."""
    targets: int = 0
    """Targets that were compared, one a place of those batches."""
    time_score: Number | None = None
    """Along the axis that the module treats as time."""
    time_lag: int | None = None
    """The distance of that score, from an input to a target after it; negative to one before."""
    time_share: Number | None = None
    batch_score: Number | None = None
    """Along the axis that the module treats as batch."""
    batch_lag: int | None = None
    batch_share: Number | None = None
    positions: Number | None = None
    """How far the places of its time axis differ in the same way in all batches, relative to 39 random orders; None
    where time_score is 2 or more."""
    own_share: Number | None = None
    """Largest share of the target's variance that the inputs within three steps tell, at one distance; of flattened
    targets, where both scores are silent."""
    turned_share: Number | None = None
    """The same with the targets read in the other order, batch before time or time before batch."""


class CopiedTargets(Frozen):
    """Whether the targets of a module are its inputs, number for number, at a place that it reads; once a module."""

    record: Literal["copied_targets"]
    step: int
    module: int
    absent: str | None = None
    """Why they were not compared."""
    looks: int = 0
    """Sampled updates that were looked at."""
    targets: int = 0
    """Targets that were compared in them."""
    place: Literal["same", "next", "last"] | None = None
    """The input at the step of the target, at the step after it, which a reverse direction has read, or of one target a
    sequence the last input; None where they are none of these."""
    columns: int = 0
    """Numbers of a target that are numbers of that input; 1 of classes."""
    of: int = 0
    """Numbers of a target."""
    still: Number | None = None
    """Largest share of the steps, of an update, whose input is that of the step before."""
    idle: Number | None = None
    """Least share of the targets, of an update, that stand where rows of different lengths end in one token and one
    target again and again, as padding does; None where inputs or targets are numbers, or of one target a sequence."""


class SharedExamples(Frozen):
    """How many examples of the training data are alike, and how many stand in other data too. Counts alone.

    One for each loader that is evaluated on, else one with no `held_out`; a later record of the same loader replaces
    the earlier.
    """

    record: Literal["shared_examples"]
    step: int
    examples: int
    """Training examples compared, all of one pass over the data."""
    twins: int = 0
    """Of them: equal to another of them, targets included."""
    contradicting: int | None = None
    """Of them: equal to another in all but the target; None where it is not known which tensor that is."""
    held_out: int | None = None
    """The loader that they are held against, which does not train."""
    same_data: bool = False
    """It reads from the very dataset that is trained on."""
    held_out_examples: int = 0
    """Its different examples that were seen."""
    held_out_seen: int = 0
    """Of them: seen among the training examples, of any pass."""


class Reach(Frozen):
    """Between which numbers the last operation keeps what a loss function is given, whatever is learned."""

    operation: str
    """The one that bounds it, e.g. `clamp`; reshapes and factors after it are counted in."""
    low: Number = float("-inf")
    high: Number = float("inf")
    beyond: Number | None = None
    """Share of the targets of a regression that lie outside, by more than 5 % of the bounds' size."""


class LossSum(Frozen):
    """How the training loss of one sampled update of a single backward pass is made of its loss calls."""

    record: Literal["loss_sum"]
    step: int
    calls: int
    """Calls of loss functions through which something is learned."""
    targets: int
    """Targets of all of them, without those that are left out (ignore_index)."""
    mean: Number
    """Mean over the calls of the loss of one target."""
    loss: Number
    """The training loss of the update."""
