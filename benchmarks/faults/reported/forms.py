"""How the faults are planted in the reported part, each as people reported it in public; common ones more often.

Doses are multiples of what is good for the healthy twin, or what people write by mistake, whatever a rule may see.
"""

from collections.abc import Mapping
from typing import Any

from ..form import DOSES, Form, Needs, doses, with_optimizer
from ..setting import Setting
from ..task import REPORTED, Task

OFTEN, SOMETIMES, SELDOM = 6, 4, 3
"""Rounds of the plan in which a mistake is planted."""
COMMON = "common"
"""A mistake that no thread was looked up for: it is in every list of such mistakes."""
_GITHUB = "https://github.com/"
_FORUM = "https://discuss.pytorch.org/t/"

_PLAIN = with_optimizer("SGD", "momentum")
_ADAPTIVE = with_optimizer("Adam", "AdamW")


def _always(task: Task, setting: Setting) -> bool:
    return True


def _of(*names: str) -> Needs:
    return lambda task, setting: task.name in names


def _but(*names: str) -> Needs:
    return lambda task, setting: task.name not in names


def _cells(cell: str, *names: str) -> Needs:
    """These tasks over this cell."""
    return lambda task, setting: setting.cell == cell and task.name in names


def _scores(task: Task, setting: Setting) -> bool:
    return task.classes and not task.binary


def _with(changes: Mapping[str, Any], name: str, values: tuple[Any, Any, Any]) -> dict[str, dict[str, Any]]:
    """The same changes in all doses, and one field in doses."""
    return {dose: {**changes, name: value} for dose, value in zip(DOSES, values, strict=True)}


def _gross(**changes: Any) -> dict[str, dict[str, Any]]:
    return {"gross": changes}


def _drawn(init: str, mild: float, clear: float) -> dict[str, dict[str, Any]]:
    """Weights drawn too large, grossly with a gain of 1."""
    return {
        "mild": {"init": init, "gain": mild},
        "clear": {"init": init, "gain": clear},
        "gross": {"init": init},
    }


def _scaled(factors: tuple[float, ...], offsets: tuple[float, ...]) -> dict[str, dict[str, Any]]:
    return {
        dose: {"input_scale": factor, "input_offset": offset}
        for dose, factor, offset in zip(DOSES, factors, offsets, strict=True)
    }


