"""What a run log holds of the inside of a recurrence: gradients, gates and states by layer and time step."""

from typing import Literal, Self

from pydantic import model_validator

from rnn_doctor.schema.values import Frozen, GateName, Location, Number


class Readout(Frozen):
    """How the loss reads the output of one recurrent module: shares of ||dL/d output||^2 at one step."""

    record: Literal["readout"]
    step: int
    module: int
    time: int
    batch: int
    last_share: Number
    """Share at each sequence's last valid step."""
    reverse_last_share: Number | None = None
    """Of a bidirectional module: share of the reverse half's gradient at the last valid step, where it has seen
    a single input; None where the reverse half is not read."""
    top_row_share: Number
    """Largest share that falls on one index of the axis that the module treats as batch."""
    unread_layers: int = 0
    """Upper layers that the loss depends on in no way."""
    unread_direction: Literal["forward", "reverse"] | None = None
    """Of the highest layer that it reads: the direction on which it depends in no way."""
    location: Location | None = None
    """The line that takes the part of the output, or of the final state, that the loss reads; that of the module's
    call where none was seen. Looked for where something is odd about the read-out, at the first updates alone."""


class StepReadout(Frozen):
    """How the loss reads the states of a recurrence written as a loop: shares of its squared gradient at one step."""

    record: Literal["step_readout"]
    step: int
    module: int
    """A cell, or a hand-written recurrence."""
    steps: int
    rows: int
    last_share: Number
    """Share of what is read beside the next step that falls on the last two states."""
    top_row_share: Number
    """Largest share of it that falls on one row."""
    rows_reached: int
    """Rows of the first state that the loss depends on, by way of later states too."""


class SampleSteps(Frozen):
    """A recurrence whose steps are the samples of a batch, and whose rows are their time steps."""

    record: Literal["sample_steps"]
    step: int
    module: int
    steps: int
    rows: int
    drawn_by: Literal["loader", "index"]
    """What put the samples in no order: a loader that shuffles, or an index of the script's own."""


class LagGain(Frozen):
    """Backward gain from one output step to earlier inputs, by a random cotangent at that step alone.

    Through the module's own kernel; of cells, through that of the module of one layer that they are steps of.
    """

    record: Literal["lag_gain"]
    step: int
    module: int
    layer: int | None = None
    """One layer of several alone; None for the whole module."""
    reverse: bool = False
    lags: tuple[int, ...]
    decades: tuple[Number, ...]
    """log10 of ||d o_T / d x_(T-lag)|| relative to lag 0, median over `samples`. Of a hand-written recurrence
    ||d s_T / d s_(T-lag)||, s its whole state: the same but for what the input weights do at every lag alike."""
    samples: tuple[tuple[Number, ...], ...] = ()
    """The same for each row and cotangent; of the whole module alone."""
    rows: int
    calls: int = 1
    """Calls whose states hand the gradient on, joined to one sequence."""


class Replay(Frozen):
    """The recurrence computed once more, step by step, on a few rows: how well it agrees with the module's output."""

    record: Literal["replay"]
    step: int
    module: int
    rows: int
    time: int
    calls: int = 1
    error: Number
    """Largest difference of an output, relative to the largest output."""
    exact: bool
    """Whether the error is within the tolerance of the precision; where not, no layer is described."""


class Gate(Frozen):
    """One gate of one layer."""

    name: GateName
    low: Number
    """Share of (row, time, unit) below 0.1 (sigmoid) or -0.97 (tanh): closed, or saturated on the negative side."""
    high: Number
    """Above 0.9 or 0.97."""
    stuck_low: Number
    """Share of units that are low in more than 90 % of rows and time steps."""
    stuck_high: Number
    slope: Number
    """Mean derivative of the gate by its sum: q (1 - q), or 1 - a^2."""
    mean: tuple[Number, ...] = ()
    """Of sigmoid gates: mean over rows and units at each of the layer's `gate_times`."""
    p10: tuple[Number, ...] = ()
    """What a tenth of the values of rows and units lie below, at the same times."""
    p90: tuple[Number, ...] = ()
    """What a tenth of them lie above."""


class Layer(Frozen):
    """One layer and direction, seen by the replay."""

    record: Literal["layer"]
    step: int
    module: int
    layer: int = 0
    reverse: bool = False
    times: tuple[int, ...]
    """Indices of the time steps that the profiles below stand for."""
    hidden_norm: tuple[Number, ...] = ()
    """Root mean square of h_t over rows and units."""
    cell_norm: tuple[Number, ...] = ()
    """The same of c_t."""
    hidden_gradient: tuple[Number, ...] = ()
    """log10 of the 2-norm over rows and units of dL/dh_t under the script's own loss, all paths counted."""
    cell_gradient: tuple[Number, ...] = ()
    gates: tuple[Gate, ...] = ()
    gate_times: tuple[int, ...] = ()
    """Indices of the time steps that `mean`, `p10` and `p90` of the gates stand for."""
    dead_share: Number | None = None
    """Share of units whose h has a standard deviation below 1e-3 over rows and time steps."""
    active_share: Number | None = None
    """Share of positive h, of a recurrence whose state passes a ReLU."""
    effective_rank: Number | None = None
    """exp of the entropy of the normalized singular values of the centred h, over the smaller of its sizes."""

    @model_validator(mode="after")
    def _one_value_a_gate_time(self) -> Self:
        courses = [(gate.mean, gate.p10, gate.p90) for gate in self.gates]
        told = [curve for course in courses if any(course) for curve in course]
        if any(len(curve) != len(self.gate_times) for curve in told):
            raise ValueError("a gate has not one value at each of gate_times")
        return self


