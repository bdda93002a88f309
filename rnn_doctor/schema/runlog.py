"""The run log: what the probe saw of one run, as append-only JSON Lines.

Each line is one record, told apart by its key `record`; a key that is absent has its default. The file is
written while the script runs and is readable up to its last whole line after any kind of death. Numbers that
JSON cannot hold are the strings "NaN", "Infinity" and "-Infinity". The log holds statistics alone: no
environment variables, no data values, no absolute home paths.

Steps are counted from 1: step k is the k-th parameter update. A record that carries `step = k` was observed
during the forward and backward passes that led to update k, or, for evaluations, after update k.
"""

from typing import Annotated, Literal

from pydantic import Field

from rnn_doctor.schema.built import InitialWeights, Loader, Module, Optimizer, Parameter, Plateau, Scheduler
from rnn_doctor.schema.imported import Imported
from rnn_doctor.schema.recurrence import (
    DataLag,
    LagGain,
    Layer,
    Loop,
    LoopInput,
    Mixing,
    Padding,
    Readout,
    Replay,
    SampleSteps,
    Softmax,
    StateFlow,
    StepReadout,
)
from rnn_doctor.schema.trials import BatchFit, Intervention, Withheld
from rnn_doctor.schema.validating import EarlyValidation, Evaluation
from rnn_doctor.schema.values import Frozen, Location, Number
from rnn_doctor.schema.wiring import (
    Activation,
    AxisDependence,
    BatchOrder,
    CopiedTargets,
    LossSum,
    Mode,
    Reach,
    SharedExamples,
    Tokens,
)

SCHEMA_VERSION = 1


class Header(Frozen):
    """First line of every log: what ran, and where."""

    record: Literal["header"]
    schema_version: int
    tool_version: str
    script: str
    arguments: tuple[str, ...] = ()
    python: str
    torch: str
    platform: str
    started: str
    """UTC, ISO 8601."""
    rank: int = 0
    world_size: int = 1
    process: int
    """Process id, which tells apart the logs of one run."""


class Step(Frozen):
    """One parameter update."""

    record: Literal["step"]
    step: int
    elapsed: Number
    """Seconds since the first forward or backward pass that was seen."""
    loss: Number | None = None
    """The training loss as the script means it: division for accumulation and loss scaling undone."""
    grad_norm: Number | None = None
    """Global 2-norm of the gradient over all optimized parameters, before clipping."""
    clipped_norm: Number | None = None
    """The same when the optimizer used it; absent where nothing changed it."""
    clip_limit: Number | None = None
    """The limit given to a clip call, if one ran."""
    clip_scale: Number | None = None
    """What GradScaler had multiplied the gradients by that this call was given; absent where they were the loss's."""
    clip_late: bool = False
    """A clip call ran after the update and before the next backward pass."""
    lr: tuple[Number, ...] = ()
    """One a parameter group, of the optimizers that stepped, in their order."""
    optimizers: tuple[int, ...] = ()
    """Ids of those that stepped; empty for hand-written updates."""
    backwards: int = 1
    """Backward passes since the previous update."""


class Sample(Frozen):
    """Norms by parameter at one step of the sampling schedule; all lists run parallel to `parameters`."""

    record: Literal["sample"]
    step: int
    parameters: tuple[int, ...]
    grad_norm: tuple[Number | None, ...]
    """2-norm before the update, as the optimizer saw it; None where there is no gradient."""
    weight_norm: tuple[Number, ...]
    """2-norm before the update."""
    update_norm: tuple[Number, ...]
    """2-norm of the change by this update."""
    displacement: tuple[Number, ...]
    """2-norm of the distance from the initial value, after the update; 0 means bit-identical."""
    stale_norm: Number | None = None
    """2-norm of the optimized parameters' gradients when the first backward pass after an update began."""
    left_norm: tuple[Number | None, ...] = ()
    """2-norm right after the update before this one, by the first 4,096 numbers of each: it differs from `weight_norm`
    where the script changed these in between. Absent where that update was not looked at."""
    penalty_pull: tuple[Number, ...] = ()
    """<p, w> / ||w||, where p is what those terms of the loss added to the gradient that read the weights alone: how
    hard they pull the weights to zero, before clipping. Absent where the loss has none."""


