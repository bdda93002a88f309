"""All that a training of the bench can do, healthy or not: one flat record, from which everything follows."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
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
    """none | cosine | exponential | steps; in the blind part one_cycle | restarts | linear | power; in the sealed part
    one_cycle | cosine | warm_up_in_epochs | lambda_returns_the_rate | milestones | polynomial | plateau"""
    gamma: float = 1.0
    """What the schedule leaves of the rate at each update."""
    frozen: str = "nothing"
    """nothing | embedding | recurrence: what has requires_grad=False."""
    tied: bool = False
    validate_every: int = 0
    state: str = "zero"
    """zero | carried (detached) | kept (with its graph) | retained (the same, and backward keeps the graph)"""
    init: str = "default"
    """default | orthogonal | xavier | zeros | constant | scaled; in the sealed part also normal | uniform | identity |
    filled: every weight of the network is 0.02 | rows: all rows of a matrix are the same"""
    gain: float = 1.0
    """Of the recurrent weights, where init is one of those that take one."""
    gate: str = "none"
    """The gate whose bias is set: none | input | forget | update | output | all"""
    gate_bias: float = 0.0
    relu_bias: float | None = None
    """With a number, nn.RNN has ReLU units that start with this bias."""
    samples: int | None = None
    """Size of the training set; None for the task's own."""

    # Wiring
    loss_scale: float = 1.0
    clearing: str = "each"
    """each | never | after N: gradients are cleared at every N-th update alone | head: those of the head alone | other:
    those of another network"""
    optimized: str = "all"
    """all | head | no_recurrence | stale: the recurrence was replaced after the optimizer was built | no_head | list:
    the recurrence is in a list that no network knows | copy: a copy is trained"""
    cut: str = "nowhere"
    """nowhere | no_grad | detach | rebuilt as a new tensor | numpy and back | leaf: detached, and requires a gradient |
    data: between the recurrence and the head."""
    output: str = "raw"
    """raw | softmax | softmax_module | nll: nll_loss on raw scores | relu | sigmoid | tanh | by_hand: softmax of exp |
    in_loop: a softmax beside the loss | tempered: a softmax of twice the scores | nll_of_chances: nll_loss on a
    softmax | squared: softmax and squared error"""
    shapes: str = "equal"
    """equal | output_flat | target_flat: of regression's prediction and target | the same in a loss by hand:
    hand_output_flat | hand_target_flat"""
    input_scale: float = 1.0
    input_offset: float = 0.0
    constant: str = "no"
    """no | zeros | mean: what the recurrence is given instead of its input | unknown: one token for all | masked: its
    input times a mask of zeros."""
    axes: str = "right"
    """right | batch_first_missing | transposed | time_first: so come the data | samples: the loop runs over them"""
    padding: str = "packed"
    """packed | last_output | full: packed with the longest length for all | pooled: padding too | final_state: it is
    not packed"""
    view: str = "none"
    """none | final_state: a view of the final state that mixes samples | time_first: of an output that is so | layers:
    of the final states of all layers"""
    length_one: str = "no"
    """no | features: time stands on the feature axis | split: every step is a sample of its own | stateless: called
    step by step without its state"""
    detach_every: int = 0
    """In loops over cells: the state is cut off after so many steps."""
    order: str = "shuffled"
    """shuffled | sorted: by class | same: the same batch again and again | blocks: a class for ten batches | buffer:
    sorted, and shuffled within two batches"""
    not_a_number: int = 0
    """The update whose input holds a NaN; 0 for none."""
    broken: str = "input"
    """What the NaN comes from: input | constant: a sample is divided by its deviation of zero | label: it is missing |
    distance: the root of a distance of zero, in the sealed part"""
    loss_log: bool = False
    """The loss is the logarithm of rounded probabilities, written by hand."""
    reduction: str = "mean"
    """mean | sum: of the loss over batch and time, in the blind part."""
    smoothing: float = 0.0
    """Of labels, in the blind part."""

    # Of the sealed part
    group_rate: float = 1.0
    """Of the recurrence, a group of its own in the optimizer, as a multiple of the others' rate."""
    span: int = 0
    """Updates that the schedule takes."""
    penalty: float = 0.0
    """Squares of all weights, times this, are added to the loss."""
    shrink: float = 0.0
    """Share of every weight that is taken off by hand after each update."""
    average: float = 0.0
    """Of a moving average of the weights, which is what is validated."""
    noise: float = 0.0
    """Of the gradients."""
    projection: int = 0
    """proj_size of an LSTM."""
    sizes: str = "equal"
    """Of the batches: equal | mixed; or by length: bucketed"""
    input_weights: float = 1.0
    """Factor of the input weights at the start."""
    column_scale: float = 1.0
    """Factor of the last feature."""
    column_offset: float = 0.0
    copies: int = 1
    """Of each sample in the training set."""
    wrong_labels: float = 0.0
    """Share of the training set whose label is drawn anew."""

    # The untouched and the reported part have no field of their own, and values of their own for many (their forms.py);
    # so have the studies', the everyday, the courses' and the workshop's part, and the tutorials' one
    # field of its own, the last.
    # Of the unseen part, which has values of its own for the fields above too (unseen/forms.py)
    divided: bool = True
    """The loss is divided by the batches of an update, where there are several."""
    penalty_kind: str = "squares"
    """squares | absolute: of all weights | norms: of each parameter"""
    activation: str = "tanh"
    """Of a plain cell by hand: tanh | sigmoid | linear"""
    pooling: str = "attention"
    """attention | mean | last | off_by_one: over the steps of a sequence"""
    pad_to: int = 0
    """Steps of every sequence, where they are padded to the same length in all batches."""
    dense_bias: float = 0.0
    """Of the ReLU units between recurrence and output."""
    embedding_scale: float = 1.0
    forcing: float = 1.0
    """Share of the steps at which a decoder is given the right answer."""
    regression: str = "squares"
    """squares | absolute | huber"""
    jitter: float = 0.0
    """Noise that is added to training samples."""
    words_left_out: float = 0.0
    """Share of the tokens that are 0 in training."""
    double: bool = False
    """In 64 bits."""
    learned_start: bool = False
    """The initial state is a parameter."""
    layer_norm: bool = False

    # Of the tutorials' part
    style: str = "plain"
    """plain | closure: the optimizer asks for the loss itself | bfloat16: the forward pass under autocast"""

    def changed(self, **changes: Any) -> "Setting":
        """The same with these fields."""
        return replace(self, **changes)

    def key(self) -> str:
        """The fields that are not the defaults, in their order: names the training, and makes it anew."""
        values = ((field.name, getattr(self, field.name), field.default) for field in fields(self))
        parts = [f"{name}={value}" for name, value, default in values if name == "task" or value != default]
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