def _form(
    name: str,
    reported: str,
    planted: Mapping[str, Mapping[str, Any]],
    needs: Needs = _always,
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
            "SGD's rate for Adam", _GITHUB + "rajveermalviya/language-modeling/issues/3",
            doses("rate", 6.0, 20.0, 200.0), _ADAPTIVE, OFTEN,
        ),
        _form(
            "too high a rate", _GITHUB + "guillaumegenthial/sequence_tagging/issues/47", doses("rate", 8.0, 25.0, 80.0),
            with_optimizer("SGD", "momentum", "RMSprop"),
        ),
        _form(
            "sum over the batch", _GITHUB + "jax-ml/jax/pull/3113", _gross(reduction="sum"), _PLAIN, SELDOM, clip=None
        ),
    ),
    "step-too-small": (
        _form(
            "rate of 1e-5", _FORUM + "time-series-the-prediction-result-of-lstm-is-approximately-straight-line/98896",
            doses("rate", 0.06, 0.012, 0.002), _ADAPTIVE, OFTEN,
        ),
        # 0.001 and 0.0001
        _form(
            "Adam's rate for SGD", _GITHUB + "testdotai/classifier-builder/pull/6",
            doses("rate", 0.05, 0.01, 0.001), _PLAIN,
        ),
    ),
    "over-clipping": (
        _form(
            "norm of a hundredth and less", _GITHUB + "facebookresearch/detr/issues/91",
            doses("clip", 0.03, 3e-3, 3e-4), _PLAIN, SELDOM,
        ),
        _form(
            "every batch clipped by value", _GITHUB + "wandb/senpai/pull/978",
            _with({"clip_kind": "value"}, "clip", (1e-3, 1e-4, 1e-5)), _PLAIN, SELDOM,
        ),
    ),
    "decay-too-fast": (
        _form(
            "StepLR stepped at every batch", _GITHUB + "ivadomed/ivadomed/pull/55",
            {
                "mild": {"schedule": "step", "span": 20, "gamma": 0.5},
                "clear": {"schedule": "step", "span": 10, "gamma": 0.3},
                "gross": {"schedule": "step", "span": 4, "gamma": 0.1},
            },
        ),
        _form(
            "ExponentialLR stepped at every batch", _GITHUB + "rpryzant/causal-bert-pytorch/issues/9",
            _with({"schedule": "exponential"}, "gamma", (0.96, 0.9, 0.5)), _always, SELDOM,
        ),
        _form(
            "halved again and again", _GITHUB + "thuml/Time-Series-Library/issues/315",
            _with({"schedule": "step", "gamma": 0.5}, "span", (18, 7, 2)), _always, SELDOM,
        ),
    ),
    "weight-decay": (
        _form(
            "L2 until nothing is learned", _GITHUB + "JulianKlug/PerfusionCT-Net/issues/34",
            doses("weight_decay", 0.02, 0.1, 1.0), with_optimizer("Adam", "SGD", "momentum"), SELDOM,
        ),
        _form(
            "huge decoupled decay", _GITHUB + "fastai/fastai/issues/1806", doses("weight_decay", 1.0, 6.0, 25.0),
            with_optimizer("AdamW"), SELDOM,
        ),
    ),
    "not-cleared": (
        _form("zero_grad forgotten", _GITHUB + "wenet-e2e/wekws/issues/72", _gross(clearing="never"), rounds=OFTEN),
        _form(
            "zero_grad forgotten, nothing clipped", _GITHUB + "wz0919/waypoint-predictor/issues/4",
            _gross(clearing="never"), rounds=OFTEN, clip=None,
        ),
        _form(
            "zero_grad forgotten beside SGD", _GITHUB + "yastrebksv/TennisCourtDetector/issues/7",
            _gross(clearing="never"), _PLAIN, OFTEN, clip=None,
        ),
        _form(
            "zero_grad once an epoch", _GITHUB + "pytorch/pytorch/issues/47175", _gross(clearing="epoch"), rounds=OFTEN
        ),
    ),
    "not-optimized": (
        _form(
            "optimizer of the network before", _GITHUB + "pytorch/pytorch/issues/14467", _gross(optimized="made_anew")
        ),
        _form(
            "plain list of layers", _FORUM + "loss-not-decreasing-in-lstm-network/159152", _gross(optimized="list"),
            _of("origins", "waves"),
        ),
        _form(
            "optimizer of the encoder", _GITHUB + "cabralpinto/modular-diffusion/issues/17",
            _gross(optimized="encoder"), _of("translation"), SELDOM,
        ),
        _form(
            "optimizer of the decoder", _GITHUB + "spro/practical-pytorch/issues/113",
            {"clear": {"optimized": "decoder"}}, _of("translation"), SELDOM,
        ),
        _form(
            "last layer left out", _GITHUB + "zjunlp/HVPNeT/issues/5", {"clear": {"optimized": "no_head"}}, _of("pos"),
            SELDOM,
        ),
    ),
    "cut-off": (
        _form(
            "no_grad around the encoder", _GITHUB + "rll-research/cic/issues/5", _gross(cut="no_grad"),
            _but("origins", "waves"),
        ),
        _form("features detached", _GITHUB + "speechbrain/speechbrain/issues/1396", _gross(cut="detached")),
        _form("data of the state", _GITHUB + "allenai/allennlp/issues/2530", _gross(cut="data"), _always, SELDOM),
        _form("through numpy", COMMON, _gross(cut="numpy"), _always, SELDOM),
    ),
    "softmax-twice": (
        _form(
            "softmax in forward", _GITHUB + "jindongwang/Deep-learning-activity-recognition/issues/10",
            _gross(output="softmax"), _scores, OFTEN,
        ),
        _form(
            "softmax as the last layer", _GITHUB + "eriklindernoren/Action-Recognition/issues/23",
            _gross(output="softmax_module"), lambda t, s: _scores(t, s) and t.name != "origins" and not s.tied,
        ),
        _form(
            "sigmoid before BCEWithLogitsLoss", _GITHUB + "yudi-mars/daisyRec/pull/15", _gross(output="sigmoid"),
            _of("sentiment"),
        ),
    ),
    "broadcast": (
        _form(
            "target without its axis", _GITHUB + "jsboige/CoursIA/pull/926", _gross(shapes="target_flat"),
            _of("passengers", "adder"), OFTEN,
        ),
        _form(
            "squeezed prediction", _GITHUB + "deepset-ai/FARM/issues/229", _gross(shapes="output_flat"),
            _of("passengers", "adder"),
        ),
        _form(
            "difference by hand", _GITHUB + "pytorch/pytorch/issues/4938", _gross(shapes="hand_target_flat"),
            _of("adder"), SELDOM,
        ),
    ),
    "unscaled-inputs": (
        _form(
            "never normalized", _GITHUB + "ageron/handson-ml3/pull/20", doses("input_scale", 30, 200, 5000),
            _of(*_NUMBERS),
        ),
        _form(
            "passengers and prices", _GITHUB + "nasa/prog_models/issues/334",
            _scaled((10.0, 40.0, 120.0), (20.0, 100.0, 280.0)), _of(*_NUMBERS), OFTEN,
        ),
        _form(
            "one column on another scale", _GITHUB + "Shubble-LLC/shubble/pull/353",
            doses("column_scale", 40.0, 400.0, 10000.0), _of("adder", "gestures"), SELDOM,
        ),
    ),
    "constant-inputs": (
        _form(
            "no word is in the vocabulary", _GITHUB + "gabrielloye/LSTM_Sentiment-Analysis/issues/2",
            _gross(constant="unknown"), _of("sentiment", "pos", "translation", "copying"), OFTEN,
        ),
        _form("array that nobody filled", COMMON, _gross(constant="zeros"), _of(*_NUMBERS, "origins"), SELDOM),
    ),
    "batch-as-time": (
        _form(
            "batch_first missing, reported", _GITHUB + "pytorch/pytorch/issues/1538",
            _gross(axes="batch_first_missing"), _of("passengers", "gestures", "adder", "copying"), OFTEN,
        ),
        _form(
            "batch_first missing in an encoder", _GITHUB + "HHTseng/video-classification/issues/42",
            _gross(axes="batch_first_missing"), _of("translation", "nextword"), SELDOM,
        ),
        _form(
            "time comes first, and batch_first", _GITHUB + "pytorch/text/issues/36", _gross(axes="batch_first_wrong"),
            _of("pos"), SELDOM,
        ),
        _form(
            "loop over the rows of the batch", _GITHUB + "hunkim/PyTorchZeroToAll/issues/15", _gross(axes="samples"),
            _of("waves"), SELDOM,
        ),
    ),
    "padding-read": (
        _form(
            "last column of padded reviews", _GITHUB + "keitakurita/practical-torchtext/issues/5",
            _gross(padding="last_output"), _of("sentiment"), SOMETIMES, pad_to=26,
        ),
        _form(
            "final state of what is not packed", _GITHUB + "bentrevett/pytorch-sentiment-analysis/issues/86",
            _gross(padding="final_state"), _of("sentiment"), SELDOM, pad_to=26,
        ),
        _form(
            "last column after unpacking", COMMON, _gross(padding="repadded"),
            _of("sentiment"),
        ),
    ),
    "state-kept": (
        _form(
            "state with its graph", _GITHUB + "MorvanZhou/PyTorch-Tutorial/issues/57", _gross(state="kept"),
            _of("nextword"), SOMETIMES, state="carried",
        ),
        _form(
            "retain_graph, as the message says", _GITHUB + "sgadgil6/cnslab_fmri/issues/4", _gross(state="retained"),
            _of("nextword"), SELDOM, state="carried",
        ),
        _form(
            "h alone detached", _GITHUB + "quark0/darts/issues/56", _gross(state="half"), _cells("LSTM", "nextword"),
            SELDOM, state="carried",
        ),
    ),
    "detached-steps": (
        _form(
            "detached at each step", _GITHUB + "yhs-968/pyGRU4REC/issues/8", _gross(detach_every=1),
            _of("waves", "origins"), OFTEN,
        ),
        _form(
            "detached at each step, as in rollouts", _GITHUB + "ikostrikov/pytorch-a3c/issues/76",
            {"clear": {"detach_every": 2}}, _of("waves"), SELDOM, ("RD105",),
        ),
    ),
    "bad-order": (
        _form(
            "class after class", _GITHUB + "levithomason/anny/issues/95", _gross(order="by_class"),
            _of("sentiment", "origins", "gestures"), OFTEN,
        ),
        _form(
            "first batch of a new iterator", _GITHUB + "ZhaoJ9014/face.evoLVe/pull/39", _gross(order="new_iterator"),
            _of("sentiment", "origins", "nextword", "generation", "copying", "translation"),
        ),
    ),
    "view": (
        _form(
            "final states viewed", _GITHUB + "timbmg/Sentence-VAE/issues/15", _gross(view="final_state"),
            _of("sentiment"), OFTEN, bidirectional=True,
        ),
        _form(
            "final states of two layers viewed", _GITHUB + "graykode/nlp-tutorial/issues/38",
            _gross(view="final_state"), _of("gestures"), SELDOM, layers=2,
        ),
        # What is read step by step then comes from one sample after another.
        _form(
            "input viewed, not transposed", _GITHUB + "HHTseng/video-classification/issues/42", _gross(view="input"),
            _of("gestures", "adder", "copying", "pos", "translation"), SOMETIMES, ("RD405",),
        ),
        _form(
            "scores viewed", _GITHUB + "udacity/deep-learning-v2-pytorch/issues/9", _gross(view="output"), _of("pos")
        ),
    ),
    "one-step": (
        _form(
            "time on the features, reported",
            _FORUM + "time-series-the-prediction-result-of-lstm-is-approximately-straight-line/98896",
            _gross(length_one="features"), _of("passengers", "gestures"),
        ),
        _form(
            "windows of one value", "https://stats.stackexchange.com/questions/507591",
            _gross(length_one="look_back_of_one"), _of("passengers"), SOMETIMES,
        ),
        _form(
            "words one by one", COMMON, _gross(length_one="single_words"),
            _of("nextword"), SELDOM,
        ),
        _form(
            "state not passed on", _GITHUB + "HiroIshida/mohou/pull/107", _gross(length_one="stateless"),
            _of("waves", "origins"),
        ),
    ),
    "wrong-loss": (
        _form("no LogSoftmax before NLLLoss", _GITHUB + "pytorch/examples/pull/732", _gross(output="nll"), _scores),
        _form(
            "softmax before NLLLoss", _GITHUB + "AnubhavGupta3377/Text-Classification-Models-Pytorch/issues/9",
            _gross(output="nll_of_chances"), _scores,
        ),
        _form(
            "ReLU after the last layer", _GITHUB + "ProteomicsML/ProteomicsML/pull/203", _gross(output="relu"),
            _of(*_EITHER_SIGN),
        ),
    ),
    "symmetric": (
        _form("weights of zero", _GITHUB + "wagonhelm/NaNmnist/issues/2", _gross(init="zeros")),
        _form(
            "all weights the same", _GITHUB + "nicodjimenez/lstm/pull/4", _gross(init="same", gain=0.1)
        ),
    ),
    "vanishing": (
        _form(
            "normal of 0.02 and less", _GITHUB + "USGS-R/river-dl/issues/139",
            _with({"init": "randn_hh"}, "gain", (0.05, 0.02, 0.002)), _cells("RNN", *_LAG), SOMETIMES,
        ),
        _form(
            "randn / 1000", _GITHUB + "guevara/read-it-later/issues/8634", _gross(init="randn", gain=0.001),
            _cells("RNN", *_LAG), SELDOM,
        ),
        _form(
            "closed forget gates", _GITHUB + "craffel/nntools/issues/19",
            _with({"gate": "forget"}, "gate_bias", (-2.0, -4.0, -7.0)), _cells("LSTM", "copying", "gestures"),
        ),
    ),
    "exploding": (
        _form(
            "randn for weights", _GITHUB + "jihunchoi/recurrent-batch-normalization-pytorch/issues/5",
            _drawn("randn_hh", 0.35, 0.6),
            _cells("RNN", "copying", "gestures", "passengers", "origins"), SOMETIMES,
        ),
        _form(
            "uniform from -1 to 1", COMMON, _drawn("uniform", 0.4, 0.7),
            _cells("RNN", "copying", "gestures", "passengers", "pos"), SOMETIMES,
        ),
    ),
    "deep-stack": (
        _form(
            "more and more layers", _GITHUB + "slp-ntua/patrec-labs/issues/73", doses("layers", 4, 7, 11),
            _cells("LSTM", "passengers", "gestures", "copying", "pos", "sentiment"),
        ),
        _form(
            "more and more layers of plain units", _GITHUB + "karpathy/char-rnn/issues/60", doses("layers", 5, 9, 14),
            _cells("RNN", "passengers", "gestures", "copying"), SELDOM,
        ),
    ),
    "saturated-start": (
        # What is meant for the forget gate, in the first quarter.
        _form(
            "bias of the first quarter", _GITHUB + "pytorch/pytorch/issues/750",
            _with({"gate": "input"}, "gate_bias", (-4.0, -7.0, -12.0)), _cells("LSTM", *_LAYERS, "waves"), SELDOM,
        ),
        _form(
            "biases of all gates", _GITHUB + "kngwyu/Rainy/pull/17",
            _with({"gate": "all"}, "gate_bias", (-4.0, -7.0, -12.0)), _cells("LSTM", *_LAYERS, "waves"), SELDOM,
        ),
    ),
    "dead-units": (
        _form(
            "dense layer of negative numbers", _FORUM + "cross-entropy-loss-is-not-decreasing/43814",
            doses("dense_bias", -2.0, -6.0, -20.0), _of("passengers", "gestures"), SELDOM, ("RD204",),
        ),
        _form(
            "recurrence of ReLU that is off", _GITHUB + "keras-team/keras/issues/3687",
            doses("relu_bias", -1.5, -4.0, -10.0), _cells("RNN", "passengers", "gestures", "copying", "waves"), SELDOM,
            relu_bias=0.0,
        ),
    ),
    "not-finite": (
        _form(
            "one empty cell in the table", _GITHUB + "yandexdataschool/nlp_course/issues/15",
            {d: {"not_a_number": n} for d, n in (("clear", 31), ("gross", 9))}, _of(*_NUMBERS),
        ),
        _form(
            "target that is missing", _GITHUB + "Nixtla/neuralforecast/issues/186",
            _gross(broken="target", not_a_number=14), _of(*_EITHER_SIGN), SELDOM,
        ),
        _form(
            "window that begins with zero",
            _GITHUB + "jaungiers/LSTM-Neural-Network-for-Time-Series-Prediction/issues/66",
            _gross(broken="window", not_a_number=18), _of("passengers", "waves", "gestures"), SELDOM,
        ),
        _form(
            # The loss leaves it out, and the gradient does not.
            "mean without what is missing", _GITHUB + "BLAST-AI-ML/synapse/pull/237",
            _gross(broken="masked_target", not_a_number=12), _of("adder", "waves"), SELDOM,
        ),
    ),
    "overfitting": (
        _form(
            "small data set", _GITHUB + "mttk/rnn-classifier/issues/1", doses("samples", 90, 40, 14),
            _of("sentiment", "pos", "gestures", "origins", "translation", "copying"), OFTEN,
            validate_every=5, hidden=100,
        ),
        _form(
            "short history", _GITHUB + "bnsreenu/python_for_microscopists/issues/55", doses("samples", 60, 30, 12),
            _of("passengers", "waves", "adder"), SELDOM, validate_every=5, hidden=100,
        ),
        _form(
            "little text", _GITHUB + "karpathy/nanoGPT/issues/493", doses("samples", 80, 40, 15), _of("generation"),
            SELDOM, validate_every=5, hidden=100,
        ),
    ),
}  # fmt: skip
"""By the name of the fault (faults.py)."""
