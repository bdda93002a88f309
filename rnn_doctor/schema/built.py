"""Records of what the script built: modules, their parameters, optimizers, schedulers and loaders."""

from typing import Literal

from rnn_doctor.schema.values import Frozen, Location, Number


class Module(Frozen):
    """A recurrent module that the script built, or a hand-written recurrence found in the graph."""

    record: Literal["module"]
    id: int
    name: str
    """Dotted path from the root module, e.g. `encoder.lstm`; the class's name where it is itself the root."""
    kind: Literal["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell", "custom"]
    nonlinearity: Literal["tanh", "relu"] | None = None
    input_size: int | None = None
    hidden_size: int | None = None
    num_layers: int = 1
    bidirectional: bool = False
    batch_first: bool = False
    dropout: Number = 0.0
    proj_size: int = 0
    called: bool = True
    """Whether its forward call was seen; False for TorchScript, which hides its calls."""
    frozen: bool = False
    """No gradient flows through its calls: its weights are frozen, and so is what it is given."""
    gradientless: Location | None = None
    """The line that runs it in the training under torch.no_grad(), though an optimizer holds its weights; None as soon
    as it ran with gradients. A later record of the same id replaces the earlier."""
    copied: bool = False
    """Beside it a copy that no optimizer holds ran without gradients in each of the first updates: a target network, or
    a teacher that follows it."""
    location: Location | None = None


class RecurrentWeight(Frozen):
    """The weights of a hand-written recurrence that its state passes through."""

    name: str | None = None
    """Of the parameter; None where they are made of others."""
    transposed: bool = False
    """The rows of the parameter take the state; else its columns do."""
    columns: tuple[int, int] | None = None
    """From and to, after transposing, where the state stands beside an input; else they take the state alone."""


class InitialWeights(Frozen):
    """Weights of one layer and direction of a recurrent module before the first update."""

    record: Literal["initial_weights"]
    module: int
    layer: int = 0
    reverse: bool = False
    asymmetry: Number
    """How far the hidden units differ: ||W - mean over units|| / ||W||, W (H, a unit's weights of all gates); the
    larger of the input and the recurrent weights."""
    hidden_gain: Number
    """Root mean square of the recurrent weights times sqrt(H); 0.577 by PyTorch's default, about 1 orthogonal."""
    input_gain: Number
    """Root mean square of the input weights times sqrt(I)."""
    kurtosis: Number | None = None
    """Excess kurtosis of the recurrent weights: -1.2 drawn from a uniform distribution, 0 from a normal one."""
    gate_spread: Number | None = None
    """Largest over smallest standard deviation of one gate's recurrent weights."""
    filled: Number | None = None
    """Share of the recurrent weights that are not exactly 0, where that is less than 0.95: kurtosis and spread are then
    of those alone."""
    forget_bias: Number | None = None
    """Mean of b_ih + b_hh of the forget gate (LSTM) or of the update gate (GRU)."""
    recurrent: tuple[RecurrentWeight, ...] = ()
    """Of a hand-written recurrence: its weights in the script's own names."""


class Optimizer(Frozen):
    """An optimizer that the script built."""

    record: Literal["optimizer"]
    id: int
    kind: str
    """Its class, e.g. `AdamW`."""
    lr: tuple[Number, ...]
    """One a parameter group."""
    momentum: Number = 0.0
    beta2: Number | None = None
    """Share of its average of squared gradients that it keeps at each update (betas[1]); None where it has none."""
    weight_decay: tuple[Number, ...] = ()
    """One a parameter group."""
    decoupled_decay: bool | None = None
    """Whether decay acts beside the update (AdamW), not through the gradient; None where its class alone tells."""
    parameters: int
    """How many tensors it holds."""
    closure: bool = False
    maximize: bool = False
    """It goes up the gradient of what `backward()` was called on, in every group."""
    location: Location | None = None


class Scheduler(Frozen):
    """A learning-rate scheduler that the script built."""

    record: Literal["scheduler"]
    kind: str
    optimizer: int | None = None
    warm_up: int | None = None
    """Calls of its step() that it takes to raise the rate, by its own plan; None where it tells of none."""
    warm_up_rate: Number | None = None
    """The rate that it is raised to, the largest of the parameter groups', where the plan tells."""
    decay: Number | None = None
    """The factor by which it lowers the rate again and again, after as many calls each time; None of other plans."""
    location: Location | None = None


class Plateau(Frozen):
    """How often a ReduceLROnPlateau has been told a loss, at one sampled update; a later one replaces the earlier."""

    record: Literal["plateau"]
    step: int
    scheduler: int
    """Numbered in the order of their first calls."""
    optimizer: int | None = None
    calls: int
    """Of its step(), by then."""
    patience: int
    """Calls without a new lowest loss that it waits for before it lowers the rate, its cooldown included."""
    factor: Number
    """By which it does."""
    floor: Number
    """Below which it lowers no rate, over the largest rate now."""
    location: Location | None = None


class Loader(Frozen):
    """A DataLoader that the script iterated."""

    record: Literal["loader"]
    id: int
    samples: int | None = None
    batch_size: int | None = None
    shuffled: bool | None = None
    workers: int = 0
    trains: bool = False
    """Whether batches of it led to updates. A later record of the same id replaces the earlier."""
    given: int | None = None
    """Batches that it had given at its first backward pass, then whenever it was begun anew; of those that train."""
    passes: int | None = None
    """Passes over it that were begun by then, the first that trained included; of those that train."""


class Parameter(Frozen):
    """A trainable tensor. A later record of the same id replaces the earlier."""

    record: Literal["parameter"]
    id: int
    name: str
    shape: tuple[int, ...]
    owner: str | None = None
    """Class of the module that holds it, e.g. `Linear`; None for a bare tensor."""
    module: int | None = None
    """The recurrent module that it belongs to."""
    trainable: bool = True
    """requires_grad"""
    optimizer: int | None = None
    """The optimizer that holds it."""
    group: int | None = None
    """Its group of parameters there, counted from 0; None where there is one alone."""
    used: bool | None = None
    """Whether the loss depends on it; None where the graph was not seen."""
    weightless: bool = False
    """The loss depends on it through factors of 0 alone, as a term whose weight has not risen yet, or in a layer that
    is given a single 0 and learns by its bias."""
    std: Number | None = None
    """Standard deviation of its values before the first update."""
    mean: Number | None = None
