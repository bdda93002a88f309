"""How the faults are planted in the workshop's part: slips of configurations, of code that was moved, of reviews that
were too short. Doses are what people write by mistake, or multiples of what is good; nobody looked at a rule for them.
"""

from ..form import Form, doses, with_optimizer
from ..planting import (
    PLAIN,
    always,
    but,
    cells,
    clear,
    dosed,
    gated,
    gross,
    gru,
    lstm,
    numbers,
    of,
    plain,
    scaled,
    together,
)
from .planting import (
    ADAPTIVE,
    CODES,
    FILED,
    LAYERED,
    LOOPED,
    MANY,
    MEASURED,
    OFTEN,
    SELDOM,
    SOMETIMES,
    WINDOWS,
    YES,
    form,
)

_ACROSS = (*WINDOWS, "invoices", "translit", "dispatch")
"""Tasks whose recurrence may be given the wrong axis first."""
_LONG = ("clicks", "bearings", "alarms")
"""Tasks that a plain recurrence learns, and that ask for what was long ago."""

FORMS: dict[str, tuple[Form, ...]] = {
    "step-too-large": (
        form("rate given in per cent", doses("rate", 9.0, 30.0, 100.0), ADAPTIVE, OFTEN),
        form("rate scaled for batches of thousands", doses("rate", 8.0, 25.0, 120.0), PLAIN, SOMETIMES),
        form(
            "warm-up without an end", dosed({"schedule": "unbounded"}, "span", (12, 4, 1)), always, SOMETIMES,
            clip=None,
        ),
        form(
            "loss summed as the old framework did", gross(reduction="sum"), PLAIN, SELDOM, ("RD420",), clip=None
        ),
        form(
            "scale of half precision left on", doses("loss_scale", 16.0, 64.0, 1024.0), PLAIN, SELDOM, clip=None
        ),
    ),
    "step-too-small": (
        form("rate for fine-tuning", doses("rate", 0.04, 0.01, 0.002), ADAPTIVE, OFTEN),
        form("SGD with Adam's default", doses("rate", 0.04, 0.008, 0.001), PLAIN, SOMETIMES),
        form("warm-up told of epochs", dosed({"schedule": "by_epoch"}, "span", (15, 80, 1000)), always, SOMETIMES),
        form(
            "mean divided by the batch once more", doses("loss_scale", 1 / 8, 1 / 32, 1 / 1600), PLAIN, SELDOM,
            clip=None,
        ),
        form("rate of a pretrained backbone", doses("group_rate", 0.03, 3e-3, 1e-5), always, SELDOM),
    ),
    "over-clipping": (
        form("max_norm with a zero too many", doses("clip", 0.02, 2e-3, 1e-4), PLAIN, OFTEN),
        form("clip of values at the tolerance", dosed({"clip_kind": "value"}, "clip", (1e-3, 1e-4, 1e-6)), PLAIN),
        form("hooks that clamp too early", dosed({"clip_kind": "hooks"}, "clip", (1e-3, 1e-4, 1e-6)), PLAIN),
        form("bound for each weight, given to all", dosed({"clip_kind": "by_size"}, "clip", (120.0, 15.0, 0.8)), PLAIN),
    ),
    "decay-too-fast": (
        form(
            "milestones of epochs reached by batches", together(
                schedule=("marks",) * 3, span=(40, 15, 4), gamma=(0.3, 0.1, 0.1)
            ), always, OFTEN,
        ),
        form(
            "plateau of a metric that should fall", together(
                schedule=("upside_down",) * 3, span=(20, 6, 1), gamma=(0.5, 0.5, 0.2)
            ),
        ),
        form("linear decay over epochs, stepped by batches", dosed({"schedule": "to_zero"}, "span", (60, 25, 8))),
        form("Keras's decay, compounded", dosed({"schedule": "compound"}, "gamma", (0.999, 0.99, 0.9))),
    ),
    "weight-decay": (
        form(
            "AdamW's decay in Adam", doses("weight_decay", 0.02, 0.1, 1.0), with_optimizer("Adam", "RMSprop"), OFTEN
        ),
        form("decay of another team's SGD", doses("weight_decay", 0.015, 0.06, 0.5), PLAIN),
        form("kernel_regularizer on everything", doses("penalty", 5e-3, 0.05, 1.0), always),
        form("decay after the step, not times the rate", doses("shrink", 3e-3, 0.02, 0.2), always),
        form("decay over the rate", doses("weight_decay", 3.0, 12.0, 60.0), with_optimizer("AdamW"), SELDOM),
    ),
    "not-cleared": (
        form("cleared on the copy", gross(clearing="copy"), always, OFTEN, clip=None),
        form(
            "cleared where it is logged", {"clear": {"clearing": "12"}, "gross": {"clearing": "40"}}, PLAIN, OFTEN,
            clip=None,
        ),
        form("cleared once an epoch", gross(clearing="epoch"), always, SOMETIMES, clip=None),
        form("lost in a merge", gross(clearing="never"), always),
    ),
    "not-optimized": (
        form("cells in a plain list", gross(optimized="list"), of(*WINDOWS, "alarms", "queues"), OFTEN),
        form("model loaded after its optimizer", gross(optimized="second_network"), always, OFTEN),
        form("freeze that matches too many names", clear(frozen="recurrence"), always),
        form("group of the recurrence renamed", clear(optimized="no_rnn"), always, SELDOM),
    ),
    "cut-off": (
        form("features under no_grad", gross(cut="no_grad"), always, OFTEN),
        form(".data of the old code", gross(cut="data"), always),
        form("cache of features", gross(cut="cached"), always),
        form("rebuilt out of a list", gross(cut="tensor"), but("invoices", "loglines", "alarms", "queues"), SELDOM),
        form("thresholded to flags", gross(cut="flags"), always, SELDOM),
    ),
    "softmax-twice": (
        form("softmax for serving", gross(output="softmax"), of(*MANY), OFTEN),
        form("activation of the last Dense", gross(output="softmax_layer"), of(*MANY), OFTEN),
        form("sigmoid before the loss with logits", gross(output="double_sigmoid"), of(*YES), OFTEN, ("RD416",)),
    ),
    "broadcast": (
        form("squeezed for the dashboard", gross(shapes="output_flat"), of("meters", "demand"), OFTEN),
        form("column of a table as target", gross(shapes="target_flat"), of("meters", "demand"), OFTEN),
        form("difference of a column and a row", gross(shapes="hand_target_flat"), of("meters"), SOMETIMES),
        form("axis too many in the target", gross(shapes="middle_axis"), of("meters", "demand"), SOMETIMES),
    ),
    "unscaled-inputs": (
        form("counts as they are metered", doses("input_scale", 20.0, 150.0, 2000.0), of(*MEASURED), OFTEN),
        form("absolute pressure", scaled((4.0, 15.0, 60.0), (30.0, 200.0, 1500.0)), of(*MEASURED), OFTEN),
        form(
            "timestamp among the columns",
            together(column_scale=(10.0, 100.0, 1000.0), column_offset=(60.0, 1000.0, 50_000.0)), of(*MEASURED),
        ),
    ),
    "constant-inputs": (
        form("vocabulary of another version", gross(constant="unknown"), of(*CODES), OFTEN),
        form("range of another sensor", gross(constant="other_range"), of(*WINDOWS, "alarms", "queues"), OFTEN),
        form("int32 of the feed", gross(constant="whole_numbers"), of(*WINDOWS, "alarms", "queues")),
        form(
            "join that repeats one row",
            gross(constant="same_sample"), but("churn", "clicks", "tickets"), SELDOM, ("RD426",),
        ),
        form("missing columns filled", gross(constant="zeros"), of(*WINDOWS, "alarms", "queues"), SELDOM),
    ),
    "batch-as-time": (
        form("batch_first lost in a refactoring", gross(axes="no_batch_first"), of(*_ACROSS), OFTEN),
        form("time-major as in the old graph", gross(axes="permuted"), of(*_ACROSS), OFTEN),
        form("loop over the rows", gross(axes="over_rows"), of(*LOOPED), OFTEN),
        form("transpose taken out of the stream", gross(axes="not_transposed"), of("loglines"), SOMETIMES),
    ),
    "padding-read": (
        form("packing taken out for the export", gross(padding="unpacked"), of("clicks"), OFTEN, pad_to=40),
        form("lengths taken after padding", gross(padding="same_length"), of("clicks"), OFTEN, pad_to=40),
        form("newest step of padded rows", gross(padding="newest"), of("clicks"), SOMETIMES, pad_to=30),
        form("mask with the other sense", gross(padding="mask_reversed"), of("tickets"), OFTEN, pad_to=24),
        form("mask lost on the way", clear(padding="unmasked"), of("tickets"), SOMETIMES, pad_to=60),
    ),
    "state-kept": (
        form("stream that is never cut", gross(state="kept"), of("loglines"), OFTEN, state="carried"),
        form("stream whose graph is retained", gross(state="retained"), of("loglines"), SOMETIMES, state="carried"),
        form(
            "cell state forgotten in detach",
            gross(state="cell_kept"), cells("LSTM", "loglines"), SOMETIMES, state="carried",
        ),
    ),
    "detached-steps": (
        form("detached against memory leaks", gross(detach_every=1), of(*LOOPED), OFTEN),
        form("states through the service's array", gross(state="buffer"), of("alarms", "queues"), OFTEN),
        form("detached at every third step", clear(detach_every=3), of(*LOOPED), SELDOM, ("RD105",)),
    ),
    "bad-order": (
        form("table ordered by label", gross(order="sorted"), of(*FILED), OFTEN),
        form("batches shuffled, rows not", gross(order="cut_first"), of("bearings", "churn", "dispatch"), OFTEN),
        form("batch of a debugging session", gross(order="one_batch"), always, OFTEN),
    ),
    "view": (
        form("both directions reshaped", gross(view="ends"), of("clicks"), OFTEN, bidirectional=True),
        form("reshape for a transpose", gross(view="viewed"), of(*_ACROSS, "loglines"), OFTEN, ("RD405",)),
        form("stack reshaped", gross(view="stacked"), of("alarms", "queues", "translit", "churn"), OFTEN),
    ),
    "one-step": (
        form("words as a batch of words", gross(length_one="one_by_one"), of(*CODES), OFTEN),
        form("newest reading alone", gross(length_one="newest"), of(*WINDOWS)),
        form("state made anew in the loop", gross(length_one="forgets"), of(*LOOPED), OFTEN),
    ),
    "wrong-loss": (
        form("NLLLoss kept, log_softmax gone", gross(output="nll"), of(*MANY), OFTEN),
        form("NLLLoss over softmax", gross(output="nll_of_chances"), of(*MANY)),
        form("scores clamped for BCELoss", gross(output="clamped"), of(*YES), OFTEN),
        form("ReLU since nothing sold is negative", gross(output="relu"), numbers),
        form("sign of the likelihood lost", gross(loss_scale=-1.0), always, rules=("RD312",)),
    ),
    "symmetric": (
        form("rows expanded", gross(init="rows_expanded"), always),
        form("buffers of zeros", gross(init="zeros_all"), always),
        form("constant of a unit test", gross(init="same", gain=0.04), always),
    ),
    "vanishing": (
        form(
            "identity times a small number",
            dosed({"init": "identity"}, "gain", (0.4, 0.1, 0.01)), cells("RNN", *_LONG),
        ),
        form(
            "checkpoint without its scale",
            dosed({"init": "rescaled"}, "gain", (0.3, 0.1, 0.01)), cells("RNN", *_LONG),
        ),
        form(
            "forget bias with the wrong sign", dosed({"gate": "forget"}, "gate_bias", (-2.0, -4.0, -8.0)),
            cells("LSTM", *_LONG), OFTEN,
        ),
        form(
            "update gate of the other convention", dosed({"gate": "update"}, "gate_bias", (-2.0, -5.0, -9.0)),
            cells("GRU", *_LONG), SOMETIMES,
        ),
    ),
    "exploding": (
        form("identity times more than one", dosed({"init": "identity"}, "gain", (1.2, 1.6, 3.0)), plain, OFTEN),
        form(
            "weights of torch.rand",
            dosed({"init": "uniform_hh"}, "gain", (0.1, 0.25, 1.2)), plain, OFTEN, ("RD201",),
        ),
        form("weights without their quantization", dosed({"init": "rescaled"}, "gain", (3.0, 6.0, 15.0)), plain, OFTEN),
    ),
    "deep-stack": (
        form("num_layers of a large configuration", doses("layers", 4, 7, 10), cells("LSTM", *LAYERED), OFTEN),
        form("tower of cells", doses("layers", 4, 6, 8), cells("LSTM", *LOOPED), SOMETIMES),
    ),
    "saturated-start": (
        form(
            "prior of rare events in the input gate",
            dosed({"gate": "input"}, "gate_bias", (-3.0, -6.0, -12.0)), lstm,
        ),
        form(
            "prior of rare events in the output gate",
            dosed({"gate": "output"}, "gate_bias", (-4.0, -7.0, -12.0)), lstm,
        ),
        form("update gate that holds on", dosed({"gate": "update"}, "gate_bias", (3.0, 6.0, 11.0)), gru),
        form("one bias for all gates", dosed({"gate": "all"}, "gate_bias", (-4.0, -7.0, -12.0)), gated, SELDOM),
    ),
    "dead-units": (
        form("ReLU cells with a prior", doses("relu_bias", -1.2, -4.0, -10.0), plain, OFTEN, relu_bias=0.0),
        form(
            "dense layer with a prior", doses("dense_bias", -1.5, -5.0, -15.0), of(*MEASURED), OFTEN, ("RD204",)
        ),
    ),
    "not-finite": (
        form("gap in the feed", {"clear": {"not_a_number": 61}, "gross": {"not_a_number": 9}}, of(*MEASURED), OFTEN),
        form("sensor that stands still", gross(broken="std", not_a_number=13), of(*WINDOWS, "alarms", "queues")),
        form("logarithm of nothing sold", gross(broken="log", not_a_number=21), of(*MEASURED)),
        form("divergence by hand", gross(loss_log=True), of(*MANY), SELDOM),
        form("cross entropy of rounded chances", gross(loss_log=True), of(*YES), SELDOM),
    ),
    "overfitting": (
        form(
            "pilot customer alone", doses("samples", 80, 40, 14), of(*FILED), OFTEN, validate_every=5, hidden=55
        ),
        form(
            "week of readings", doses("samples", 60, 30, 12), of("meters", "demand", "alarms", "queues"), OFTEN,
            validate_every=5, hidden=55,
        ),
        form(
            "sample of the archive", doses("samples", 60, 30, 8), of("invoices", "loglines", "translit"), OFTEN,
            validate_every=5, hidden=55,
        ),
    ),
}  # fmt: skip
"""By the name of the fault (faults.py)."""
