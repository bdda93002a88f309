"""How the faults are planted in the reported part, each as people reported it in public; common ones more often.

Doses are multiples of what is good for the healthy twin, or what people write by mistake, whatever a rule may see.
"""

from collections.abc import Mapping
from typing import Any

from ..form import Form, Needs, doses, with_optimizer
from ..planting import COMMON, GITHUB, PLAIN, always, but, cells, dosed, gross, of, scaled
from ..setting import Setting
from ..task import REPORTED, Task

OFTEN, SOMETIMES, SELDOM = 6, 4, 3
"""Rounds of the plan in which a mistake is planted."""
_FORUM = "https://discuss.pytorch.org/t/"

_ADAPTIVE = with_optimizer("Adam", "AdamW")


def _scores(task: Task, setting: Setting) -> bool:
    return task.classes and not task.binary


def _drawn(init: str, mild: float, clear: float) -> dict[str, dict[str, Any]]:
    """Weights drawn too large, grossly with a gain of 1."""
    return {
        "mild": {"init": init, "gain": mild},
        "clear": {"init": init, "gain": clear},
        "gross": {"init": init},
    }


def _form(
    name: str,
    reported: str,
    planted: Mapping[str, Mapping[str, Any]],
    needs: Needs = always,
    rounds: int = SOMETIMES,
    rules: tuple[str, ...] = (),
    **twin: Any,
) -> Form:
    return Form(name, REPORTED, planted, needs, twin, rules, rounds, reported)


_NUMBERS = ("passengers", "adder", "waves", "gestures")
_EITHER_SIGN = ("passengers", "adder", "waves")
"""Tasks whose targets are of either sign."""
_LAYERS = ("generation", "nextword", "pos", "translation", "passengers", "adder", "copying", "gestures")
"""Tasks over torch's layers, read as they come."""
_LAG = ("copying", "gestures", "origins")