class StateFlow(Frozen):
    """Where the initial states of one module's calls came from, at one sampled step; counts of calls."""

    record: Literal["state_flow"]
    step: int
    module: int
    calls: int
    fresh: int = 0
    """None, zeros, or values that are no earlier output of the module."""
    attached: int = 0
    """The module's previous output of the same step, with its graph."""
    detached: int = 0
    """The module's previous output of the same step, cut off from its graph."""
    continued: int = 0
    """Its last output before the previous update, cut off from its graph."""
    kept: int = 0
    """The same with its graph: the graph grows from step to step."""
    same_batch: int = 0
    """Of continued and kept: how many while the loader gave no other batch, as in chunks of one batch."""
    handed_on: int = 0
    """Calls of other modules that began with a state of this one."""
    length: int
    """Longest stretch of time steps through which gradients can flow in this step."""
    location: Location | None = None
    """The first call that was detached, continued or kept."""
    cut_at: Location | None = None
    """Where the state that it was given had been cut off from its graph."""


class DataLag(Frozen):
    """At which lags the inputs of one module tell of the target: a test of the observed batches, without the model."""

    record: Literal["data_lag"]
    step: int
    module: int
    absent: str | None = None
    """Why the test was not made."""
    target: Literal["sequence", "step"] | None = None
    """Whether a sequence has one target, or each of its steps; then the last step's was taken."""
    statistic: Literal["information", "determination"] | None = None
    """Mutual information (Miller-Madow), or adjusted R^2 on the inputs and their second powers."""
    rows: int = 0
    """Different sequences."""
    lags: tuple[int, ...] = ()
    """Counted from each sequence's last step."""
    scores: tuple[Number, ...] = ()
    """The statistic, relative to its largest value over all lags and 99 shifts of the targets against the inputs."""
    shares: tuple[Number, ...] = ()
    """The statistic as a share of the target's entropy or variance."""
    alone: int | None = None
    """The one lag at which the sequences differ from each other, where they are alike at all others: of these tokens
    there can be no more different sequences, and equal ones are among the rows."""
    whole: Number | None = None
    """Where no lag's score reaches 1: that of what describes the sequences as wholes, as counts and spreads, and of the
    states of a recurrence of random weights; None where it was not asked, or they are too few."""


class Loop(Frozen):
    """A recurrence in the graph of a loss, hand-written or hidden by TorchScript, at one examined step."""

    record: Literal["loop"]
    step: int
    module: int
    steps: int
    """Times that its weights were applied in a row; 1 where that is not known or its state is cut off."""
    states: int
    """Tensors that make up its state, 2 of an LSTM; 0 where it is not known."""
    linear: bool | None = None
    """Nothing but linear operations leads from state to state; None where its graph was not seen whole, or where each
    unit sees its own past alone, which is made so on purpose."""
    absent: str | None = None
    """Why its backward gain could not be had."""
    unused: Literal["state_renewed", "output_cut_off"] | None = None
    """Why its recurrent weights can learn nothing: each step is given a state of zeros, or no loss reaches it."""
    location: Location | None = None
    """Where what it makes is cut off."""


class LoopInput(Frozen):
    """What the steps of a hand-written recurrence take beside its state, at one examined step; of one that starts from
    zeros alone."""

    record: Literal["loop_input"]
    step: int
    module: int
    vectors: int
    """Rows of all steps looked at."""
    constant: bool
    """No number of them differs from row to row or from step to step."""
    mean: Number
    std: Number
    absmax: Number
    drive: Number
    """Share of the units' gates whose input alone exceeds 4 in magnitude (saturated)."""


class Padding(Frozen):
    """How far the sequences of one module are padded, and whether the loss reads the padding, at one sampled step."""

    record: Literal["padding"]
    step: int
    module: int
    packed: bool = False
    rows: int
    padded_share: Number
    """Share of rows that end in at least two identical input vectors. What all rows share counts where they differ
    besides, and the loss reads the last step alone."""
    padding: Number
    """Mean share of the time axis that is padding."""
    read_share: Number | None = None
    """Share of ||dL/d output||^2 that falls on padded steps; of packed sequences where their lengths take in padding,
    of which `padded_share` and `padding` are told then."""
    unread_share: Number | None = None
    """Of packed sequences: share of the rows from which the loss takes exactly nothing."""
    pooling: Literal["maximum", "mean", "otherwise"] | None = None
    """How the loss takes the output of all steps together, unit by unit, if it does; told where rows are padded."""
    pooled_share: Number | None = None
    """Of padded rows: share of the units that it takes from the padding then, or from the zeros that stand there in the
    output of packed sequences."""
    state_left: Number | None = None
    """Share of the variance of the states before the padding that those at the last step tell of, over padded rows."""


class Mixing(Frozen):
    """A view that takes the numbers of one sample, or of one of its steps, for those of another: axes exchanged without
    moving the data."""

    record: Literal["mixing"]
    step: int
    module: int
    what: Literal["input", "output", "state", "start"]
    """`state` is the final one, `start` the first."""
    shape: tuple[int, ...]
    """Before the view."""
    viewed: tuple[int, ...]
    """After it."""
    within: bool = False
    """It takes channels for time steps within each sample, and mixes no samples."""
    by_numbers: bool = False
    """The numbers of the input tell it: they go on from one to the next, and leap where they would in other axes."""
    location: Location | None = None


class Softmax(Frozen):
    """A softmax through which something is learned: the calls of one source line at one sampled step."""

    record: Literal["softmax"]
    step: int
    function: Literal["softmax", "log_softmax"]
    shape: tuple[int, ...]
    """Of the first call."""
    dim: int
    """The dimension over which it sums to 1, counted from 0; the same in all calls."""
    largest: int
    """Largest size of that dimension over the calls."""
    calls: int = 1
    location: Location | None = None
