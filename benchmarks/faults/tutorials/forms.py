"""How the faults are planted in the tutorials' part: slips that learners make at a line of such a script.

Doses are multiples of what is good for the healthy twin, or what people write by mistake, whatever a rule may see.
"""

from collections.abc import Mapping
from typing import Any

from ..form import DOSES, Form, Needs, doses, with_optimizer
from ..setting import Setting
from ..task import TUTORIALS, Task

OFTEN, SOMETIMES, SELDOM = 6, 4, 3
"""Rounds of the plan in which a mistake is planted."""
COMMON = "common"
"""A mistake that no thread was looked up for: it is in every list of such mistakes."""
_GITHUB = "https://github.com/"

_PLAIN = with_optimizer("SGD", "momentum")
_ADAPTIVE = with_optimizer("Adam", "AdamW", "NAdam")


def _always(task: Task, setting: Setting) -> bool:
    return True


def _of(*names: str) -> Needs:
    return lambda task, setting: task.name in names


def _but(*names: str) -> Needs:
    return lambda task, setting: task.name not in names


def _cells(cell: str, *names: str) -> Needs:
    """These tasks over this cell."""
    return lambda task, setting: setting.cell == cell and task.name in names


def _gated(task: Task, setting: Setting) -> bool:
    return setting.cell != "RNN" and task.name in _LAYERS


def _scores(task: Task, setting: Setting) -> bool:
    return task.classes and not task.binary


def _plain_scores(task: Task, setting: Setting) -> bool:
    return _scores(task, setting) and setting.optimizer in ("SGD", "momentum")


def _with(changes: Mapping[str, Any], name: str, values: tuple[Any, Any, Any]) -> dict[str, dict[str, Any]]:
    """The same changes in all doses, and one field in doses."""
    return {dose: {**changes, name: value} for dose, value in zip(DOSES, values, strict=True)}


def _gross(**changes: Any) -> dict[str, dict[str, Any]]:
    return {"gross": changes}


def _clear(**changes: Any) -> dict[str, dict[str, Any]]:
    return {"clear": changes}


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
    return Form(name, TUTORIALS, planted, needs, twin, rules, rounds, reported)


_LAYERS = (
    "pixelrows", "prices", "spotting", "tweets", "tunes", "chatbot", "places", "anomaly", "wearable", "documents"
)  # fmt: skip
"""Tasks over torch's layers."""
_MEASURED = ("pixelrows", "prices", "spotting", "plant", "wearable")
_FOLDERS = ("pixelrows", "spotting", "wearable", "tweets", "documents")
"""Tasks whose samples lie in a folder for each class."""