FORMS: dict[str, tuple[Form, ...]] = {
    "step-too-large": (
        # lr of 0.03, 0.1 and 1.0, which others take for SGD
        _form(
            "SGD's rate for Adam", GITHUB + "rajveermalviya/language-modeling/issues/3",
            doses("rate", 6.0, 20.0, 200.0), _ADAPTIVE, OFTEN,
        ),
        _form(
            "too high a rate", GITHUB + "guillaumegenthial/sequence_tagging/issues/47", doses("rate", 8.0, 25.0, 80.0),
            with_optimizer("SGD", "momentum", "RMSprop"),
        ),
        _form(
            "sum over the batch", GITHUB + "jax-ml/jax/pull/3113", gross(reduction="sum"), PLAIN, SELDOM, clip=None
        ),
    ),
    "step-too-small": (
        _form(
            "rate of 1e-5", _FORUM + "time-series-the-prediction-result-of-lstm-is-approximately-straight-line/98896",
            doses("rate", 0.06, 0.012, 0.002), _ADAPTIVE, OFTEN,
        ),
        # 0.001 and 0.0001
        _form(
            "Adam's rate for SGD", GITHUB + "testdotai/classifier-builder/pull/6",
            doses("rate", 0.05, 0.01, 0.001), PLAIN,
        ),
    ),
    "over-clipping": (
        _form(
            "norm of a hundredth and less", GITHUB + "facebookresearch/detr/issues/91",
            doses("clip", 0.03, 3e-3, 3e-4), PLAIN, SELDOM,
        ),
        _form(
            "every batch clipped by value", GITHUB + "wandb/senpai/pull/978",
            dosed({"clip_kind": "value"}, "clip", (1e-3, 1e-4, 1e-5)), PLAIN, SELDOM,
        ),
    ),
    "decay-too-fast": (
        _form(
            "StepLR stepped at every batch", GITHUB + "ivadomed/ivadomed/pull/55",
            {
                "mild": {"schedule": "step", "span": 20, "gamma": 0.5},
                "clear": {"schedule": "step", "span": 10, "gamma": 0.3},
                "gross": {"schedule": "step", "span": 4, "gamma": 0.1},
            },
        ),
        _form(
            "ExponentialLR stepped at every batch", GITHUB + "rpryzant/causal-bert-pytorch/issues/9",
            dosed({"schedule": "exponential"}, "gamma", (0.96, 0.9, 0.5)), always, SELDOM,
        ),
        _form(
            "halved again and again", GITHUB + "thuml/Time-Series-Library/issues/315",
            dosed({"schedule": "step", "gamma": 0.5}, "span", (18, 7, 2)), always, SELDOM,
        ),
    ),
    "weight-decay": (
        _form(
            "L2 until nothing is learned", GITHUB + "JulianKlug/PerfusionCT-Net/issues/34",
            doses("weight_decay", 0.02, 0.1, 1.0), with_optimizer("Adam", "SGD", "momentum"), SELDOM,
        ),
        _form(
            "huge decoupled decay", GITHUB + "fastai/fastai/issues/1806", doses("weight_decay", 1.0, 6.0, 25.0),
            with_optimizer("AdamW"), SELDOM,
        ),
    ),
    "not-cleared": (
        _form("zero_grad forgotten", GITHUB + "wenet-e2e/wekws/issues/72", gross(clearing="never"), rounds=OFTEN),
        _form(
            "zero_grad forgotten, nothing clipped", GITHUB + "wz0919/waypoint-predictor/issues/4",
            gross(clearing="never"), rounds=OFTEN, clip=None,
        ),
        _form(
            "zero_grad forgotten beside SGD", GITHUB + "yastrebksv/TennisCourtDetector/issues/7",
            gross(clearing="never"), PLAIN, OFTEN, clip=None,
        ),
        _form(
            "zero_grad once an epoch", GITHUB + "pytorch/pytorch/issues/47175", gross(clearing="epoch"), rounds=OFTEN
        ),
    ),
    "not-optimized": (
        _form(
            "optimizer of the network before", GITHUB + "pytorch/pytorch/issues/14467", gross(optimized="made_anew")
        ),
        _form(
            "plain list of layers", _FORUM + "loss-not-decreasing-in-lstm-network/159152", gross(optimized="list"),
            of("origins", "waves"),
        ),
        _form(
            "optimizer of the encoder", GITHUB + "cabralpinto/modular-diffusion/issues/17",
            gross(optimized="encoder"), of("translation"), SELDOM,
        ),
        _form(
            "optimizer of the decoder", GITHUB + "spro/practical-pytorch/issues/113",
            {"clear": {"optimized": "decoder"}}, of("translation"), SELDOM,
        ),
        _form(
            "last layer left out", GITHUB + "zjunlp/HVPNeT/issues/5", {"clear": {"optimized": "no_head"}}, of("pos"),
            SELDOM,
        ),
    ),
    "cut-off": (
        _form(
            "no_grad around the encoder", GITHUB + "rll-research/cic/issues/5", gross(cut="no_grad"),
            but("origins", "waves"),
        ),
        _form("features detached", GITHUB + "speechbrain/speechbrain/issues/1396", gross(cut="detached")),
        _form("data of the state", GITHUB + "allenai/allennlp/issues/2530", gross(cut="data"), always, SELDOM),
        _form("through numpy", COMMON, gross(cut="numpy"), always, SELDOM),
    ),
    "softmax-twice": (
        _form(
            "softmax in forward", GITHUB + "jindongwang/Deep-learning-activity-recognition/issues/10",
            gross(output="softmax"), _scores, OFTEN,
        ),
        _form(
            "softmax as the last layer", GITHUB + "eriklindernoren/Action-Recognition/issues/23",
            gross(output="softmax_module"), lambda t, s: _scores(t, s) and t.name != "origins" and not s.tied,
        ),
        _form(
            "sigmoid before BCEWithLogitsLoss", GITHUB + "yudi-mars/daisyRec/pull/15", gross(output="sigmoid"),
            of("sentiment"),
        ),
    ),
    "broadcast": (
        _form(
            "target without its axis", GITHUB + "jsboige/CoursIA/pull/926", gross(shapes="target_flat"),
            of("passengers", "adder"), OFTEN,
        ),
        _form(
            "squeezed prediction", GITHUB + "deepset-ai/FARM/issues/229", gross(shapes="output_flat"),
            of("passengers", "adder"),
        ),
        _form(
            "difference by hand", GITHUB + "pytorch/pytorch/issues/4938", gross(shapes="hand_target_flat"),
            of("adder"), SELDOM,
        ),
    ),
    "unscaled-inputs": (
        _form(
            "never normalized", GITHUB + "ageron/handson-ml3/pull/20", doses("input_scale", 30, 200, 5000),
            of(*_NUMBERS),
        ),
        _form(
            "passengers and prices", GITHUB + "nasa/prog_models/issues/334",
            scaled((10.0, 40.0, 120.0), (20.0, 100.0, 280.0)), of(*_NUMBERS), OFTEN,
        ),
        _form(
            "one column on another scale", GITHUB + "Shubble-LLC/shubble/pull/353",
            doses("column_scale", 40.0, 400.0, 10000.0), of("adder", "gestures"), SELDOM,
        ),
    ),
    "constant-inputs": (
        _form(
            "no word is in the vocabulary", GITHUB + "gabrielloye/LSTM_Sentiment-Analysis/issues/2",
            gross(constant="unknown"), of("sentiment", "pos", "translation", "copying"), OFTEN,
        ),
        _form("array that nobody filled", COMMON, gross(constant="zeros"), of(*_NUMBERS, "origins"), SELDOM),
    ),
    "batch-as-time": (
        _form(
            "batch_first missing, reported", GITHUB + "pytorch/pytorch/issues/1538",
            gross(axes="batch_first_missing"), of("passengers", "gestures", "adder", "copying"), OFTEN,
        ),
        _form(
            "batch_first missing in an encoder", GITHUB + "HHTseng/video-classification/issues/42",
            gross(axes="batch_first_missing"), of("translation", "nextword"), SELDOM,
        ),
        _form(
            "time comes first, and batch_first", GITHUB + "pytorch/text/issues/36", gross(axes="batch_first_wrong"),
            of("pos"), SELDOM,
        ),
        _form(
            "loop over the rows of the batch", GITHUB + "hunkim/PyTorchZeroToAll/issues/15", gross(axes="samples"),
            of("waves"), SELDOM,
        ),
    ),
    "padding-read": (
        _form(
            "last column of padded reviews", GITHUB + "keitakurita/practical-torchtext/issues/5",
            gross(padding="last_output"), of("sentiment"), SOMETIMES, pad_to=26,
        ),
        _form(
            "final state of what is not packed", GITHUB + "bentrevett/pytorch-sentiment-analysis/issues/86",
            gross(padding="final_state"), of("sentiment"), SELDOM, pad_to=26,
        ),
        _form(
            "last column after unpacking", COMMON, gross(padding="repadded"),
            of("sentiment"),
        ),
    ),
    "state-kept": (
        _form(
            "state with its graph", GITHUB + "MorvanZhou/PyTorch-Tutorial/issues/57", gross(state="kept"),
            of("nextword"), SOMETIMES, state="carried",
        ),
        _form(
            "retain_graph, as the message says", GITHUB + "sgadgil6/cnslab_fmri/issues/4", gross(state="retained"),
            of("nextword"), SELDOM, state="carried",
        ),
        _form(
            "h alone detached", GITHUB + "quark0/darts/issues/56", gross(state="half"), cells("LSTM", "nextword"),
            SELDOM, state="carried",
        ),
    ),
    "detached-steps": (
        _form(
            "detached at each step", GITHUB + "yhs-968/pyGRU4REC/issues/8", gross(detach_every=1),
            of("waves", "origins"), OFTEN,
        ),
        _form(
            "detached at each step, as in rollouts", GITHUB + "ikostrikov/pytorch-a3c/issues/76",
            {"clear": {"detach_every": 2}}, of("waves"), SELDOM, ("RD105",),
        ),
    ),
    "bad-order": (
        _form(
            "class after class", GITHUB + "levithomason/anny/issues/95", gross(order="by_class"),
            of("sentiment", "origins", "gestures"), OFTEN,
        ),
        _form(
            "first batch of a new iterator", GITHUB + "ZhaoJ9014/face.evoLVe/pull/39", gross(order="new_iterator"),
            of("sentiment", "origins", "nextword", "generation", "copying", "translation"),
        ),
    ),
    "view": (
        _form(
            "final states viewed", GITHUB + "timbmg/Sentence-VAE/issues/15", gross(view="final_state"),
            of("sentiment"), OFTEN, bidirectional=True,
        ),
        _form(
            "final states of two layers viewed", GITHUB + "graykode/nlp-tutorial/issues/38",
            gross(view="final_state"), of("gestures"), SELDOM, layers=2,
        ),
        # What is read step by step then comes from one sample after another.
        _form(
            "input viewed, not transposed", GITHUB + "HHTseng/video-classification/issues/42", gross(view="input"),
            of("gestures", "adder", "copying", "pos", "translation"), SOMETIMES, ("RD405",),
        ),
        _form(
            "scores viewed", GITHUB + "udacity/deep-learning-v2-pytorch/issues/9", gross(view="output"), of("pos")
        ),
    ),
    "one-step": (
        _form(
            "time on the features, reported",
            _FORUM + "time-series-the-prediction-result-of-lstm-is-approximately-straight-line/98896",
            gross(length_one="features"), of("passengers", "gestures"),
        ),
        _form(
            "windows of one value", "https://stats.stackexchange.com/questions/507591",
            gross(length_one="look_back_of_one"), of("passengers"), SOMETIMES,
        ),
        _form(
            "words one by one", COMMON, gross(length_one="single_words"),
            of("nextword"), SELDOM,
        ),
        _form(
            "state not passed on", GITHUB + "HiroIshida/mohou/pull/107", gross(length_one="stateless"),
            of("waves", "origins"),
        ),
    ),
    "wrong-loss": (
        _form("no LogSoftmax before NLLLoss", GITHUB + "pytorch/examples/pull/732", gross(output="nll"), _scores),
        _form(
            "softmax before NLLLoss", GITHUB + "AnubhavGupta3377/Text-Classification-Models-Pytorch/issues/9",
            gross(output="nll_of_chances"), _scores,
        ),
        _form(
            "ReLU after the last layer", GITHUB + "ProteomicsML/ProteomicsML/pull/203", gross(output="relu"),
            of(*_EITHER_SIGN),
        ),
    ),
    "symmetric": (
        _form("weights of zero", GITHUB + "wagonhelm/NaNmnist/issues/2", gross(init="zeros")),
        _form(
            "all weights the same", GITHUB + "nicodjimenez/lstm/pull/4", gross(init="same", gain=0.1)
        ),
    ),
    "vanishing": (
        _form(
            "normal of 0.02 and less", GITHUB + "USGS-R/river-dl/issues/139",
            dosed({"init": "randn_hh"}, "gain", (0.05, 0.02, 0.002)), cells("RNN", *_LAG), SOMETIMES,
        ),
        _form(
            "randn / 1000", GITHUB + "guevara/read-it-later/issues/8634", gross(init="randn", gain=0.001),
            cells("RNN", *_LAG), SELDOM,
        ),
        _form(
            "closed forget gates", GITHUB + "craffel/nntools/issues/19",
            dosed({"gate": "forget"}, "gate_bias", (-2.0, -4.0, -7.0)), cells("LSTM", "copying", "gestures"),
        ),
    ),
    "exploding": (
        _form(
            "randn for weights", GITHUB + "jihunchoi/recurrent-batch-normalization-pytorch/issues/5",
            _drawn("randn_hh", 0.35, 0.6),
            cells("RNN", "copying", "gestures", "passengers", "origins"), SOMETIMES,
        ),
        _form(
            "uniform from -1 to 1", COMMON, _drawn("uniform", 0.4, 0.7),
            cells("RNN", "copying", "gestures", "passengers", "pos"), SOMETIMES,
        ),
    ),
    "deep-stack": (
        _form(
            "more and more layers", GITHUB + "slp-ntua/patrec-labs/issues/73", doses("layers", 4, 7, 11),
            cells("LSTM", "passengers", "gestures", "copying", "pos", "sentiment"),
        ),
        _form(
            "more and more layers of plain units", GITHUB + "karpathy/char-rnn/issues/60", doses("layers", 5, 9, 14),
            cells("RNN", "passengers", "gestures", "copying"), SELDOM,
        ),
    ),
    "saturated-start": (
        # What is meant for the forget gate, in the first quarter.
        _form(
            "bias of the first quarter", GITHUB + "pytorch/pytorch/issues/750",
            dosed({"gate": "input"}, "gate_bias", (-4.0, -7.0, -12.0)), cells("LSTM", *_LAYERS, "waves"), SELDOM,
        ),
        _form(
            "biases of all gates", GITHUB + "kngwyu/Rainy/pull/17",
            dosed({"gate": "all"}, "gate_bias", (-4.0, -7.0, -12.0)), cells("LSTM", *_LAYERS, "waves"), SELDOM,
        ),
    ),
    "dead-units": (
        _form(
            "dense layer of negative numbers", _FORUM + "cross-entropy-loss-is-not-decreasing/43814",
            doses("dense_bias", -2.0, -6.0, -20.0), of("passengers", "gestures"), SELDOM, ("RD204",),
        ),
        _form(
            "recurrence of ReLU that is off", GITHUB + "keras-team/keras/issues/3687",
            doses("relu_bias", -1.5, -4.0, -10.0), cells("RNN", "passengers", "gestures", "copying", "waves"), SELDOM,
            relu_bias=0.0,
        ),
    ),
    "not-finite": (
        _form(
            "one empty cell in the table", GITHUB + "yandexdataschool/nlp_course/issues/15",
            {d: {"not_a_number": n} for d, n in (("clear", 31), ("gross", 9))}, of(*_NUMBERS),
        ),
        _form(
            "target that is missing", GITHUB + "Nixtla/neuralforecast/issues/186",
            gross(broken="target", not_a_number=14), of(*_EITHER_SIGN), SELDOM,
        ),
        _form(
            "window that begins with zero",
            GITHUB + "jaungiers/LSTM-Neural-Network-for-Time-Series-Prediction/issues/66",
            gross(broken="window", not_a_number=18), of("passengers", "waves", "gestures"), SELDOM,
        ),
        _form(
            # The loss leaves it out, and the gradient does not.
            "mean without what is missing", GITHUB + "BLAST-AI-ML/synapse/pull/237",
            gross(broken="masked_target", not_a_number=12), of("adder", "waves"), SELDOM,
        ),
    ),
    "overfitting": (
        _form(
            "small data set", GITHUB + "mttk/rnn-classifier/issues/1", doses("samples", 90, 40, 14),
            of("sentiment", "pos", "gestures", "origins", "translation", "copying"), OFTEN,
            validate_every=5, hidden=100,
        ),
        _form(
            "short history", GITHUB + "bnsreenu/python_for_microscopists/issues/55", doses("samples", 60, 30, 12),
            of("passengers", "waves", "adder"), SELDOM, validate_every=5, hidden=100,
        ),
        _form(
            "little text", GITHUB + "karpathy/nanoGPT/issues/493", doses("samples", 80, 40, 15), of("generation"),
            SELDOM, validate_every=5, hidden=100,
        ),
    ),
}  # fmt: skip
"""By the name of the fault (faults.py)."""
