"""How the faults are planted in the courses' part: as students hand them in, in the sizes that they write."""

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
from .planting import (
    ADAPTIVE,
    BOTH_WAYS,
    FILED,
    MEASURED,
    MOSTLY,
    OFTEN,
    PLAIN_LAYERS,
    SCRATCH,
    SELDOM,
    SOMETIMES,
    TOKENS,
    UNROLLED,
    form,
)

FORMS: dict[str, tuple[Form, ...]] = {
    "step-too-large": (
        # 0.02, 0.1 and 1.
        form("Adam with lr=0.1", doses("rate", 5.0, 25.0, 250.0), ADAPTIVE, MOSTLY),
        # 0.6, 1.2 and 3 with momentum.
        form("momentum added to a large rate", doses("rate", 10.0, 20.0, 50.0), with_optimizer("momentum"), OFTEN),
        form("reduction='sum'", gross(reduction="sum"), PLAIN, SOMETIMES, ("RD420",), clip=None),
    ),
    "step-too-small": (
        form("SGD with the lr of Adam", doses("rate", 0.03, 3e-3, 3e-4), PLAIN, MOSTLY),
        form("Adam with the lr of fine-tuning", doses("rate", 0.025, 5e-3, 5e-4), ADAPTIVE, OFTEN),
        form("loss divided by batch and length", doses("loss_scale", 1 / 32, 1 / 400, 1 / 2000), PLAIN, SOMETIMES,
             clip=None),
        form("warm-up out of a paper", doses("warm_up", 1000, 4000, 16_000), always, SELDOM),
    ),
    "over-clipping": (
        form("clip_grad_norm_ mistaken for a rate", doses("clip", 1e-2, 1e-3, 1e-4), PLAIN, MOSTLY),
        form("clip_grad_value_ of 1e-4", dosed({"clip_kind": "value"}, "clip", (1e-3, 1e-4, 1e-5)), PLAIN, OFTEN),
    ),
    "decay-too-fast": (
        form(
            "StepLR of epochs, stepped each batch",
            together(schedule=("steps",) * 3, span=(40, 20, 7), gamma=(0.5, 0.1, 0.1)), always, MOSTLY,
        ),
        form("gamma of epochs, stepped each batch", dosed({"schedule": "exponential"}, "gamma", (0.98, 0.95, 0.9)),
             always, OFTEN),
        form(
            "ReduceLROnPlateau on the loss of a batch",
            together(schedule=("impatient",) * 3, span=(8, 4, 1), gamma=(0.5, 0.1, 0.1)), always, SOMETIMES,
        ),
    ),
    "weight-decay": (
        form("weight_decay of a dropout's size", doses("weight_decay", 0.02, 0.1, 0.5),
             with_optimizer("Adam", "RMSprop"), MOSTLY),
        form("weight_decay of a dropout's size in SGD", doses("weight_decay", 0.01, 0.05, 0.2), PLAIN, OFTEN),
        form("sum of squares in the loss", doses("penalty", 1e-3, 0.01, 0.1), always, SOMETIMES),
    ),
    "not-cleared": (
        form("three lines of training without the first", gross(clearing="never"), always, MOSTLY, clip=None),
        form("zero_grad a level of indentation too high", gross(clearing="epoch"), always, SOMETIMES, clip=None),
        form("zero_grad where the loss is printed", {"clear": {"clearing": "10"}, "gross": {"clearing": "50"}}, always,
             SOMETIMES, clip=None),
    ),
    "not-optimized": (
        form("cell of the notebook that builds the model run again", gross(optimized="second_network"), always, MOSTLY),
        form("optimizer of the classifier", gross(optimized="head"), always, OFTEN),
        form("cells in a list", gross(optimized="list"), of(*UNROLLED), OFTEN),
        form("two optimizers planned, one written", clear(optimized="decoder"), of("piglatin"), SOMETIMES),
        form("recurrence frozen", clear(frozen="recurrence"), always, SOMETIMES),
    ),
    "cut-off": (
        form("hidden state detached before the classifier", gross(cut="detached"), always, MOSTLY),
        form("output wrapped in torch.tensor", gross(cut="tensor"), always, OFTEN),
        form("output.data", gross(cut="data"), always, SOMETIMES),
        form("output through NumPy", gross(cut="numpy"), always, SOMETIMES),
        form("with torch.no_grad() over the encoder", gross(cut="no_grad"), always, SOMETIMES),
    ),
    "softmax-twice": (
        form("softmax as the lecture draws it", gross(output="softmax"), scores, MOSTLY),
        form("nn.Softmax in the Sequential", gross(output="softmax_layer"), scores, OFTEN),
        form("torch.sigmoid before CrossEntropyLoss", gross(output="sigmoid"), scores, SELDOM, ("RD416",)),
        form("Softmax(dim=0)", gross(output="wrong_axis"), scores, SELDOM, ("RD419",)),
    ),
    "broadcast": (
        form("y of shape (N,)", gross(shapes="target_flat"), of("sunspots"), MOSTLY),
        form("squeeze() of the prediction", gross(shapes="output_flat"), of("sunspots"), MOSTLY),
    ),
    "unscaled-inputs": (
        form("no MinMaxScaler", scaled((10.0, 40.0, 250.0), (20.0, 120.0, 1500.0)), of(*MEASURED), MOSTLY),
        form("one feature not scaled", together(column_scale=(10.0, 60.0, 500.0), column_offset=(20.0, 300.0, 3000.0)),
             of("vowels", "pendulum"), OFTEN),
        form("int16 samples", doses("input_scale", 20.0, 150.0, 5000.0), of(*MEASURED), OFTEN),
    ),
    "constant-inputs": (
        form("words not in the dictionary", gross(constant="unknown"), of(*TOKENS), MOSTLY),
        form("x cast to long", gross(constant="whole_numbers"), of(*MEASURED), OFTEN),
        form("np.zeros never filled", gross(constant="zeros"), of(*MEASURED), OFTEN),
        form("x[0] in place of x[i]", gross(constant="same_sample"), always, SELDOM, ("RD426",)),
    ),
    "batch-as-time": (
        form("no batch_first=True", gross(axes="no_batch_first"), of(*PLAIN_LAYERS, "casino"), MOSTLY),
        form("for x_t in x", gross(axes="rows"), of(*UNROLLED), OFTEN),
        form("permute(1, 0, 2) and batch_first", gross(axes="permuted"), of("sunspots", "vowels", "reber", "casino"),
             OFTEN),
    ),
    "padding-read": (
        form("out[:, -1] with padding", gross(padding="last_output"), of("morse", "headlines"), MOSTLY, pad_to=40),
        form("h_n without pack_padded_sequence", gross(padding="last_state"), of("morse", "headlines"), MOSTLY,
             pad_to=40),
    ),
    "state-kept": (
        form("state of the batch before", gross(state="kept"), of("charnames"), MOSTLY, state="carried"),
        form("retain_graph=True as the error says", gross(state="retained"), of("charnames"), OFTEN, state="carried"),
        form("one of (h, c) detached", gross(state="half"), cells("LSTM", "charnames"), SELDOM, state="carried"),
    ),
    "detached-steps": (
        form("h.detach() at every step", gross(detach_every=1), of(*UNROLLED, "piglatin"), MOSTLY),
        form("BPTT cut after two steps", clear(detach_every=2), of(*UNROLLED), OFTEN, ("RD105",)),
    ),
    "bad-order": (
        form("data set that comes class by class", gross(order="sorted"), of(*FILED), MOSTLY),
        form("next(iter(loader))", gross(order="one_batch"), always, OFTEN),
    ),
    "view": (
        form("h_n.view(batch, -1)", gross(view="ends"), of("morse", "headlines"), MOSTLY, bidirectional=True),
        form("view(seq, batch, -1)", gross(view="viewed"), of(*PLAIN_LAYERS, *UNROLLED, "reber", *BOTH_WAYS), MOSTLY,
             ("RD405",)),
        form("stack, then view", gross(view="stacked"), of("piglatin"), SOMETIMES),
    ),
    "one-step": (
        form("seq_len of one", gross(length_one="one_by_one"), of("charnames", "reber", "casino", "piglatin"), OFTEN),
        form("init_hidden in the loop", gross(length_one="forgets"), of(*UNROLLED), MOSTLY),
        form("x[:, -1:]", gross(length_one="last_alone"), of("sunspots", "vowels"), OFTEN),
    ),
    "wrong-loss": (
        form("NLLLoss without log_softmax", gross(output="nll"), scores, MOSTLY),
        form("NLLLoss after softmax", gross(output="nll_of_chances"), scores, OFTEN),
        form("ReLU on a regression", gross(output="relu"), numbers, OFTEN),
        form("sigmoid on a regression", clear(output="sigmoid"), numbers, SOMETIMES),
    ),
    "symmetric": (
        form("nn.init.zeros_ for reproducible runs", gross(init="zeros"), always, OFTEN),
        form("weights of one number", gross(init="same", gain=0.05), always, OFTEN),
    ),
    "vanishing": (
        form("0.01 * randn", dosed({"init": "normal_recurrence"}, "gain", (0.1, 0.04, 0.01)), cells("RNN", *SCRATCH),
             MOSTLY),
        form("sigmoid in place of tanh", gross(activation="sigmoid"), cells("RNN", *SCRATCH), OFTEN),
        form("forget gate with its sign turned", dosed({"gate": "forget"}, "gate_bias", (-1.0, -3.0, -6.0)),
             cells("LSTM", *SCRATCH), OFTEN),
    ),
    "exploding": (
        form("torch.randn as weights", drawn_anew("normal_recurrence", (0.3, 0.5, 1.0)), cells("RNN"), MOSTLY),
        form("ReLU recurrence over randn", drawn_anew("normal_hh", (0.3, 0.4, 0.8)), cells("RNN"), SOMETIMES,
             relu_bias=0.0, clip=None),
        form("orthogonal_ with the gain of another layer", dosed({"init": "orthogonal"}, "gain", (1.41, 1.67, 3.0)),
             cells("RNN"), SOMETIMES),
    ),
    "deep-stack": (
        form("the deeper the better", doses("layers", 4, 6, 9), cells("LSTM"), MOSTLY),
        form("stack of GRUs", doses("layers", 4, 6, 9), cells("GRU"), OFTEN),
    ),
    "saturated-start": (
        form("torch.randn as weights of gates", drawn_anew("normal_recurrence", (0.4, 0.7, 1.0)), gated, MOSTLY),
        form("all biases of the gates filled", dosed({"gate": "all"}, "gate_bias", (2.0, 5.0, 10.0)), gated, OFTEN),
        form("torch.rand as weights", drawn_anew("uniform_hh", (0.1, 0.3, 1.0)), cells("RNN", *UNROLLED), SOMETIMES),
    ),
    "dead-units": (
        form("hidden layer of the classifier below zero", doses("dense_bias", -1.0, -4.0, -10.0),
             of("sunspots", "vowels"), MOSTLY, ("RD204",)),
        form("nonlinearity='relu' over biases below zero", doses("relu_bias", -1.0, -3.0, -8.0), cells("RNN"), OFTEN,
             relu_bias=0.0),
    ),
    "not-finite": (
        form("rows of the CSV are empty", {d: {"not_a_number": n} for d, n in (("clear", 360), ("gross", 36))},
             of(*MEASURED), MOSTLY),
        form("labels of the CSV are empty", gross(broken="label", not_a_number=36), numbers, OFTEN),
        form("standardized by a deviation of zero", gross(broken="std", not_a_number=60), of(*MEASURED), SOMETIMES),
        form("np.log of a count of zero", gross(broken="log", not_a_number=60), of(*MEASURED), SOMETIMES),
    ),
    "overfitting": (
        form("a handful of samples", doses("samples", 90, 36, 12), of(*FILED), MOSTLY, validate_every=5, hidden=104),
        form("a subset to test with, left in", doses("samples", 90, 36, 12),
             of("sunspots", "pendulum", "charnames", "piglatin", "casino"), OFTEN, validate_every=5, hidden=104),
    ),
}  # fmt: skip
"""By the name of the fault (faults.py)."""
