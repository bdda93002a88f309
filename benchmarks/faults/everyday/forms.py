"""How the faults are planted in the everyday part: as people meet them most often, in the sizes that they write.

Each fault has its usual way, which is planted in most rounds, and one to four others that are common too.
"""

from ..form import Form, doses, with_optimizer
from ..planting import (
    PLAIN,
    always,
    cells,
    clear,
    dosed,
    drawn_anew,
    gated,
    gross,
    numbers,
    of,
    scaled,
    scores,
    together,
)
from .habits import MEASURED, TOKENS
from .planting import (
    ADAPTIVE,
    FILED,
    LOOPED,
    MOSTLY,
    OFTEN,
    SELDOM,
    SOMETIMES,
    form,
)

FORMS: dict[str, tuple[Form, ...]] = {
    "step-too-large": (
        # 0.03, 0.1 and 0.5.
        form("Adam at SGD's rate", doses("rate", 8.0, 25.0, 125.0), ADAPTIVE, MOSTLY),
        # 2.5, 10 and 20: an example of PyTorch's has 20, and clips.
        form("SGD at ten and twenty", doses("rate", 5.0, 20.0, 40.0), PLAIN, OFTEN, clip=None),
        form("losses of a batch added up", gross(reduction="sum"), PLAIN, SOMETIMES, ("RD420",), clip=None),
    ),
    "step-too-small": (
        # 0.01, 0.001 and 0.0001.
        form("SGD at Adam's rate", doses("rate", 0.02, 2e-3, 2e-4), PLAIN, MOSTLY),
        # 1e-4, 1e-5 and 1e-6.
        form("Adam at 1e-5", doses("rate", 0.025, 2.5e-3, 2.5e-4), ADAPTIVE, OFTEN),
        form(
            "mean divided by the batch size again", doses("loss_scale", 1 / 32, 1 / 320, 1 / 1600), PLAIN, SELDOM,
            clip=None,
        ),
        form("four thousand steps of warm-up", doses("warm_up", 1500, 4000, 10_000), always, SELDOM),
    ),
    "over-clipping": (
        form("max_norm of a thousandth", doses("clip", 1e-2, 1e-3, 1e-4), PLAIN, MOSTLY),
        form(
            "clip_value of next to nothing", dosed({"clip_kind": "value"}, "clip", (1e-3, 1e-4, 1e-5)), PLAIN, SOMETIMES
        ),
    ),
    "decay-too-fast": (
        form(
            "StepLR in the loop over batches",
            together(schedule=("steps",) * 3, span=(50, 30, 10), gamma=(0.5, 0.1, 0.1)), always, MOSTLY,
        ),
        form(
            "ExponentialLR in the loop over batches", dosed({"schedule": "exponential"}, "gamma", (0.98, 0.95, 0.9)),
            always, OFTEN,
        ),
        form(
            "plateau of single batches",
            together(schedule=("impatient",) * 3, span=(10, 5, 2), gamma=(0.5, 0.1, 0.1)), always, SOMETIMES,
        ),
    ),
    "weight-decay": (
        form(
            "weight_decay of a tenth in Adam", doses("weight_decay", 0.01, 0.1, 1.0),
            with_optimizer("Adam", "RMSprop"), MOSTLY,
        ),
        form("weight_decay of a tenth in SGD", doses("weight_decay", 0.01, 0.05, 0.3), PLAIN, OFTEN),
        form("L2 over all parameters, by hand", doses("penalty", 1e-3, 0.01, 0.1), always, SOMETIMES),
    ),
    "not-cleared": (
        form("no zero_grad", gross(clearing="never"), always, MOSTLY, clip=None),
        form("zero_grad before the loop over batches", gross(clearing="epoch"), always, SOMETIMES, clip=None),
    ),
    "not-optimized": (
        form("model made anew after its optimizer", gross(optimized="second_network"), always, MOSTLY),
        form("last layer alone", gross(optimized="head"), always, OFTEN),
        form("layers in a Python list", gross(optimized="list"), of("battery", "drivers", "markers"), OFTEN),
        form("encoder forgotten", clear(optimized="decoder"), of("sorting", "cipher"), SOMETIMES),
        form("recurrence left frozen", clear(frozen="recurrence"), always, SOMETIMES),
    ),
    "cut-off": (
        form("detach on the way to the last layer", gross(cut="detached"), always, MOSTLY),
        form("torch.tensor of an output", gross(cut="tensor"), always, OFTEN),
        form("data of an output", gross(cut="data"), always, SOMETIMES),
        form("NumPy on the way", gross(cut="numpy"), always, SOMETIMES),
        form("no_grad around the recurrence", gross(cut="no_grad"), always, SELDOM),
    ),
    "softmax-twice": (
        form("F.softmax at the end of forward", gross(output="softmax"), scores, MOSTLY),
        form("nn.Softmax at the end", gross(output="softmax_layer"), scores, OFTEN),
        form("sigmoid, then CrossEntropyLoss", gross(output="sigmoid"), scores, SELDOM, ("RD416",)),
        form("softmax without its axis", gross(output="wrong_axis"), scores, SELDOM, ("RD419",)),
    ),
    "broadcast": (
        form("target (B), output (B, 1)", gross(shapes="target_flat"), of("weather"), MOSTLY),
        form("output squeezed, target (B, 1)", gross(shapes="output_flat"), of("weather"), OFTEN),
    ),
    "unscaled-inputs": (
        form("scaler forgotten", scaled((8.0, 30.0, 300.0), (15.0, 100.0, 2000.0)), of(*MEASURED), MOSTLY),
        form(
            "one column in another unit",
            together(column_scale=(10.0, 8.0, 800.0), column_offset=(50.0, 1013.0, 101_300.0)), of(*MEASURED), OFTEN,
        ),
        form("readings as the sensor counts them", doses("input_scale", 20.0, 100.0, 1000.0), of(*MEASURED), OFTEN),
    ),
    "constant-inputs": (
        form("every word unknown", gross(constant="unknown"), of(*TOKENS), MOSTLY),
        form("readings cast to long", gross(constant="whole_numbers"), of(*MEASURED), OFTEN),
        form("array never filled", gross(constant="zeros"), of(*MEASURED), SOMETIMES),
        form("index not used", gross(constant="same_sample"), always, SELDOM, ("RD426",)),
    ),
    "batch-as-time": (
        form(
            "batch_first left out", gross(axes="no_batch_first"), of("weather", "drivers", "tongues", "manual"), MOSTLY
        ),
        form("loop over the first axis", gross(axes="rows"), of("battery", "markers"), OFTEN),
        form("permuted once too often", gross(axes="permuted"), of("weather", "drivers", "tongues"), SOMETIMES),
    ),
    "padding-read": (
        form("output[:, -1] of padded texts", gross(padding="last_output"), of("complaints"), MOSTLY, pad_to=40),
        form("last state without packing", gross(padding="last_state"), of("complaints"), MOSTLY, pad_to=40),
    ),
    "state-kept": (
        form("hidden not detached", gross(state="kept"), of("manual"), MOSTLY, state="carried"),
        form("retain_graph to silence it", gross(state="retained"), of("manual"), OFTEN, state="carried"),
        form("h detached, c not", gross(state="half"), cells("LSTM", "manual"), SELDOM, state="carried"),
    ),
    "detached-steps": (
        form("hidden detached in the loop", gross(detach_every=1), of(*LOOPED), MOSTLY),
        form("truncated far too short", clear(detach_every=3), of("battery", "markers"), SOMETIMES, ("RD105",)),
    ),
    "bad-order": (
        form("sorted file, shuffle left out", gross(order="sorted"), of(*FILED), MOSTLY),
        form("one batch, left from debugging", gross(order="one_batch"), always, OFTEN),
    ),
    "view": (
        form("hidden.view(batch, -1)", gross(view="ends"), of("complaints", "tongues"), MOSTLY, bidirectional=True),
        form(
            "view in the place of permute", gross(view="viewed"),
            of("manual", "glossary", "weather", "drivers", "battery", "markers"), MOSTLY, ("RD405",),
        ),
        form("outputs stacked, then viewed", gross(view="stacked"), of("sorting", "cipher"), SOMETIMES),
    ),
    "one-step": (
        form(
            "each step a sequence", gross(length_one="one_by_one"),
            of("manual", "wordclasses", "tongues", "sorting"), OFTEN,
        ),
        form("cell called without its state", gross(length_one="forgets"), of("battery", "markers"), MOSTLY),
        form("last reading alone", gross(length_one="last_alone"), of("weather", "drivers"), SOMETIMES),
    ),
    "wrong-loss": (
        form("NLLLoss of raw scores", gross(output="nll"), scores, MOSTLY),
        form("NLLLoss of a softmax", gross(output="nll_of_chances"), scores, OFTEN),
        form("regression that ends in a ReLU", gross(output="relu"), numbers, OFTEN),
        form("regression that ends in a sigmoid", clear(output="sigmoid"), numbers, SOMETIMES),
    ),
    "symmetric": (
        form("all matrices zero", gross(init="zeros"), always, OFTEN),
        form("all matrices one number", gross(init="same", gain=0.1), always, OFTEN),
    ),
    "vanishing": (
        form(
            "normal of a hundredth", dosed({"init": "normal_recurrence"}, "gain", (0.1, 0.03, 0.01)),
            cells("RNN", "drivers", "markers"), MOSTLY,
        ),
        form("sigmoid in a cell from scratch", gross(activation="sigmoid"), cells("RNN", "markers"), SOMETIMES),
        form(
            "forget gates with a negative bias", dosed({"gate": "forget"}, "gate_bias", (-1.0, -3.0, -5.0)),
            cells("LSTM", "drivers", "markers"), SOMETIMES,
        ),
    ),
    "exploding": (
        form(
            "randn for the matrices", drawn_anew("normal_recurrence", (0.3, 0.5, 1.0)), cells("RNN"),
            MOSTLY,
        ),
        form(
            "ReLU units over randn", drawn_anew("normal_hh", (0.3, 0.4, 1.0)), cells("RNN"), SOMETIMES,
            relu_bias=0.0, clip=None,
        ),
        form(
            "orthogonal with a gain", dosed({"init": "orthogonal"}, "gain", (1.41, 1.67, 3.0)), cells("RNN"), SOMETIMES
        ),
    ),
    "deep-stack": (
        form("num_layers of six and more", doses("layers", 4, 6, 10), cells("LSTM"), MOSTLY),
        form("GRUs upon GRUs", doses("layers", 4, 6, 10), cells("GRU"), OFTEN),
    ),
    "saturated-start": (
        form(
            "normal_ at its defaults", drawn_anew("normal_recurrence", (0.4, 0.7, 1.0)), gated, MOSTLY
        ),
        form("bias of all gates filled", dosed({"gate": "all"}, "gate_bias", (2.0, 5.0, 10.0)), gated, OFTEN),
        form(
            "rand for a matrix", drawn_anew("uniform_hh", (0.1, 0.3, 1.0)),
            cells("RNN", "battery", "markers"), SOMETIMES,
        ),
    ),
    "dead-units": (
        form(
            "dense ReLU units below zero", doses("dense_bias", -1.0, -4.0, -10.0), of("weather", "drivers"), OFTEN,
            ("RD204",),
        ),
        form(
            "recurrent ReLU units below zero", doses("relu_bias", -1.0, -3.0, -8.0), cells("RNN"), OFTEN, relu_bias=0.0
        ),
    ),
    "not-finite": (
        form(
            "missing values in the file", {d: {"not_a_number": n} for d, n in (("clear", 400), ("gross", 40))},
            of(*MEASURED), MOSTLY,
        ),
        form("missing targets", gross(broken="label", not_a_number=40), numbers, OFTEN),
        form("window that stands still", gross(broken="std", not_a_number=80), of(*MEASURED), SOMETIMES),
        form("log of zero in the features", gross(broken="log", not_a_number=80), of(*MEASURED), SOMETIMES),
    ),
    "overfitting": (
        form(
            "small data set, large network", doses("samples", 100, 40, 12), of(*FILED, "wordclasses"), MOSTLY,
            validate_every=5, hidden=110,
        ),
        form(
            "short series or text", doses("samples", 100, 40, 12),
            of("weather", "battery", "manual", "glossary", "sorting", "cipher"), OFTEN, validate_every=5, hidden=110,
        ),
    ),
}  # fmt: skip
"""By the name of the fault (faults.py)."""
