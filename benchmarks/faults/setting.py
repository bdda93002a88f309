"""All that a training of the bench can do, healthy or not: one flat record, from which everything follows."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class Setting:
    """One training. The defaults are healthy; a habit or a fault changes some of the fields."""

    task: str
    cell: str = "LSTM"
    hidden: int = 32
    layers: int = 1
    bidirectional: bool = False
    optimizer: str = "Adam"
    rate: float = 1.0
    """Learning rate as a multiple of what is good for the optimizer (training.py)."""
    batch: int = 32
    seed: int = 0

    # Habits
    clip: float | None = 1.0
    clip_kind: str = "norm"
    warm_up: int = 0
    """Updates until the full rate."""
    accumulate: int = 1
    """Batches an update."""
    dropout: float = 0.0
    weight_decay: float = 0.0
    schedule: str = "none"
    """none | cosine | exponential | steps; in the blind part one_cycle | restarts | linear | power"""
    gamma: float = 1.0
    """What the schedule leaves of the rate at each update."""
    frozen: str = "nothing"
    """nothing | embedding | recurrence: what has requires_grad=False."""
    tied: bool = False
    validate_every: int = 0
    state: str = "zero"
    """zero | carried (detached) | kept (with its graph) | retained (the same, and backward keeps the graph)"""
    init: str = "default"
    """default | orthogonal | xavier | zeros | constant | scaled"""
    gain: float = 1.0
    """Of the recurrent weights, where init is scaled or orthogonal."""
    gate: str = "none"
    """The gate whose bias is set: none | input | forget | update | all"""
    gate_bias: float = 0.0
    relu_bias: float | None = None
    """With a number, nn.RNN has ReLU units that start with this bias."""
    samples: int | None = None
    """Size of the training set; None for the task's own."""

    # Wiring
    loss_scale: float = 1.0
    clearing: str = "each"
    """each | never | after N: gradients are cleared at every N-th update alone."""
    optimized: str = "all"
    """all | head | no_recurrence | stale: the recurrence was replaced after the optimizer was built."""
    cut: str = "nowhere"
    """nowhere | no_grad | detach | rebuilt as a new tensor: between the recurrence and the head."""
    output: str = "raw"
    """raw | softmax | softmax_module | nll: nll_loss on raw scores | relu | sigmoid"""
    shapes: str = "equal"
    """equal | output_flat | target_flat: of regression's prediction and target."""
    input_scale: float = 1.0
    input_offset: float = 0.0
    constant: str = "no"
    """no | zeros | mean: what the recurrence is given instead of its input."""
    axes: str = "right"
    """right | batch_first_missing | transposed"""
    padding: str = "packed"
    """packed | last_output"""
    view: str = "none"
    """none | final_state: a view of the final state that mixes samples."""
    length_one: str = "no"
    """no | features: time stands on the feature axis | split: every step is a sample of its own."""
    detach_every: int = 0
    """In loops over cells: the state is cut off after so many steps."""
    order: str = "shuffled"
    """shuffled | sorted: by class | same: the same batch again and again"""
    not_a_number: int = 0
    """The update whose input holds a NaN; 0 for none."""
    loss_log: bool = False
    """The loss is the logarithm of rounded probabilities, written by hand."""
    reduction: str = "mean"
    """mean | sum: of the loss over batch and time, in the blind part."""
    smoothing: float = 0.0
    """Of labels, in the blind part."""

    def changed(self, **changes: Any) -> "Setting":
        """The same with these fields."""
        return replace(self, **changes)

    def key(self) -> str:
        """The fields that are not the defaults, in their order: names the training, and makes it anew."""
        default = {field.name: field.default for field in fields(self)}
        parts = [f"{k}={v}" for k, v in asdict(self).items() if k == "task" or v != default[k]]
        return " ".join(parts)


def from_key(key: str) -> Setting:
    """The setting of that key.

    Raises: ValueError, KeyError: it is none.
    """
    kinds = {field.name: field.type for field in fields(Setting)}
    return Setting(
        **{name: _value(kinds[name], text) for name, text in (part.split("=") for part in key.split(" "))}
    )


def _value(kind: Any, text: str) -> Any:
    """The text as a value of the field's annotated type."""
    if text == "None":
        return None
    plain: dict[Any, Callable[[str], Any]] = {int: int, float: float, str: str, bool: lambda t: t == "True"}
    kind = next((k for k in plain if kind is k or kind == k | None), str)
    return plain[kind](text)
