"""How the faults are planted in the studies' part: mistakes that published studies of real faults describe, and the
questions and threads that they collect.

Doses are multiples of what is good for the healthy twin, or what people write by mistake, whatever a rule may see.
"""

from ..form import Form, doses, with_optimizer
from ..planting import (
    COMMON,
    GITHUB,
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
    scores,
    together,
)
from .planting import (
    ADAPTIVE,
    BUGS,
    DEEPCRIME,
    DEEPFD,
    FOLDERS,
    LAYERS,
    MEASURED,
    NEURALINT,
    OFTEN,
    PROGRAM_BUGS,
    QUESTION,
    SELDOM,
    SOMETIMES,
    STEPWISE,
    TAXONOMY,
    TOKENS,
    UMLAUT,
    form,
)

FORMS: dict[str, tuple[Form, ...]] = {
    "step-too-large": (
        # Adam(lr=0.1) is in the benchmark; 0.03 to 1 here.
        form("Adam at a tenth", DEEPFD, doses("rate", 8.0, 25.0, 250.0), ADAPTIVE, OFTEN),
        form(
            "SGD at one and more", QUESTION + "37624102", doses("rate", 7.0, 25.0, 100.0),
            with_optimizer("SGD", "momentum", "RMSprop"), OFTEN,
        ),
        form(
            "errors summed, not averaged", GITHUB + "jcjohnson/pytorch-examples/issues/26", gross(reduction="sum"),
            PLAIN, SELDOM, ("RD420",), clip=None,
        ),
        form(
            "schedule without its scale", GITHUB + "crowsonkb/k-diffusion/issues/50",
            dosed({"schedule": "noam_unscaled"}, "gamma", (10.0, 40.0, 150.0)), always, SELDOM, clip=None,
        ),
        form(
            "cycle that goes too high", UMLAUT, dosed({"schedule": "high_triangles"}, "gamma", (12.0, 40.0, 150.0)),
            always, SELDOM,
        ),
        form(
            "decay upside down", COMMON, dosed({"schedule": "growing"}, "gamma", (1.06, 1.15, 1.4)), always, SELDOM
        ),
    ),
    "step-too-small": (
        form("rate made smaller", DEEPCRIME, doses("rate", 0.05, 0.01, 0.001), ADAPTIVE, OFTEN),
        form("SGD where it takes Adam", QUESTION + "34311586", doses("rate", 0.04, 0.007, 0.0008), PLAIN, OFTEN),
        form(
            "mean of a mean", GITHUB + "twtygqyy/pytorch-SRResNet/issues/15",
            doses("loss_scale", 0.05, 1 / 120, 1 / 1840), PLAIN, SELDOM, clip=None,
        ),
        form("warm-up longer than the training", COMMON, doses("warm_up", 2000, 12_000, 150_000), always, SELDOM),
    ),
    "over-clipping": (
        form(
            "threshold of a ten-thousandth", GITHUB + "twtygqyy/pytorch-vdsr/issues/2",
            doses("clip", 0.015, 2e-3, 1e-4), PLAIN, SELDOM,
        ),
        form(
            "value clipped to less and less", DEEPCRIME,
            dosed({"clip_kind": "value"}, "clip", (8e-4, 1e-4, 1e-5)), PLAIN, SELDOM,
        ),
        form(
            "each parameter on its own", GITHUB + "MathGaron/pytorch_toolbox/issues/23",
            dosed({"clip_kind": "each"}, "clip", (6e-3, 8e-4, 5e-5)), PLAIN, SELDOM,
        ),
        form(
            "rescaled to what was meant for the rate", COMMON,
            dosed({"clip_kind": "rescaled"}, "clip", (0.02, 3e-3, 2e-4)), PLAIN, SELDOM,
        ),
    ),
    "decay-too-fast": (
        form(
            "halved and halved", GITHUB + "ustc-time-series/TimeDART/issues/17",
            dosed({"schedule": "exponential"}, "gamma", (0.95, 0.85, 0.5)),
        ),
        form(
            "steps of batches", GITHUB + "Lornatang/SRGAN-PyTorch/issues/1",
            together(schedule=("steps",) * 3, span=(20, 10, 4), gamma=(0.5, 0.3, 0.1)),
        ),
        form(
            "polynomial of epochs", GITHUB + "pytorch/vision/issues/1261",
            dosed({"schedule": "polynomial"}, "span", (70, 30, 10)), always, SELDOM,
        ),
        form(
            "again after every bad batch", GITHUB + "yandex/faster-rnnlm/issues/3",
            {d: {"schedule": "impatient", "gamma": g} for d, g in (("clear", 0.5), ("gross", 0.1))}, always, SELDOM,
        ),
        form(
            "decay of what was decayed", COMMON, dosed({"schedule": "compounded"}, "gamma", (0.9985, 0.99, 0.9)),
            always, SELDOM,
        ),
    ),
    "weight-decay": (
        form(
            "a hundredth and more in Adam", GITHUB + "deeplearningathome/pytorch-language-model/issues/1",
            doses("weight_decay", 0.02, 0.08, 0.8), with_optimizer("Adam", "Adamax", "RMSprop"),
        ),
        form(
            "a twentieth and more", GITHUB + "tinghuiz/SfMLearner/issues/34",
            doses("weight_decay", 0.015, 0.05, 0.5), PLAIN, SELDOM,
        ),
        form(
            "too much of L1", DEEPCRIME, dosed({"penalty_kind": "absolute"}, "penalty", (1e-3, 0.01, 0.2)), always,
            SELDOM,
        ),
        form("too much of L2", DEEPCRIME, doses("penalty", 4e-3, 0.04, 0.5), always, SELDOM),
        form(
            "decoupled and huge", GITHUB + "deeplearning4j/deeplearning4j/issues/8737",
            doses("weight_decay", 2.0, 8.0, 40.0), with_optimizer("AdamW"), SELDOM,
        ),
    ),
    "not-cleared": (
        form(
            "left out of the trainer", GITHUB + "tenstorrent/tt-blacksmith/pull/711", gross(clearing="once"),
            always, OFTEN,
        ),
        form(
            "left out, nothing clipped", TAXONOMY, gross(clearing="once"), always, OFTEN, clip=None,
        ),
        form(
            "outside the inner loop", GITHUB + "chrischoy/SpatioTemporalSegmentation/issues/46",
            {"clear": {"clearing": "8"}, "gross": {"clearing": "30"}}, always, SOMETIMES, clip=None,
        ),
        form(
            "of one module alone", GITHUB + "tatsu-lab/alpaca_farm/issues/57", gross(clearing="first_module"), always,
            SELDOM, clip=None,
        ),
    ),
    "not-optimized": (
        form(
            "network made twice", GITHUB + "spro/practical-pytorch/issues/9", gross(optimized="second_network"),
            always, OFTEN,
        ),
        form(
            "layers in a list", GITHUB + "pytorch/pytorch/issues/1053", gross(optimized="list"), of("turbine", "beats")
        ),
        form(
            "projection left out", GITHUB + "salesforce/awd-lstm-lm/issues/30", clear(optimized="no_head"),
            but("walks", "calculator"), SELDOM,
        ),
        form(
            "recurrences set up once more", COMMON, clear(optimized="rebuilt"), but("beats"), SELDOM,
        ),
        form(
            "encoder's parameters alone", COMMON, gross(optimized="encoder"), of("walks", "calculator"), SELDOM
        ),
        form(
            "decoder's parameters alone", COMMON, clear(optimized="decoder"), of("walks", "calculator"), SELDOM
        ),
        form("recurrence not trainable", COMMON, clear(optimized="no_recurrence"), always, SELDOM),
    ),
    "cut-off": (
        form(
            "no_grad of a fixed front", GITHUB + "pranoyr/cnn-lstm/issues/6", gross(cut="no_grad"), always, OFTEN
        ),
        form(
            "made a variable that requires a gradient", GITHUB + "speechbrain/speechbrain/issues/735",
            gross(cut="leaf"),
        ),
        form(
            "memory detached", GITHUB + "Peterande/D-FINE/issues/121", gross(cut="detached"), always, SELDOM
        ),
        form("through an array", COMMON, gross(cut="numpy"), always, SELDOM),
        form(
            "rounded on the way", GITHUB + "tensorflow/tensorflow/pull/882", gross(cut="rounded"), always, SELDOM
        ),
    ),
    "softmax-twice": (
        form(
            "softmax in an RNN's forward", GITHUB + "NVIDIA/VariantWorks/pull/134", gross(output="softmax"), scores,
            OFTEN,
        ),
        form(
            "softmax as last layer", GITHUB + "IBM/dstc-noesis/issues/18", gross(output="softmax_layer"),
            scores, OFTEN,
        ),
        form("sigmoid for classes", QUESTION + "55328966", gross(output="sigmoid"), scores, SELDOM, ("RD416",)),
        form("softmax over the first axis", COMMON, gross(output="wrong_axis"), scores, SELDOM, ("RD419",)),
    ),
    "broadcast": (
        form(
            "prediction squeezed", GITHUB + "mlcommons/GaNDLF/issues/134", gross(shapes="squeezed"), of("bikes"), OFTEN
        ),
        form("target made flat", COMMON, gross(shapes="flat_target"), of("bikes"), OFTEN),
        form(
            "target with an axis more", GITHUB + "jiwei0921/CoNet/issues/3", gross(shapes="extra_axis"),
            of("bikes", "walks"), OFTEN,
        ),
    ),
    "unscaled-inputs": (
        form(
            "microvolts and counts", GITHUB + "antonior92/automatic-ecg-diagnosis/issues/10",
            doses("input_scale", 25.0, 200.0, 1000.0), of(*MEASURED), OFTEN,
        ),
        form(
            "no scaler", QUESTION + "39525358",
            together(input_scale=(8.0, 40.0, 150.0), input_offset=(20.0, 120.0, 600.0)), of(*MEASURED), OFTEN,
        ),
        form(
            "pixels of the frame", UMLAUT,
            together(input_scale=(12.0, 50.0, 100.0), input_offset=(16.0, 100.0, 320.0)), of("walks", "turbine"),
        ),
        form(
            "one feature on another scale", QUESTION + "46642627", doses("column_scale", 60.0, 500.0, 20000.0),
            of(*MEASURED), SELDOM,
        ),
    ),
    "constant-inputs": (
        form(
            "no word known", GITHUB + "atulkumarin/DeClare/pull/8", gross(constant="unknown"), of(*TOKENS), OFTEN
        ),
        form(
            "cast to whole numbers", GITHUB + "tensorflow/tensorflow/issues/49496", gross(constant="whole_numbers"),
            of(*MEASURED),
        ),
        form(
            "the same sample for every index", COMMON, gross(constant="same_sample"), always, SELDOM, ("RD426",)
        ),
        form("mean in the place of readings", COMMON, gross(constant="mean"), of(*MEASURED), SELDOM, ("RD426",)),
    ),
    "batch-as-time": (
        form(
            "batch_first taken out", GITHUB + "yunjey/pytorch-tutorial/issues/89", gross(axes="batch_second"),
            of("turbine", "splice", "bikes", "chorale", "movies", "walks"), OFTEN,
        ),
        form(
            "permuted for nothing", PROGRAM_BUGS, gross(axes="permuted"), of("turbine", "splice", "bikes"), SOMETIMES
        ),
        form("loop over the batch", BUGS, gross(axes="over_rows"), of("naming", "beats"), SOMETIMES),
    ),
    "padding-read": (
        form(
            "last state of what is padded", GITHUB + "snap-stanford/GraphRNN/issues/10", gross(padding="unpacked"),
            of("slots", "movies"), OFTEN, pad_to=60,
        ),
        form(
            "length of the padded for all", GITHUB + "zhangj111/astnn/pull/28", gross(padding="same_length"),
            of("slots", "movies"), OFTEN, pad_to=24,
        ),
        form(
            "padding averaged too", GITHUB + "ray-project/ray/issues/8551", gross(padding="averaged"), of("movies"),
            SELDOM, pad_to=24,
        ),
    ),
    "state-kept": (
        form(
            "state handed on with its graph", GITHUB + "Lightning-AI/pytorch-lightning/pull/8145", gross(state="kept"),
            of("chorale"), SOMETIMES, state="carried",
        ),
        form(
            "graph kept for the next window", GITHUB + "OpenNMT/OpenNMT-py/issues/1148", gross(state="retained"),
            of("chorale"), SELDOM, state="carried",
        ),
        form(
            "one of two states detached", GITHUB + "dpressel/dliss-tutorial/issues/1", gross(state="half"),
            cells("LSTM", "chorale"), SELDOM, state="carried",
        ),
    ),
    "detached-steps": (
        form(
            "repackaged at each step", GITHUB + "chickenbestlover/RNN-Time-series-Anomaly-Detection/issues/42",
            gross(detach_every=1), of(*STEPWISE), OFTEN,
        ),
        form("repackaged at every second step", COMMON, clear(detach_every=2), of(*STEPWISE), SELDOM, ("RD105",)),
    ),
    "bad-order": (
        form(
            "sorted by label", GITHUB + "zalandoresearch/fashion-mnist/pull/5", gross(order="sorted"), of(*FOLDERS),
            OFTEN,
        ),
        form(
            "first batch again and again", GITHUB + "wandb/examples/issues/444", gross(order="one_batch"), always, OFTEN
        ),
    ),
    "view": (
        form(
            "both ends viewed as one", GITHUB + "zy1996code/nlp_basic_model/issues/1", gross(view="ends"),
            of("slots", "splice", "movies"), OFTEN, bidirectional=True,
        ),
        form(
            "view where axes change places", GITHUB + "zhouhaoyi/Informer2020/issues/59", gross(view="viewed"),
            of("turbine", "bikes", "chorale", "movies", "beats", "walks"), OFTEN, ("RD405",),
        ),
        form(
            "steps viewed, not transposed", GITHUB + "Stable-Baselines-Team/stable-baselines3-contrib/issues/111",
            gross(view="stacked"), of("naming", "calculator", "walks"), SOMETIMES,
        ),
    ),
    "one-step": (
        form(
            "every step a sequence", GITHUB + "keras-team/keras/issues/1820", gross(length_one="one_by_one"),
            of("slots", "splice", "calculator", "chorale", "movies"),
        ),
        form(
            "last step alone", GITHUB + "liuyinglxl/TrajectoryPrediction/issues/1", gross(length_one="last_alone"),
            of("turbine", "bikes", "walks"),
        ),
        form(
            "state not passed in the loop",
            GITHUB + "benedekrozemberczki/pytorch_geometric_temporal/issues/145", gross(length_one="forgets"),
            of("naming", "beats"),
        ),
    ),
    "wrong-loss": (
        form("scores into NLLLoss", TAXONOMY, gross(output="nll"), scores),
        form(
            "chances without a logarithm", NEURALINT, gross(output="chances_into_nll"), scores,
        ),
        form("ReLU on numbers of either sign", QUESTION + "48251943", gross(output="relu"), numbers),
        form(
            "sigmoid on numbers of either sign", QUESTION + "48221692", clear(output="sigmoid"), numbers, SELDOM
        ),
    ),
    "symmetric": (
        form("matrices of one number", DEEPCRIME, gross(init="same_matrices", gain=0.05), always, SELDOM),
        form("all of one number", NEURALINT, gross(init="all_same", gain=0.1), always, SELDOM),
    ),
    "vanishing": (
        form(
            "recurrent weights of next to nothing", DEEPCRIME,
            dosed({"init": "normal_hh"}, "gain", (0.05, 0.01, 0.001)), cells("RNN", "beats", "turbine", "splice"),
        ),
        form(
            "recurrent weights scaled down", TAXONOMY, dosed({"init": "scaled_hh"}, "gain", (0.4, 0.1, 0.01)),
            cells("RNN", "beats", "turbine", "splice"), SELDOM,
        ),
        form(
            "forget gates closed", GITHUB + "kyegomez/xLSTM/issues/1",
            dosed({"gate": "forget"}, "gate_bias", (-2.0, -4.0, -8.0)), cells("LSTM", "beats", "turbine", "splice"),
        ),
        form(
            "sigmoid in the place of tanh", QUESTION + "39217567", gross(activation="sigmoid"), cells("RNN", "beats"),
            SELDOM,
        ),
    ),
    "exploding": (
        form(
            "orthogonal times more", COMMON, dosed({"init": "orthogonal"}, "gain", (1.5, 2.5, 6.0)),
            cells("RNN", *MEASURED, "splice", "naming"), SOMETIMES,
        ),
        form(
            "deviation of one", DEEPCRIME, dosed({"init": "normal_hh"}, "gain", (0.4, 0.7, 1.5)),
            cells("RNN", *MEASURED, "splice", "chorale", "naming"), SOMETIMES,
        ),
        form(
            "uniform and wide", DEEPCRIME, dosed({"init": "uniform_hh"}, "gain", (0.6, 1.1, 2.5)),
            cells("RNN", *MEASURED, "movies", "slots"), SELDOM,
        ),
        form(
            "no activation, and more than one", UMLAUT,
            doses("gain", 1.2, 1.5, 2.5), cells("RNN", "beats"), SELDOM, activation="linear", init="orthogonal",
        ),
    ),
    "deep-stack": (
        form(
            "layers upon layers", GITHUB + "hill-a/stable-baselines/issues/454", doses("layers", 4, 7, 11),
            cells("LSTM", *LAYERS),
        ),
        form(
            "cells upon cells",
            GITHUB + "praveendareddy21/Stacked_LSTMS_Highway_Residual_On_TimeSeries_Datasets/issues/1",
            doses("layers", 4, 6, 9), cells("LSTM", "naming", "beats"), SELDOM,
        ),
    ),
    "saturated-start": (
        form(
            "input gates with a negative bias", GITHUB + "keras-team/keras/issues/7028",
            dosed({"gate": "input"}, "gate_bias", (-4.0, -7.0, -12.0)), lstm,
            SELDOM,
        ),
        form(
            "output gates with a negative bias", COMMON,
            dosed({"gate": "output"}, "gate_bias", (-4.0, -7.0, -12.0)), lstm,
            SELDOM,
        ),
        form(
            "update gate the other way round", GITHUB + "microsoft/CNTK/issues/3292",
            dosed({"gate": "update"}, "gate_bias", (3.0, 6.0, 10.0)), gru, SELDOM,
        ),
        form("all gates closed", DEEPCRIME, dosed({"gate": "all"}, "gate_bias", (-4.0, -7.0, -12.0)), gated, SELDOM),
    ),
    "dead-units": (
        form(
            "dying ReLU of a dense layer", GITHUB + "thunlp/HATT-Proto/issues/6",
            doses("dense_bias", -2.0, -6.0, -20.0), of("turbine", "bikes", "beats", "walks"), SOMETIMES, ("RD204",),
        ),
        form(
            "dying ReLU of a recurrence", GITHUB + "dangitstam/topic-rnn/pull/9",
            doses("relu_bias", -1.5, -4.0, -10.0), plain, SOMETIMES, relu_bias=0.0,
        ),
    ),
    "not-finite": (
        form(
            "missing reading", GITHUB + "ragulpr/wtte-rnn/issues/7",
            {d: {"not_a_number": n} for d, n in (("clear", 31), ("gross", 9))}, of(*MEASURED), OFTEN,
        ),
        form(
            "label not given", UMLAUT, gross(broken="label", not_a_number=14), numbers, SELDOM,
        ),
        form(
            "deviation of what stands still", GITHUB + "johnglover/sound-rnn/issues/2",
            gross(broken="std", not_a_number=19), of(*MEASURED), SELDOM,
        ),
        form(
            "division by zero", COMMON, gross(broken="infinite", not_a_number=24), of(*MEASURED, "splice"), SELDOM
        ),
        form(
            "slope of a root of zero", GITHUB + "pytorch/pytorch/issues/4320",
            gross(broken="root", not_a_number=11), always, SELDOM,
        ),
        form("mean over nothing", COMMON, gross(broken="empty", not_a_number=17), always, SELDOM),
        form(
            "logarithm of a chance of zero", GITHUB + "skorch-dev/skorch/issues/481", gross(loss_log=True), scores,
            SELDOM,
        ),
    ),
    "overfitting": (
        form(
            "training data taken away", DEEPCRIME, doses("samples", 90, 40, 14),
            of(*FOLDERS, "calculator"), OFTEN, validate_every=5, hidden=88,
        ),
        form(
            "few recordings", GITHUB + "titu1994/LSTM-FCN/issues/6", doses("samples", 60, 30, 12),
            of("bikes", "walks", "beats"), SELDOM, validate_every=5, hidden=88,
        ),
        form(
            "few names and tunes", GITHUB + "MIC-DKFZ/nnUNet/issues/757", doses("samples", 80, 48, 34),
            of("naming", "chorale"), SELDOM, validate_every=5, hidden=88,
        ),
    ),
}  # fmt: skip
"""By the name of the fault (faults.py)."""