class Batch(Frozen):
    """What one recurrent module was given at one sampled step (its first call of that step)."""

    record: Literal["batch"]
    step: int
    module: int
    time: int
    """Length of the axis that the module treats as time (longest, if packed)."""
    batch: int
    """Length of the axis that the module treats as batch; 1 for unbatched input."""
    features: int
    calls: int = 1
    """Calls of the module during this step."""
    packed: bool = False
    state: Literal["none", "zero", "given", "carried"] = "none"
    """The initial state: not given, all zero, given, or given with its graph attached."""
    mean: Number
    std: Number
    absmax: Number
    constant_share: Number
    """Share of the features that have one value over the whole batch (over all calls of the step)."""
    finite: bool = True
    feature_ratio: Number | None = None
    """Largest magnitude of one feature over that of the median feature, of those that are not 0 throughout; None where
    fewer than two are not."""
    drive: Number | None = None
    """Share of the units' gates whose input alone, W_ih x + b_ih, exceeds 4 in magnitude (saturated)."""
    loader: int | None = None
    """The loader whose batch was current."""
    loader_shape: tuple[int, ...] | None = None
    """Shape of the first floating or integer tensor of that loader's batch."""
    alike: Literal["rows", "steps"] | None = None
    """What of the batch repeats itself: all its rows are one sequence, or each row is one input at all steps, of all
    calls; None where neither, both, or there is one alone."""
    cut_at: Location | None = None
    """Where the output was cut off from its graph, in an update whose loss takes nothing from it or its state."""


class LossCall(Frozen):
    """What one loss function was given at one sampled step (first call there of each call site)."""

    record: Literal["loss"]
    step: int
    site: int
    """One number a source line."""
    function: str
    """The function of torch.nn.functional, e.g. `cross_entropy`; `expression` for a hand-written loss."""
    location: Location | None = None
    input_shape: tuple[int, ...]
    target_shape: tuple[int, ...] | None = None
    broadcast: bool = False
    """Input and target differ in shape and were broadcast against each other."""
    rows_of_one: int | None = None
    """Rows of the input where the target is a single row of a tensor that has as many, which differ."""
    head: str | None = None
    """The operation that made the input, looking through views: `softmax`, `log_softmax`, `sigmoid`, `relu`, `tanh`."""
    beneath: str | None = None
    """The activation whose output that operation was given, of the same ones."""
    reach: Reach | None = None
    simplex_share: Number | None = None
    """Share of rows that are >= 0 and sum to 1 over the class dimension."""
    log_simplex_share: Number | None = None
    """Share of rows whose exponentials do."""
    log_input: bool | None = None
    """Of poisson_nll_loss: whether it takes its input for the logarithm of a rate."""
    label_smoothing: Number | None = None
    """Of cross_entropy: the share of a target that is spread over all classes; None where none is."""
    minimum: Number | None = None
    maximum: Number | None = None
    mean: Number | None = None
    """Mean and, below, standard deviation of the whole input of a regression loss."""
    std: Number | None = None
    target_minimum: Number | None = None
    target_maximum: Number | None = None
    target_mean: Number | None = None
    target_std: Number | None = None
    target_one_hot: bool = False
    value: Number | None = None
    baseline: Number | None = None
    """Loss of the best constant answer: entropy of the labels, or variance of the targets."""


class NonFinite(Frozen):
    """Where NaN or Inf was first seen; the records of one step stand in the order of execution."""

    record: Literal["non_finite"]
    step: int
    what: Literal["weight", "input", "state", "output", "operation", "loss", "gradient"]
    subject: str
    """Name of the parameter or module, or the loss's source line; the kind of an operation, as autograd calls it."""
    location: Location | None = None
    """Of an operation known with the next update alone, whose record repeats the first."""
    layer: int | None = None
    """Within a recurrent module, by the replay of the call: the first layer, time step and gate."""
    reverse: bool = False
    time: int | None = None
    gate: str | None = None
    """`i`, `f`, `g`, `o`, `r`, `z`, `n`, or the state `h` or `c` itself."""
    overflow: bool = False
    """The values grew beyond the range of their type; otherwise the operation itself is undefined there."""


class Place(Frozen):
    """A source line where something of the training loop was first seen to run."""

    record: Literal["place"]
    step: int
    role: Literal["backward", "step", "clip", "zero_grad", "scheduler_step"]
    location: Location


class SensorOff(Frozen):
    """A sensor failed and was switched off; what it would have measured is absent."""

    record: Literal["sensor_off"]
    step: int
    sensor: str
    error: str


class Crash(Frozen):
    """The script ended by an exception of its own."""

    record: Literal["crash"]
    step: int
    error: str
    """Type and message."""
    traceback: str
    location: Location | None = None


