"""Records of how the script validates: what single examples tell, and whether it came to validate at all."""

from typing import Literal

from rnn_doctor.schema.values import Frozen, Number


class ExampleLosses(Frozen):
    """Losses of single examples, as statistics."""

    count: int
    mean: Number
    std: Number
    since: int | None = None
    """Of training examples: the first update whose batch they are of; they are measured before each update."""


class Rise(Frozen):
    """How far an evaluation lies above the best one before it, by the losses of single examples."""

    best_step: int
    """The best evaluation before came after this update."""
    mean: Number
    """Mean difference; negative where this evaluation is the new best."""
    error: Number
    """Its standard error: of the differences example by example where `paired`, else of two samples."""
    skew: Number | None = None
    """Skewness of that mean. Of older logs: no rule asks for it, so that it is written no more."""
    paired: bool


class Evaluation(Frozen):
    """One pause of the training in which the script ran the network without learning."""

    record: Literal["evaluation"]
    step: int
    """After this update."""
    loss: Number | None = None
    """Mean over the batches; None where no loss function ran."""
    batches: int
    """Loss calls, or forward calls where no loss function ran."""
    training_mode: bool = False
    """Whether the recurrent modules were in training mode."""
    loader: int | None = None
    on_training_data: bool = False
    """Whether its loader also gives training batches."""
    examples: ExampleLosses | None = None
    """Losses of its examples, where the loss function falls into them."""
    trained: ExampleLosses | None = None
    """The same of the last training batches before it."""
    rise: Rise | None = None
    """How far it lies above the best evaluation before it on the same loader."""


class EarlyValidation(Frozen):
    """The last update was made, and the script had not validated by then: what was done about it."""

    record: Literal["early_validation"]
    step: int
    outcome: Literal["ended", "off", "by_hand", "by_next", "not_expected", "ranks", "failed"]
    """The epoch was ended early, or why not: switched off; batches made by hand, or taken by `next`; no sign of a
    validation to come; several ranks. `failed`: it was, and the script raised afterwards."""
    epoch: int | None = None
    """Batches of a whole epoch, where the training loader knows them."""
    given: int | None = None
    """Batches of the current epoch so far."""
    error: str | None = None

    @property
    def judged_no_more(self) -> bool:
        """Whether the epoch was ended, so that what the script did afterwards is not held against it."""
        return self.outcome in ("ended", "failed")
