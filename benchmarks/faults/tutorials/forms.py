"""How the faults are planted in the tutorials' part: slips that learners make at a line of such a script.

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
    gross,
    of,
    scaled,
)
from .planting import (
    ADAPTIVE,
    FOLDERS,
    LAYERS,
    MEASURED,
    OFTEN,
    SELDOM,
    SOMETIMES,
    form,
    gated,
    scores,
)

FORMS: dict[str, tuple[Form, ...]] = {
    "step-too-large": (
        form(
            "rate of a tenth and more, Adam's kin", GITHUB + "tflearn/tflearn/issues/441",
            doses("rate", 8.0, 30.0, 150.0), ADAPTIVE, OFTEN,
        ),
        form(
            "rate of five and more", GITHUB + "avisingh599/visual-qa/issues/24", doses("rate", 8.0, 25.0, 100.0),
            with_optimizer("SGD", "momentum", "RMSprop"),
        ),
        form(
            "peak of one cycle", GITHUB + "ageron/handson-ml2/issues/289",
            dosed({"schedule": "high_cycle"}, "gamma", (10.0, 40.0, 150.0)),
            always, SELDOM, clip=None,
        ),
        form(
            "warm-up that counts on", COMMON, gross(schedule="counts_up"),
            with_optimizer("SGD", "momentum", "RMSprop"), SOMETIMES, clip=None,
        ),
        form(
            "loss times ten thousand", GITHUB + "areiner222/MDLSTM/issues/3",
            doses("loss_scale", 12.0, 100.0, 1e4), PLAIN, SELDOM, clip=None,
        ),
    ),
    "step-too-small": (
        form(
            "rate of a millionth", GITHUB + "kermitt2/delft/pull/161",
            doses("rate", 0.05, 0.01, 0.0005), ADAPTIVE, OFTEN,
        ),
        form(
            "SGD at a thousandth", COMMON, doses("rate", 0.04, 0.008, 0.001), PLAIN,
        ),
        form(
            "warm-up of a large model", GITHUB + "Morizeyao/GPT2-Chinese/issues/60",
            doses("warm_up", 1500, 10_000, 100_000), always, SELDOM,
        ),
        form(
            "mean divided once more", COMMON, doses("loss_scale", 0.05, 1 / 128, 1 / 2048), PLAIN, SELDOM, clip=None,
        ),
    ),
    "over-clipping": (
        form(
            "norm of a thousandth", GITHUB + "facebookresearch/detr/issues/198", doses("clip", 0.02, 3e-3, 2e-4),
            PLAIN, SELDOM,
        ),
        form(
            "value of a ten-thousandth", GITHUB + "facebookresearch/Mask2Former/issues/148",
            dosed({"clip_kind": "value"}, "clip", (1e-3, 1e-4, 1e-5)), PLAIN, SELDOM,
        ),
        form(
            "each gradient clamped by hand", COMMON, dosed({"clip_kind": "clamped"}, "clip", (5e-4, 8e-5, 8e-6)),
            PLAIN, SELDOM,
        ),
    ),
    "decay-too-fast": (
        form(
            "milestones of epochs at batches", GITHUB + "leftthomas/SRGAN/issues/94",
            {
                "mild": {"schedule": "milestones", "span": 15, "gamma": 0.3},
                "clear": {"schedule": "milestones", "span": 8, "gamma": 0.2},
                "gross": {"schedule": "milestones", "span": 4, "gamma": 0.1},
            },
        ),
        form(
            "linear to nothing", GITHUB + "nodefluxio/vortex/issues/58",
            dosed({"schedule": "linear"}, "span", (60, 30, 10)), always, SELDOM,
        ),
        form(
            "plateau at every batch", GITHUB + "abhishekkrthakur/wtfml/issues/7",
            {d: {"schedule": "plateau", "gamma": g} for d, g in (("clear", 0.6), ("gross", 0.1))}, always, SELDOM,
        ),
        form(
            "a tenth off by hand each time", GITHUB + "macournoyer/neuralconvo/issues/40",
            dosed({"schedule": "divided"}, "gamma", (0.96, 0.9, 0.6)), always, SELDOM,
        ),
        form(
            "inverse time with a huge decay", COMMON, dosed({"schedule": "inverse_time"}, "gamma", (0.3, 3.0, 50.0)),
            always, SELDOM,
        ),
    ),
    "weight-decay": (
        form(
            "decay of a tenth in Adam", GITHUB + "santiagxf/trunkbased-mlops/pull/6",
            doses("weight_decay", 0.02, 0.1, 1.0), with_optimizer("Adam", "NAdam", "RMSprop"),
        ),
        form(
            "decay of ten in AdamW", COMMON, doses("weight_decay", 2.0, 8.0, 30.0), with_optimizer("AdamW"), SELDOM,
        ),
        form("squares added by hand", COMMON, doses("penalty", 0.003, 0.03, 0.5), always, SELDOM),
    ),
    "not-cleared": (
        form(
            "cleared before the loop alone", GITHUB + "salesforce/corr_based_prediction/issues/1",
            gross(clearing="once"), always, OFTEN,
        ),
        form(
            "cleared before the loop alone, nothing clipped", GITHUB + "IDEA-Research/DN-DETR/issues/19",
            gross(clearing="once"), always, OFTEN, clip=None,
        ),
        form(
            "cleared when it prints", GITHUB + "meta-pytorch/opacus/issues/194",
            {"clear": {"clearing": "10"}, "gross": {"clearing": "40"}}, always, SOMETIMES, clip=None,
        ),
        form(
            "cleared in the last layer alone", COMMON, gross(clearing="head"), but("chatbot"), SELDOM, clip=None,
        ),
    ),
    "not-optimized": (
        form(
            "last layer alone, as in fine-tuning", COMMON, gross(optimized="head"), but("chatbot"), OFTEN,
        ),
        form(
            "copy that is trained", GITHUB + "skorch-dev/skorch/issues/317", gross(optimized="copied"), always,
            SOMETIMES,
        ),
        form(
            "layers in a plain list", GITHUB + "pytorch/pytorch/issues/715",
            gross(optimized="list"), of("wearable"),
        ),
        form(
            "matrices in a plain dictionary", GITHUB + "pytorch/pytorch/issues/632", gross(optimized="dictionary"),
            of("plant"),
        ),
        form(
            "weights set after the optimizer", GITHUB + "ikostrikov/pytorch-meta-optimizer/issues/11",
            clear(optimized="new_weights"), but("plant"),
        ),
        form(
            "last layer replaced after the optimizer",
            GITHUB + "helpmefindaname/transformer-smaller-training-vocab/pull/3",
            clear(optimized="new_head"), but("chatbot"), SELDOM,
        ),
        form(
            "encoder's optimizer alone", GITHUB + "wiseodd/controlled-text-generation/issues/15",
            gross(optimized="encoder"), of("chatbot", "anomaly"), SELDOM,
        ),
        form(
            "decoder's optimizer alone", GITHUB + "zhaoyingjun/chatbot/issues/115",
            clear(optimized="decoder"), of("chatbot", "anomaly"), SELDOM,
        ),
        form(
            "embedding left out", GITHUB + "facebookresearch/mmf/issues/104", clear(optimized="no_embedding"),
            of("tweets", "places", "documents", "chatbot"), SELDOM,
        ),
    ),
    "cut-off": (
        form(
            "decorator of the evaluation left over", COMMON, gross(cut="decorated"), always, OFTEN,
        ),
        form(
            "detached before the last layer", GITHUB + "lucidrains/CoCa-pytorch/issues/6", gross(cut="detached"),
        ),
        form(
            "wrapped in a new tensor", GITHUB + "isayev/ReLeaSE/issues/39",
            gross(cut="new_tensor"), always, SELDOM,
        ),
        form("a variable of its own", COMMON, gross(cut="variable"), always, SELDOM),
        form("state made zero or one", COMMON, gross(cut="thresholded"), always, SELDOM),
    ),
    "softmax-twice": (
        form(
            "softmax in the last line of forward", GITHUB + "lansinuote/Huggingface_Toturials/issues/6",
            gross(output="softmax"), scores, OFTEN,
        ),
        form(
            "softmax module at the end", GITHUB + "vinhkhuc/PyTorch-Mini-Tutorials/issues/1",
            gross(output="softmax_layer"), scores,
        ),
        form(
            "sigmoid before the binary loss with logits", GITHUB + "lopuhin/kaggle-imet-2019/issues/3",
            gross(output="sigmoid"), of("tweets"), SOMETIMES,
            ("RD416",),
        ),
        form("sigmoid of every class", COMMON, gross(output="sigmoid"), scores, SELDOM, ("RD416",)),
        form(
            "softmax over the batch", GITHUB + "MicrosoftDocs/pytorchfundamentals/pull/21",
            gross(output="softmax_over_batch"), scores, SELDOM, ("RD419",),
        ),
    ),
    "broadcast": (
        form(
            "target flattened", GITHUB + "aiboxlab/nlp/issues/97", gross(shapes="target_flattened"), of("prices"),
            OFTEN,
        ),
        form(
            "output indexed", GITHUB + "jiaqingxie/DeepProtein/issues/1", gross(shapes="output_indexed"),
            of("prices"),
        ),
        form("mean of squares by hand", COMMON, gross(shapes="by_hand"), of("prices"), SOMETIMES),
        form(
            "one target for the batch", GITHUB + "andrewgcodes/xlstm/issues/4", gross(shapes="one_target"),
            of("anomaly"), SOMETIMES,
        ),
    ),
    "unscaled-inputs": (
        form(
            "pixels up to 255", GITHUB + "www0wwwjs1/Matrix-Capsules-EM-Tensorflow/issues/51",
            scaled((30.0, 100.0, 255.0), (20.0, 60.0, 128.0)), of("pixelrows"),
        ),
        form(
            "prices as they are", GITHUB + "harvitronix/reinforcement-learning-car/issues/14",
            scaled((8.0, 30.0, 300.0), (25.0, 150.0, 3000.0)), of("prices"),
        ),
        form(
            "counts of a converter", COMMON, doses("input_scale", 25.0, 250.0, 4096.0), of("wearable", "plant"),
        ),
        form(
            "decibels", GITHUB + "mozilla/TTS/issues/377",
            scaled((6.0, 12.0, 25.0), (-15.0, -40.0, -90.0)), of("spotting"), SELDOM
        ),
        form(
            "one sensor in another unit", GITHUB + "BrainJS/brain.js/issues/528",
            doses("column_scale", 50.0, 500.0, 20000.0), of("prices", "wearable", "spotting"), SOMETIMES,
        ),
    ),
    "constant-inputs": (
        form(
            "vocabulary of another file", COMMON, gross(constant="other_vocabulary"),
            of("tweets", "places", "documents", "chatbot", "tunes", "novel"), SOMETIMES,
        ),
        form("windows never filled", COMMON, gross(constant="never_filled"), of(*MEASURED), SELDOM),
        form("first row for all", COMMON, gross(constant="first_row"), of(*MEASURED), SELDOM, ("RD426",)),
    ),
    "batch-as-time": (
        form(
            "batch_first forgotten", GITHUB + "pytorch/pytorch/issues/6178", gross(axes="forgotten"),
            of("pixelrows", "prices", "anomaly"), OFTEN,
        ),
        form(
            "batch_first forgotten in the encoder", GITHUB + "binzhouchn/capsule-pytorch/issues/1",
            gross(axes="forgotten"), of("chatbot"), SELDOM,
        ),
        form(
            "permuted beside batch_first", GITHUB + "exe1023/LSTM_LN/issues/1", gross(axes="permuted"),
            of("prices", "tweets"),
        ),
        form(
            "transposed beside batch_first, in a stack", GITHUB + "ndrplz/ConvLSTM_pytorch/pull/22",
            gross(axes="unbatched_first"), of("wearable"), SELDOM,
        ),
        form("tags of time-first data", COMMON, gross(axes="time_first_data"), of("places"), SELDOM),
        form("tune with batch_first", COMMON, gross(axes="batch_first_wrong"), of("tunes"), SELDOM),
        form("loop over rows in a cell by hand", COMMON, gross(axes="rows"), of("plant"), SELDOM),
    ),
    "padding-read": (
        form(
            "padded behind", GITHUB + "thtrieu/qclass_dl/issues/1", gross(padding="post"), of("tweets"), OFTEN,
            pad_to=28,
        ),
        form(
            "mean over silence", GITHUB + "vgel/repeng/pull/38", gross(padding="averaged"), of("spotting"),
            SOMETIMES, pad_to=40,
        ),
        form(
            "encoder that reads padding", GITHUB + "bentrevett/pytorch-sentiment-analysis/issues/5",
            gross(padding="encoded"), of("chatbot"), SOMETIMES, pad_to=16,
        ),
    ),
    "state-kept": (
        form(
            "state of the module with its graph", GITHUB + "synsense/sinabs/issues/5", gross(state="kept"),
            of("tunes"), SOMETIMES, state="carried",
        ),
        form(
            "graph retained", GITHUB + "norse/norse/issues/130", gross(state="retained"), of("tunes"), SELDOM,
            state="carried",
        ),
        form(
            "cell state not detached", GITHUB + "IC3Net/IC3Net/issues/7", gross(state="cell_kept"),
            cells("LSTM", "tunes"), SELDOM, state="carried",
        ),
    ),
    "detached-steps": (
        form(
            "detached at every step by hand", GITHUB + "ndrplz/ConvLSTM_pytorch/issues/21", gross(detach_every=1),
            of("plant", "novel"), OFTEN,
        ),
        form(
            "detached at every second step", COMMON, clear(detach_every=2), of("plant"), SELDOM, ("RD105",)
        ),
    ),
    "bad-order": (
        form(
            "folder after folder", GITHUB + "Deci-AI/super-gradients/issues/416", gross(order="by_folder"),
            of(*FOLDERS), OFTEN,
        ),
        form(
            "test batch left in", GITHUB + "leohsuofnthu/Pytorch-IterativeFCN/issues/7",
            gross(order="one_batch"), always, OFTEN,
        ),
    ),
    "view": (
        form(
            "both ends viewed", GITHUB + "graykode/nlp-tutorial/issues/68", gross(view="both_ways"), of("tweets"),
            SOMETIMES, bidirectional=True,
        ),
        form(
            "states of all layers viewed", GITHUB + "jiesutd/NCRFpp/issues/75", gross(view="all_layers"),
            of("pixelrows"), SELDOM, layers=2,
        ),
        form(
            "channels viewed as time", GITHUB + "vitrioil/Speech-Separation/issues/4", gross(view="channels"),
            of("spotting"),
        ),
        form(
            "windows viewed as they were read", GITHUB + "jessicayung/blog-code-snippets/issues/6",
            gross(view="windows"), of("wearable"),
        ),
        form("sentences viewed as documents", COMMON, gross(view="sentences_first"), of("documents"), SELDOM),
        form("state repeated and viewed", COMMON, gross(view="repeated"), of("anomaly"), SELDOM),
        form(
            "classes viewed to the second axis", GITHUB + "markhliu/DGAI/issues/7",
            gross(view="class_axis"), of("places"), SELDOM,
        ),
        form(
            "answers viewed time first", GITHUB + "bentrevett/pytorch-seq2seq/issues/94",
            gross(view="turned"), of("chatbot"), SELDOM,
        ),
        form(
            "targets of the other order", GITHUB + "harvardnlp/namedtensor/issues/66",
            gross(view="other_order"), of("tunes"), SELDOM,
        ),
    ),
    "one-step": (
        form("last day alone", GITHUB + "titu1994/LSTM-FCN/issues/9", gross(length_one="last_day"), of("prices")),
        form("notes one by one", COMMON, gross(length_one="single_notes"), of("tunes")),
        form(
            "words as rows", GITHUB + "keras-team/keras/issues/2045",
            gross(length_one="words_as_rows"), of("places"),
        ),
        form(
            "state not handed on by hand", GITHUB + "pytorch/examples/issues/88", gross(length_one="forgetful"),
            of("plant"),
        ),
    ),
    "wrong-loss": (
        form(
            "scores as logarithms of chances", GITHUB + "yanx27/Pointnet_Pointnet2_pytorch/issues/30",
            gross(output="nll"), scores,
        ),
        form(
            "chances as their logarithms", GITHUB + "midas-research/man-sf-emnlp/issues/2",
            gross(output="chances_into_nll"), scores,
        ),
        form(
            "ReLU at the end of a regression", GITHUB + "keras-team/keras/issues/1874",
            gross(output="relu"), of("prices", "plant", "anomaly"),
        ),
        form(
            "sigmoid at the end of a regression", GITHUB + "keras-team/keras/issues/1727", clear(output="sigmoid"),
            of("prices", "plant", "anomaly"), SELDOM,
        ),
    ),
    "symmetric": (
        form(
            "everything zero", GITHUB + "clab/dynet/pull/453",
            gross(init="everything", gain=0.0), always, SELDOM,
        ),
        form(
            "matrices all the same", GITHUB + "nndl/nndl-discussion/issues/14",
            gross(init="matrices", gain=0.05), always, SELDOM,
        ),
    ),
    "vanishing": (
        form(
            "recurrent weights of a hundredth", GITHUB + "ufal/neuralmonkey/issues/685",
            dosed({"init": "normal_hh"}, "gain", (0.05, 0.01, 0.001)),
            cells("RNN", "wearable", "plant"), SOMETIMES,
        ),
        form(
            "Xavier with a gain of a hundredth", COMMON, dosed({"init": "xavier_hh"}, "gain", (0.2, 0.05, 0.005)),
            cells("RNN", "wearable", "plant"), SELDOM,
        ),
        form(
            "forget gates that are shut", GITHUB + "coetaur0/ESIM/issues/2",
            dosed({"gate": "forget"}, "gate_bias", (-2.0, -4.0, -8.0)), cells("LSTM", "wearable", "plant"),
        ),
    ),
    "exploding": (
        form(
            "orthogonal with a gain of more", GITHUB + "pytorch/pytorch/issues/2623",
            dosed({"init": "orthogonal"}, "gain", (1.5, 2.5, 6.0)),
            cells("RNN", "wearable", "plant", "pixelrows", "prices", "novel"), SOMETIMES,
        ),
        form(
            "identity times more", GITHUB + "datawhalechina/leedl-tutorial/issues/40",
            dosed({"init": "identity"}, "gain", (1.3, 1.7, 2.5)),
            cells("RNN", "wearable", "pixelrows", "prices"), SELDOM,
        ),
        form(
            "normal of one", COMMON, dosed({"init": "normal"}, "gain", (0.4, 0.7, 1.5)),
            cells("RNN", "wearable", "plant", "pixelrows", "prices", "tunes"), SELDOM,
        ),
    ),
    "deep-stack": (
        form(
            "stack of many layers", GITHUB + "wenwenyu/PICK-pytorch/issues/40", doses("layers", 4, 7, 11),
            cells("LSTM", "pixelrows", "prices", "tweets", "places", "spotting", "tunes"),
        ),
        form(
            "stack in a list of modules", GITHUB + "sherjilozair/char-rnn-tensorflow/issues/91",
            doses("layers", 4, 7, 11), cells("LSTM", "wearable"), SELDOM,
        ),
        form(
            "stack of cells", GITHUB + "keras-team/keras/issues/10657", doses("layers", 4, 6, 9),
            cells("LSTM", "novel", "plant"), SELDOM,
        ),
    ),
    "saturated-start": (
        form(
            "shut input gates", COMMON, dosed({"gate": "input"}, "gate_bias", (-4.0, -7.0, -12.0)),
            cells("LSTM", *LAYERS, "novel"), SELDOM,
        ),
        form(
            "shut output gates", COMMON, dosed({"gate": "output"}, "gate_bias", (-4.0, -7.0, -12.0)),
            cells("LSTM", *LAYERS, "novel"), SELDOM,
        ),
        form(
            "update gates that keep all", COMMON, dosed({"gate": "update"}, "gate_bias", (3.0, 6.0, 10.0)),
            cells("GRU", *LAYERS, "novel", "plant"), SELDOM,
        ),
        form(
            "all gates shut", COMMON, dosed({"gate": "all"}, "gate_bias", (-4.0, -7.0, -12.0)), gated, SELDOM,
        ),
    ),
    "dead-units": (
        form(
            "dense layer below zero", GITHUB + "jvargasmu/population_estimation/issues/68",
            doses("dense_bias", -2.0, -6.0, -20.0), of("prices", "wearable"),
            SOMETIMES, ("RD204",),
        ),
        form(
            "ReLU recurrence below zero", GITHUB + "keras-team/keras/issues/7057",
            doses("relu_bias", -1.5, -4.0, -10.0),
            cells("RNN", "wearable", "plant", "pixelrows", "prices", "novel"), SOMETIMES, relu_bias=0.0,
        ),
    ),
    "not-finite": (
        form(
            "gap in the sensor", GITHUB + "timeseriesAI/tsai/issues/506",
            {d: {"not_a_number": n} for d, n in (("clear", 33), ("gross", 8))},
            of("prices", "plant", "anomaly", "wearable"), OFTEN,
        ),
        form(
            "label that is empty", GITHUB + "WUR-AI/AgML-CY-Bench/issues/247",
            gross(broken="label", not_a_number=15), of("prices", "plant"), SELDOM,
        ),
        form(
            "logarithm of a price of zero", GITHUB + "mrtkp9993/QuantitaveFinanceExamplesPy/issues/2",
            gross(broken="log", not_a_number=11),
            of("prices", "anomaly"), SELDOM,
        ),
        form(
            "window that never moves", GITHUB + "hfawaz/InceptionTime/issues/50",
            gross(broken="flat", not_a_number=20), of("wearable", "anomaly", "plant"), SELDOM,
        ),
        form(
            "mean over no word at all", GITHUB + "keras-team/keras/pull/11643",
            gross(not_a_number=17), of("places"), SELDOM,
        ),
    ),
    "overfitting": (
        form(
            "few examples of each class", GITHUB + "keras-team/keras/issues/3328", doses("samples", 90, 40, 14),
            of("pixelrows", "spotting", "tweets", "wearable", "documents", "places"), OFTEN,
            validate_every=5, hidden=96,
        ),
        form(
            "few weeks of data", GITHUB + "facebookresearch/fairseq/issues/78", doses("samples", 60, 30, 12),
            of("prices", "plant", "anomaly"), SELDOM, validate_every=5, hidden=96,
        ),
        form(
            "one page of text", GITHUB + "codetiger/ThiruvalluvarGPT/issues/4", doses("samples", 300, 100, 40),
            of("novel"), SELDOM, validate_every=5, hidden=96,
        ),
        form(
            "short tune", COMMON, doses("samples", 80, 48, 34), of("tunes"), SELDOM, validate_every=5, hidden=96,
        ),
    ),
}  # fmt: skip
"""By the name of the fault (faults.py)."""