class Stop(Frozen):
    """The probe's last word."""

    record: Literal["stop"]
    step: int
    reason: Literal["steps", "time", "script_end", "crash", "interrupted"]
    seconds: Number
    """Since the first step began."""
    probe_seconds: Number
    """Spent in the probe."""
    backwards: int = 0
    """Backward passes since the last update: more than a few where one update takes many of them."""
    swallowed: bool = False
    """The script swallowed the request to stop, so the process was ended."""


class Exit(Frozen):
    """Appended by the parent when the process has ended."""

    record: Literal["exit"]
    code: int | None = None
    """Exit code; negative for a signal."""
    reason: Literal["ended", "hung", "no_step", "interrupted"] = "ended"
    seconds: Number
    """Of the whole process."""


Record = Annotated[
    Header
    | Imported
    | Module
    | InitialWeights
    | Optimizer
    | Scheduler
    | Plateau
    | Loader
    | Parameter
    | Step
    | Sample
    | Batch
    | Readout
    | StepReadout
    | SampleSteps
    | LossCall
    | LossSum
    | Evaluation
    | EarlyValidation
    | NonFinite
    | LagGain
    | Replay
    | Layer
    | StateFlow
    | DataLag
    | Loop
    | LoopInput
    | Padding
    | Mixing
    | Mode
    | Softmax
    | BatchOrder
    | Intervention
    | BatchFit
    | Withheld
    | AxisDependence
    | CopiedTargets
    | Tokens
    | Activation
    | SharedExamples
    | Place
    | SensorOff
    | Crash
    | Stop
    | Exit,
    Field(discriminator="record"),
]
"""One line of a run log."""


class RunLog(Frozen):
    """One recorded run, its records sorted by kind. Of ranks that trained together it is the merged view."""

    header: Header
    imported: Imported | None = None
    """Set where another library wrote the log."""
    modules: dict[int, Module] = {}
    initial_weights: tuple[InitialWeights, ...] = ()
    optimizers: dict[int, Optimizer] = {}
    schedulers: tuple[Scheduler, ...] = ()
    plateaus: tuple[Plateau, ...] = ()
    loaders: dict[int, Loader] = {}
    parameters: dict[int, Parameter] = {}
    steps: tuple[Step, ...] = ()
    """In their order; of a very long log not all (see thinning.py)."""
    steps_seen: int | None = None
    """How many the file holds, where not all were kept."""
    samples: tuple[Sample, ...] = ()
    batches: tuple[Batch, ...] = ()
    readouts: tuple[Readout, ...] = ()
    step_readouts: tuple[StepReadout, ...] = ()
    sample_steps: tuple[SampleSteps, ...] = ()
    losses: tuple[LossCall, ...] = ()
    loss_sums: tuple[LossSum, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    early_validation: EarlyValidation | None = None
    non_finite: tuple[NonFinite, ...] = ()
    lag_gains: tuple[LagGain, ...] = ()
    replays: tuple[Replay, ...] = ()
    layers: tuple[Layer, ...] = ()
    state_flows: tuple[StateFlow, ...] = ()
    data_lags: tuple[DataLag, ...] = ()
    loops: tuple[Loop, ...] = ()
    loop_inputs: tuple[LoopInput, ...] = ()
    activations: tuple[Activation, ...] = ()
    paddings: tuple[Padding, ...] = ()
    mixings: tuple[Mixing, ...] = ()
    modes: tuple[Mode, ...] = ()
    softmaxes: tuple[Softmax, ...] = ()
    batch_orders: tuple[BatchOrder, ...] = ()
    intervention: Intervention | None = None
    """Set where the run was a trial."""
    batch_fits: tuple[BatchFit, ...] = ()
    withheld: Withheld | None = None
    axis_dependences: tuple[AxisDependence, ...] = ()
    copied_targets: tuple[CopiedTargets, ...] = ()
    tokens: tuple[Tokens, ...] = ()
    shared_examples: tuple[SharedExamples, ...] = ()
    places: tuple[Place, ...] = ()
    sensors_off: tuple[SensorOff, ...] = ()
    crash: Crash | None = None
    stop: Stop | None = None
    exit: Exit | None = None
    truncated: bool = False
    """The file ends in the middle of a line: the process died while writing."""
    ranks: int = 1
    """How many ranks were merged."""
    ranks_differ: bool = False
    """Ranks that should hold the same parameters do not."""