FORMS: dict[str, tuple[Form, ...]] = {
    "step-too-large": (
        _form(
            "rate of a tenth and more, Adam's kin", _GITHUB + "tflearn/tflearn/issues/441",
            doses("rate", 8.0, 30.0, 150.0), _ADAPTIVE, OFTEN,
        ),
        _form(
            "rate of five and more", _GITHUB + "avisingh599/visual-qa/issues/24", doses("rate", 8.0, 25.0, 100.0),
            with_optimizer("SGD", "momentum", "RMSprop"),
        ),
        _form(
            "peak of one cycle", _GITHUB + "ageron/handson-ml2/issues/289",
            _with({"schedule": "high_cycle"}, "gamma", (10.0, 40.0, 150.0)),
            _always, SELDOM, clip=None,
        ),
        _form(
            "warm-up that counts on", COMMON, _gross(schedule="counts_up"),
            with_optimizer("SGD", "momentum", "RMSprop"), SOMETIMES, clip=None,
        ),
        _form(
            "loss times ten thousand", _GITHUB + "areiner222/MDLSTM/issues/3",
            doses("loss_scale", 12.0, 100.0, 1e4), _PLAIN, SELDOM, clip=None,
        ),
    ),
    "step-too-small": (
        _form(
            "rate of a millionth", _GITHUB + "kermitt2/delft/pull/161",
            doses("rate", 0.05, 0.01, 0.0005), _ADAPTIVE, OFTEN,
        ),
        _form(
            "SGD at a thousandth", COMMON, doses("rate", 0.04, 0.008, 0.001), _PLAIN,
        ),
        _form(
            "warm-up of a large model", _GITHUB + "Morizeyao/GPT2-Chinese/issues/60",
            doses("warm_up", 1500, 10_000, 100_000), _always, SELDOM,
        ),
        _form(
            "mean divided once more", COMMON, doses("loss_scale", 0.05, 1 / 128, 1 / 2048), _PLAIN, SELDOM, clip=None,
        ),
    ),
    "over-clipping": (
        _form(
            "norm of a thousandth", _GITHUB + "facebookresearch/detr/issues/198", doses("clip", 0.02, 3e-3, 2e-4),
            _PLAIN, SELDOM,
        ),
        _form(
            "value of a ten-thousandth", _GITHUB + "facebookresearch/Mask2Former/issues/148",
            _with({"clip_kind": "value"}, "clip", (1e-3, 1e-4, 1e-5)), _PLAIN, SELDOM,
        ),
        _form(
            "each gradient clamped by hand", COMMON, _with({"clip_kind": "clamped"}, "clip", (5e-4, 8e-5, 8e-6)),
            _PLAIN, SELDOM,
        ),
    ),
    "decay-too-fast": (
        _form(
            "milestones of epochs at batches", _GITHUB + "leftthomas/SRGAN/issues/94",
            {
                "mild": {"schedule": "milestones", "span": 15, "gamma": 0.3},
                "clear": {"schedule": "milestones", "span": 8, "gamma": 0.2},
                "gross": {"schedule": "milestones", "span": 4, "gamma": 0.1},
            },
        ),
        _form(
            "linear to nothing", _GITHUB + "nodefluxio/vortex/issues/58",
            _with({"schedule": "linear"}, "span", (60, 30, 10)), _always, SELDOM,
        ),
        _form(
            "plateau at every batch", _GITHUB + "abhishekkrthakur/wtfml/issues/7",
            {d: {"schedule": "plateau", "gamma": g} for d, g in (("clear", 0.6), ("gross", 0.1))}, _always, SELDOM,
        ),
        _form(
            "a tenth off by hand each time", _GITHUB + "macournoyer/neuralconvo/issues/40",
            _with({"schedule": "divided"}, "gamma", (0.96, 0.9, 0.6)), _always, SELDOM,
        ),
        _form(
            "inverse time with a huge decay", COMMON, _with({"schedule": "inverse_time"}, "gamma", (0.3, 3.0, 50.0)),
            _always, SELDOM,
        ),
    ),
    "weight-decay": (
        _form(
            "decay of a tenth in Adam", _GITHUB + "santiagxf/trunkbased-mlops/pull/6",
            doses("weight_decay", 0.02, 0.1, 1.0), with_optimizer("Adam", "NAdam", "RMSprop"),
        ),
        _form(
            "decay of ten in AdamW", COMMON, doses("weight_decay", 2.0, 8.0, 30.0), with_optimizer("AdamW"), SELDOM,
        ),
        _form("squares added by hand", COMMON, doses("penalty", 0.003, 0.03, 0.5), _always, SELDOM),
    ),
    "not-cleared": (
        _form(
            "cleared before the loop alone", _GITHUB + "salesforce/corr_based_prediction/issues/1",
            _gross(clearing="once"), _always, OFTEN,
        ),
        _form(
            "cleared before the loop alone, nothing clipped", _GITHUB + "IDEA-Research/DN-DETR/issues/19",
            _gross(clearing="once"), _always, OFTEN, clip=None,
        ),
        _form(
            "cleared when it prints", _GITHUB + "meta-pytorch/opacus/issues/194",
            {"clear": {"clearing": "10"}, "gross": {"clearing": "40"}}, _always, SOMETIMES, clip=None,
        ),
        _form(
            "cleared in the last layer alone", COMMON, _gross(clearing="head"), _but("chatbot"), SELDOM, clip=None,
        ),
    ),
    "not-optimized": (
        _form(
            "last layer alone, as in fine-tuning", COMMON, _gross(optimized="head"), _but("chatbot"), OFTEN,
        ),
        _form(
            "copy that is trained", _GITHUB + "skorch-dev/skorch/issues/317", _gross(optimized="copied"), _always,
            SOMETIMES,
        ),
        _form(
            "layers in a plain list", _GITHUB + "pytorch/pytorch/issues/715",
            _gross(optimized="list"), _of("wearable"),
        ),
        _form(
            "matrices in a plain dictionary", _GITHUB + "pytorch/pytorch/issues/632", _gross(optimized="dictionary"),
            _of("plant"),
        ),
        _form(
            "weights set after the optimizer", _GITHUB + "ikostrikov/pytorch-meta-optimizer/issues/11",
            _clear(optimized="new_weights"), _but("plant"),
        ),
        _form(
            "last layer replaced after the optimizer",
            _GITHUB + "helpmefindaname/transformer-smaller-training-vocab/pull/3",
            _clear(optimized="new_head"), _but("chatbot"), SELDOM,
        ),
        _form(
            "encoder's optimizer alone", _GITHUB + "wiseodd/controlled-text-generation/issues/15",
            _gross(optimized="encoder"), _of("chatbot", "anomaly"), SELDOM,
        ),
        _form(
            "decoder's optimizer alone", _GITHUB + "zhaoyingjun/chatbot/issues/115",
            _clear(optimized="decoder"), _of("chatbot", "anomaly"), SELDOM,
        ),
        _form(
            "embedding left out", _GITHUB + "facebookresearch/mmf/issues/104", _clear(optimized="no_embedding"),
            _of("tweets", "places", "documents", "chatbot"), SELDOM,
        ),
    ),
    "cut-off": (
        _form(
            "decorator of the evaluation left over", COMMON, _gross(cut="decorated"), _always, OFTEN,
        ),
        _form(
            "detached before the last layer", _GITHUB + "lucidrains/CoCa-pytorch/issues/6", _gross(cut="detached"),
        ),
        _form(
            "wrapped in a new tensor", _GITHUB + "isayev/ReLeaSE/issues/39",
            _gross(cut="new_tensor"), _always, SELDOM,
        ),
        _form("a variable of its own", COMMON, _gross(cut="variable"), _always, SELDOM),
        _form("state made zero or one", COMMON, _gross(cut="thresholded"), _always, SELDOM),
    ),
    "softmax-twice": (
        _form(
            "softmax in the last line of forward", _GITHUB + "lansinuote/Huggingface_Toturials/issues/6",
            _gross(output="softmax"), _scores, OFTEN,
        ),
        _form(
            "softmax module at the end", _GITHUB + "vinhkhuc/PyTorch-Mini-Tutorials/issues/1",
            _gross(output="softmax_layer"), _scores,
        ),
        _form(
            "sigmoid before the binary loss with logits", _GITHUB + "lopuhin/kaggle-imet-2019/issues/3",
            _gross(output="sigmoid"), _of("tweets"), SOMETIMES,
            ("RD416",),
        ),
        _form("sigmoid of every class", COMMON, _gross(output="sigmoid"), _scores, SELDOM, ("RD416",)),
        _form(
            "softmax over the batch", _GITHUB + "MicrosoftDocs/pytorchfundamentals/pull/21",
            _gross(output="softmax_over_batch"), _scores, SELDOM, ("RD419",),
        ),
    ),
    "broadcast": (
        _form(
            "target flattened", _GITHUB + "aiboxlab/nlp/issues/97", _gross(shapes="target_flattened"), _of("prices"),
            OFTEN,
        ),
        _form(
            "output indexed", _GITHUB + "jiaqingxie/DeepProtein/issues/1", _gross(shapes="output_indexed"),
            _of("prices"),
        ),
        _form("mean of squares by hand", COMMON, _gross(shapes="by_hand"), _of("prices"), SOMETIMES),
        _form(
            "one target for the batch", _GITHUB + "andrewgcodes/xlstm/issues/4", _gross(shapes="one_target"),
            _of("anomaly"), SOMETIMES,
        ),
    ),
    "unscaled-inputs": (
        _form(
            "pixels up to 255", _GITHUB + "www0wwwjs1/Matrix-Capsules-EM-Tensorflow/issues/51",
            _scaled((30.0, 100.0, 255.0), (20.0, 60.0, 128.0)), _of("pixelrows"),
        ),
        _form(
            "prices as they are", _GITHUB + "harvitronix/reinforcement-learning-car/issues/14",
            _scaled((8.0, 30.0, 300.0), (25.0, 150.0, 3000.0)), _of("prices"),
        ),
        _form(
            "counts of a converter", COMMON, doses("input_scale", 25.0, 250.0, 4096.0), _of("wearable", "plant"),
        ),
        _form(
            "decibels", _GITHUB + "mozilla/TTS/issues/377",
            _scaled((6.0, 12.0, 25.0), (-15.0, -40.0, -90.0)), _of("spotting"), SELDOM
        ),
        _form(
            "one sensor in another unit", _GITHUB + "BrainJS/brain.js/issues/528",
            doses("column_scale", 50.0, 500.0, 20000.0), _of("prices", "wearable", "spotting"), SOMETIMES,
        ),
    ),
    "constant-inputs": (
        _form(
            "vocabulary of another file", COMMON, _gross(constant="other_vocabulary"),
            _of("tweets", "places", "documents", "chatbot", "tunes", "novel"), SOMETIMES,
        ),
        _form("windows never filled", COMMON, _gross(constant="never_filled"), _of(*_MEASURED), SELDOM),
        _form("first row for all", COMMON, _gross(constant="first_row"), _of(*_MEASURED), SELDOM),
    ),
    "batch-as-time": (
        _form(
            "batch_first forgotten", _GITHUB + "pytorch/pytorch/issues/6178", _gross(axes="forgotten"),
            _of("pixelrows", "prices", "anomaly"), OFTEN,
        ),
        _form(
            "batch_first forgotten in the encoder", _GITHUB + "binzhouchn/capsule-pytorch/issues/1",
            _gross(axes="forgotten"), _of("chatbot"), SELDOM,
        ),
        _form(
            "permuted beside batch_first", _GITHUB + "exe1023/LSTM_LN/issues/1", _gross(axes="permuted"),
            _of("prices", "tweets"),
        ),
        _form(
            "transposed beside batch_first, in a stack", _GITHUB + "ndrplz/ConvLSTM_pytorch/pull/22",
            _gross(axes="unbatched_first"), _of("wearable"), SELDOM,
        ),
        _form("tags of time-first data", COMMON, _gross(axes="time_first_data"), _of("places"), SELDOM),
        _form("tune with batch_first", COMMON, _gross(axes="batch_first_wrong"), _of("tunes"), SELDOM),
        _form("loop over rows in a cell by hand", COMMON, _gross(axes="rows"), _of("plant"), SELDOM),
    ),
    "padding-read": (
        _form(
            "padded behind", _GITHUB + "thtrieu/qclass_dl/issues/1", _gross(padding="post"), _of("tweets"), OFTEN,
            pad_to=28,
        ),
        _form(
            "mean over silence", _GITHUB + "vgel/repeng/pull/38", _gross(padding="averaged"), _of("spotting"),
            SOMETIMES, pad_to=40,
        ),
        _form(
            "encoder that reads padding", _GITHUB + "bentrevett/pytorch-sentiment-analysis/issues/5",
            _gross(padding="encoded"), _of("chatbot"), SOMETIMES, pad_to=16,
        ),
    ),
    "state-kept": (
        _form(
            "state of the module with its graph", _GITHUB + "synsense/sinabs/issues/5", _gross(state="kept"),
            _of("tunes"), SOMETIMES, state="carried",
        ),
        _form(
            "graph retained", _GITHUB + "norse/norse/issues/130", _gross(state="retained"), _of("tunes"), SELDOM,
            state="carried",
        ),
        _form(
            "cell state not detached", _GITHUB + "IC3Net/IC3Net/issues/7", _gross(state="cell_kept"),
            _cells("LSTM", "tunes"), SELDOM, state="carried",
        ),
    ),
    "detached-steps": (
        _form(
            "detached at every step by hand", _GITHUB + "ndrplz/ConvLSTM_pytorch/issues/21", _gross(detach_every=1),
            _of("plant", "novel"), OFTEN,
        ),
        _form(
            "detached at every second step", COMMON, _clear(detach_every=2), _of("plant"), SELDOM, ("RD105",)
        ),
    ),
    "bad-order": (
        _form(
            "folder after folder", _GITHUB + "Deci-AI/super-gradients/issues/416", _gross(order="by_folder"),
            _of(*_FOLDERS), OFTEN,
        ),
        _form(
            "test batch left in", _GITHUB + "leohsuofnthu/Pytorch-IterativeFCN/issues/7",
            _gross(order="one_batch"), _always, OFTEN,
        ),
    ),
    "view": (
        _form(
            "both ends viewed", _GITHUB + "graykode/nlp-tutorial/issues/68", _gross(view="both_ways"), _of("tweets"),
            SOMETIMES, bidirectional=True,
        ),
        _form(
            "states of all layers viewed", _GITHUB + "jiesutd/NCRFpp/issues/75", _gross(view="all_layers"),
            _of("pixelrows"), SELDOM, layers=2,
        ),
        _form(
            "channels viewed as time", _GITHUB + "vitrioil/Speech-Separation/issues/4", _gross(view="channels"),
            _of("spotting"),
        ),
        _form(
            "windows viewed as they were read", _GITHUB + "jessicayung/blog-code-snippets/issues/6",
            _gross(view="windows"), _of("wearable"),
        ),
        _form("sentences viewed as documents", COMMON, _gross(view="sentences_first"), _of("documents"), SELDOM),
        _form("state repeated and viewed", COMMON, _gross(view="repeated"), _of("anomaly"), SELDOM),
        _form(
            "classes viewed to the second axis", _GITHUB + "markhliu/DGAI/issues/7",
            _gross(view="class_axis"), _of("places"), SELDOM,
        ),
        _form(
            "answers viewed time first", _GITHUB + "bentrevett/pytorch-seq2seq/issues/94",
            _gross(view="turned"), _of("chatbot"), SELDOM,
        ),
        _form(
            "targets of the other order", _GITHUB + "harvardnlp/namedtensor/issues/66",
            _gross(view="other_order"), _of("tunes"), SELDOM,
        ),
    ),
    "one-step": (
        _form("last day alone", _GITHUB + "titu1994/LSTM-FCN/issues/9", _gross(length_one="last_day"), _of("prices")),
        _form("notes one by one", COMMON, _gross(length_one="single_notes"), _of("tunes")),
        _form(
            "words as rows", _GITHUB + "keras-team/keras/issues/2045",
            _gross(length_one="words_as_rows"), _of("places"),
        ),
        _form(
            "state not handed on by hand", _GITHUB + "pytorch/examples/issues/88", _gross(length_one="forgetful"),
            _of("plant"),
        ),
    ),
    "wrong-loss": (
        _form(
            "scores as logarithms of chances", _GITHUB + "yanx27/Pointnet_Pointnet2_pytorch/issues/30",
            _gross(output="nll"), _scores,
        ),
        _form(
            "chances as their logarithms", _GITHUB + "midas-research/man-sf-emnlp/issues/2",
            _gross(output="chances_into_nll"), _scores,
        ),
        _form(
            "ReLU at the end of a regression", _GITHUB + "keras-team/keras/issues/1874",
            _gross(output="relu"), _of("prices", "plant", "anomaly"),
        ),
        _form(
            "sigmoid at the end of a regression", _GITHUB + "keras-team/keras/issues/1727", _clear(output="sigmoid"),
            _of("prices", "plant", "anomaly"), SELDOM,
        ),
    ),
    "symmetric": (
        _form(
            "everything zero", _GITHUB + "clab/dynet/pull/453",
            _gross(init="everything", gain=0.0), _always, SELDOM,
        ),
        _form(
            "matrices all the same", _GITHUB + "nndl/nndl-discussion/issues/14",
            _gross(init="matrices", gain=0.05), _always, SELDOM,
        ),
    ),
    "vanishing": (
        _form(
            "recurrent weights of a hundredth", _GITHUB + "ufal/neuralmonkey/issues/685",
            _with({"init": "normal_hh"}, "gain", (0.05, 0.01, 0.001)),
            _cells("RNN", "wearable", "plant"), SOMETIMES,
        ),
        _form(
            "Xavier with a gain of a hundredth", COMMON, _with({"init": "xavier_hh"}, "gain", (0.2, 0.05, 0.005)),
            _cells("RNN", "wearable", "plant"), SELDOM,
        ),
        _form(
            "forget gates that are shut", _GITHUB + "coetaur0/ESIM/issues/2",
            _with({"gate": "forget"}, "gate_bias", (-2.0, -4.0, -8.0)), _cells("LSTM", "wearable", "plant"),
        ),
    ),
    "exploding": (
        _form(
            "orthogonal with a gain of more", _GITHUB + "pytorch/pytorch/issues/2623",
            _with({"init": "orthogonal"}, "gain", (1.5, 2.5, 6.0)),
            _cells("RNN", "wearable", "plant", "pixelrows", "prices", "novel"), SOMETIMES,
        ),
        _form(
            "identity times more", _GITHUB + "datawhalechina/leedl-tutorial/issues/40",
            _with({"init": "identity"}, "gain", (1.3, 1.7, 2.5)),
            _cells("RNN", "wearable", "pixelrows", "prices"), SELDOM,
        ),
        _form(
            "normal of one", COMMON, _with({"init": "normal"}, "gain", (0.4, 0.7, 1.5)),
            _cells("RNN", "wearable", "plant", "pixelrows", "prices", "tunes"), SELDOM,
        ),
    ),
    "deep-stack": (
        _form(
            "stack of many layers", _GITHUB + "wenwenyu/PICK-pytorch/issues/40", doses("layers", 4, 7, 11),
            _cells("LSTM", "pixelrows", "prices", "tweets", "places", "spotting", "tunes"),
        ),
        _form(
            "stack in a list of modules", _GITHUB + "sherjilozair/char-rnn-tensorflow/issues/91",
            doses("layers", 4, 7, 11), _cells("LSTM", "wearable"), SELDOM,
        ),
        _form(
            "stack of cells", _GITHUB + "keras-team/keras/issues/10657", doses("layers", 4, 6, 9),
            _cells("LSTM", "novel", "plant"), SELDOM,
        ),
    ),
    "saturated-start": (
        _form(
            "shut input gates", COMMON, _with({"gate": "input"}, "gate_bias", (-4.0, -7.0, -12.0)),
            _cells("LSTM", *_LAYERS, "novel"), SELDOM,
        ),
        _form(
            "shut output gates", COMMON, _with({"gate": "output"}, "gate_bias", (-4.0, -7.0, -12.0)),
            _cells("LSTM", *_LAYERS, "novel"), SELDOM,
        ),
        _form(
            "update gates that keep all", COMMON, _with({"gate": "update"}, "gate_bias", (3.0, 6.0, 10.0)),
            _cells("GRU", *_LAYERS, "novel", "plant"), SELDOM,
        ),
        _form(
            "all gates shut", COMMON, _with({"gate": "all"}, "gate_bias", (-4.0, -7.0, -12.0)), _gated, SELDOM,
        ),
    ),
    "dead-units": (
        _form(
            "dense layer below zero", _GITHUB + "jvargasmu/population_estimation/issues/68",
            doses("dense_bias", -2.0, -6.0, -20.0), _of("prices", "wearable"),
            SOMETIMES, ("RD204",),
        ),
        _form(
            "ReLU recurrence below zero", _GITHUB + "keras-team/keras/issues/7057",
            doses("relu_bias", -1.5, -4.0, -10.0),
            _cells("RNN", "wearable", "plant", "pixelrows", "prices", "novel"), SOMETIMES, relu_bias=0.0,
        ),
    ),
    "not-finite": (
        _form(
            "gap in the sensor", _GITHUB + "timeseriesAI/tsai/issues/506",
            {d: {"not_a_number": n} for d, n in (("clear", 33), ("gross", 8))},
            _of("prices", "plant", "anomaly", "wearable"), OFTEN,
        ),
        _form(
            "label that is empty", _GITHUB + "WUR-AI/AgML-CY-Bench/issues/247",
            _gross(broken="label", not_a_number=15), _of("prices", "plant"), SELDOM,
        ),
        _form(
            "logarithm of a price of zero", _GITHUB + "mrtkp9993/QuantitaveFinanceExamplesPy/issues/2",
            _gross(broken="log", not_a_number=11),
            _of("prices", "anomaly"), SELDOM,
        ),
        _form(
            "window that never moves", _GITHUB + "hfawaz/InceptionTime/issues/50",
            _gross(broken="flat", not_a_number=20), _of("wearable", "anomaly", "plant"), SELDOM,
        ),
        _form(
            "mean over no word at all", _GITHUB + "keras-team/keras/pull/11643",
            _gross(not_a_number=17), _of("places"), SELDOM,
        ),
    ),
    "overfitting": (
        _form(
            "few examples of each class", _GITHUB + "keras-team/keras/issues/3328", doses("samples", 90, 40, 14),
            _of("pixelrows", "spotting", "tweets", "wearable", "documents", "places"), OFTEN,
            validate_every=5, hidden=96,
        ),
        _form(
            "few weeks of data", _GITHUB + "facebookresearch/fairseq/issues/78", doses("samples", 60, 30, 12),
            _of("prices", "plant", "anomaly"), SELDOM, validate_every=5, hidden=96,
        ),
        _form(
            "one page of text", _GITHUB + "codetiger/ThiruvalluvarGPT/issues/4", doses("samples", 300, 100, 40),
            _of("novel"), SELDOM, validate_every=5, hidden=96,
        ),
        _form(
            "short tune", COMMON, doses("samples", 80, 48, 34), _of("tunes"), SELDOM, validate_every=5, hidden=96,
        ),
    ),
}  # fmt: skip
"""By the name of the fault (faults.py)."""
