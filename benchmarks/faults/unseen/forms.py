"""How the faults are planted in the unseen part: as people ask about them in forums, where they fit its networks.

Doses are multiples of what is good for the healthy twin, or what people write by mistake, whatever a rule may see.
"""

from typing import Any

from ..form import DOSES, Form, Needs, doses, with_optimizer
from ..planting import PLAIN, always, but, cells, of
from ..setting import Setting
from ..task import UNSEEN, Task

_ADAPTIVE = with_optimizer("Adam", "AdamW", "Adamax")


def _plain(*names: str) -> Needs:
    """Tasks that are trained by gradient descent, with or without momentum."""
    return lambda task, setting: task.name in names and PLAIN(task, setting)


def _scores(task: Task, setting: Setting) -> bool:
    return task.name in ("surnames", "inflections", "numerals", "sentences", "orders")


_WHOLE = ("traffic", "signatures", "orders")
"""Tasks whose layers read sequences of one length, and are read at their end."""
_LAYERS = (*_WHOLE, "phones", "heartbeats")
_CLASSES = ("surnames", "reviews", "signatures", "orders", "traffic")
"""Tasks with one answer a sequence, by which it can be sorted."""
_MEASURED = ("traffic", "signatures", "heartbeats", "phones", "corridor")
"""Tasks whose inputs are numbers alone."""
_LAG = ("surnames", "corridor", "orders")
"""Tasks whose lag is known."""


def _with(changes: dict[str, Any], name: str, values: tuple[Any, Any, Any]) -> dict[str, dict[str, Any]]:
    """The same changes in all doses, and one field in doses."""
    return {dose: {**changes, name: value} for dose, value in zip(DOSES, values, strict=True)}


def _form(name: str, planted: Any, needs: Needs = always, rules: tuple[str, ...] = (), **twin: Any) -> Form:
    return Form(name, UNSEEN, planted, needs, twin, rules)


FORMS: dict[str, tuple[Form, ...]] = {
    "step-too-large": (
        _form("rate, unseen", doses("rate", 10, 40, 150)),
        _form("rate of SGD for Adam", {"clear": {"rate": 20.0}, "gross": {"rate": 200.0}}, _ADAPTIVE),  # 0.1, 1.0
        _form("accumulated without dividing", {"gross": {"divided": False}}, PLAIN, accumulate=12, batch=8, clip=None),
        _form(
            "summed over words", {"gross": {"reduction": "sum"}}, _plain("sentences", "inflections"), ("RD420",),
            clip=None,
        ),
    ),
    "step-too-small": (
        _form("rate, unseen", doses("rate", 0.05, 0.012, 0.0015)),
        _form("rate of fine-tuning", {"clear": {"rate": 0.02}, "gross": {"rate": 0.002}}, _ADAPTIVE),  # 1e-4, 1e-5
        _form("rate of Adam for SGD", {"clear": {"rate": 0.02}, "gross": {"rate": 0.0025}}, with_optimizer("SGD")),
        _form("divided twice", doses("loss_scale", 0.04, 0.01, 0.002), PLAIN, clip=None),
        _form("cycle counted in epochs", _with({"schedule": "late_cycle"}, "gamma", (25.0, 100.0, 1e4))),
    ),
    "over-clipping": (
        _form("norm, unseen", doses("clip", 2e-2, 2e-3, 2e-4), PLAIN),
        _form("value, unseen", _with({"clip_kind": "value"}, "clip", (5e-4, 5e-5, 5e-6)), PLAIN),
        _form("scaled by hand", _with({"clip_kind": "scaled"}, "clip", (1e-2, 1e-3, 1e-4)), PLAIN),
    ),
    "decay-too-fast": (
        _form("every batch", _with({"schedule": "exponential"}, "gamma", (0.95, 0.85, 0.6))),
        _form("step size in epochs", _with({"schedule": "step"}, "span", (30, 10, 4))),
        _form("adjusted by hand", _with({"schedule": "by_hand"}, "span", (25, 10, 3))),
    ),
    "weight-decay": (
        _form("sum of absolutes", _with({"penalty_kind": "absolute"}, "penalty", (1e-3, 5e-3, 3e-2))),
        _form("sum of norms", _with({"penalty_kind": "norms"}, "penalty", (0.02, 0.1, 0.5))),
        _form(
            "in the gradient, unseen", doses("weight_decay", 0.03, 0.15, 0.8),
            with_optimizer("Adam", "Adamax", "RMSprop", "momentum", "SGD"),
        ),
        _form("decoupled, unseen", doses("weight_decay", 1.0, 5.0, 25.0), with_optimizer("AdamW")),
    ),
    "not-cleared": (
        _form("never, unseen", {"gross": {"clearing": "never"}}),
        _form("where it was accumulated", doses("clearing", "3", "8", "30")),
        _form("one optimizer of two", {"gross": {"clearing": "one_of_two"}}, of("numerals")),
    ),
    "not-optimized": (
        _form("made in forward", {"gross": {"optimized": "in_forward"}}),
        _form("frozen but the head", {"gross": {"optimized": "frozen"}}),
        _form("thawed too late", {"clear": {"optimized": "thawed"}}),
        _form("the decoder's alone", {"clear": {"optimized": "decoder"}}, of("numerals")),
    ),
    "cut-off": (
        _form("between encoder and decoder", {"gross": {"cut": "between"}}, of("numerals", "heartbeats")),
        _form("no_grad, unseen", {"gross": {"cut": "no_grad"}}, of(*_LAYERS, "sentences", "numerals")),
        _form("a tensor of the outputs", {"gross": {"cut": "tensor"}}, of("reviews", "inflections", *_WHOLE)),
        _form("cloned and detached", {"gross": {"cut": "clone"}}),
        _form("rounded", {"gross": {"cut": "rounded"}}, of("traffic", "heartbeats")),
    ),
    "softmax-twice": (
        _form("at the end of the network", {"gross": {"output": "softmax"}}, _scores),
        _form("in the loop, unseen", {"gross": {"output": "loop_softmax"}}, _scores),
        _form("over the batch", {"gross": {"output": "batch_softmax"}}, _scores, ("RD419",)),
        _form("sigmoid before cross-entropy", {"clear": {"output": "loop_sigmoid"}}, _scores, ("RD416",)),
        _form("sigmoid before its loss", {"gross": {"output": "loop_sigmoid"}}, of("reviews", "signatures")),
    ),
    "broadcast": (
        _form("squeezed output", {"gross": {"shapes": "output_flat"}}, of("traffic")),
        _form("flat target, unseen", {"gross": {"shapes": "target_flat"}}, of("traffic")),
        _form("flat target of Huber's", {"gross": {"shapes": "target_flat"}}, of("traffic"), regression="huber"),
    ),
    "unscaled-inputs": (
        _form(
            "raw counts",
            {
                dose: {"input_scale": scale, "input_offset": offset}
                for dose, scale, offset in zip(DOSES, (10.0, 100.0, 1000.0), (20.0, 300.0, 5000.0), strict=True)
            },
            of("traffic", "signatures", "phones"),
        ),
        _form("seconds or cents", doses("column_scale", 60.0, 600.0, 3600.0), of("traffic", "orders")),
        _form("millivolts", doses("input_scale", 30.0, 200.0, 1000.0), of("heartbeats", "corridor", "signatures")),
    ),
    "constant-inputs": (
        _form("words that are not found", {"gross": {"constant": "lookup"}},
              of("reviews", "inflections", "numerals", "sentences")),
        _form("one-hot never set", {"gross": {"constant": "zeros"}}, of("surnames")),
        _form("divided as whole numbers", {"gross": {"constant": "floored"}}, of(*_MEASURED)),
    ),
    "batch-as-time": (
        _form("two-dimensional input", {"gross": {"axes": "two_dimensional"}}, of(*_WHOLE)),
        _form("not transposed", {"gross": {"axes": "not_transposed"}}, of("sentences")),
        _form("batch_first missing, unseen", {"gross": {"axes": "batch_first_missing"}}, of(*_LAYERS)),
        _form("first axis taken for time", {"gross": {"axes": "samples"}}, of("surnames", "corridor")),
    ),
    "padding-read": (
        _form("attention without a mask", {"gross": {"padding": "unpacked"}}, of("reviews"), pad_to=40),
        _form("mean over padding", {"gross": {"padding": "unpacked"}}, of("reviews"), pooling="mean", pad_to=40),
        _form("state after padding", {"gross": {"padding": "unpacked"}}, of("reviews"), pooling="last", pad_to=40),
        _form("encoder reads padding", {"gross": {"padding": "unpacked"}}, of("numerals"), pad_to=40),
        _form("a step behind the end", {"gross": {"pooling": "off_by_one"}}, of("reviews"), pooling="last", pad_to=24),
    ),
    "state-kept": (
        _form("handed on", {"gross": {"state": "kept"}}, of("sentences"), state="carried"),
        _form("handed on, retained", {"gross": {"state": "retained"}}, of("sentences"), state="carried"),
    ),
    "detached-steps": (
        _form("each letter", {"clear": {"detach_every": 2}, "gross": {"detach_every": 1}}, of("surnames"), ("RD105",)),
        _form("each action", {"clear": {"detach_every": 2}, "gross": {"detach_every": 1}}, of("corridor"), ("RD105",)),
        _form("each digit", {"gross": {"detach_every": 1}}, of("numerals")),
    ),
    "bad-order": (
        _form("not shuffled", {"gross": {"order": "sorted"}}, of(*_CLASSES)),
        _form("file after file", {"gross": {"order": "files"}}, of(*_CLASSES)),
        _form("one batch, unseen", {"gross": {"order": "same"}}),
    ),
    "view": (
        _form("input viewed", {"gross": {"view": "input"}}, of(*_WHOLE, "phones")),
        _form("output viewed", {"gross": {"view": "output"}}, of(*_WHOLE, "sentences")),
        _form("channels taken for time", {"gross": {"view": "channels"}}, of("phones")),
        _form("targets in another order", {"gross": {"view": "targets"}}, of("sentences")),
        _form(
            "states of both directions", {"gross": {"view": "hidden"}}, of("reviews"),
            pooling="last", bidirectional=True,
        ),
    ),
    "one-step": (
        _form("window of one", {"gross": {"length_one": "window"}}, of(*_WHOLE, "heartbeats")),
        _form("flattened to one step", {"gross": {"length_one": "features"}}, of(*_WHOLE)),
        _form("state made anew, unseen", {"gross": {"length_one": "stateless"}}, of("surnames", "corridor")),
        _form("decoder's state not handed on", {"gross": {"length_one": "stateless"}}, of("numerals")),
    ),
    "wrong-loss": (
        _form("chances into KLDivLoss", {"clear": {"output": "divergence"}}, _scores),
        _form("scores into NLLLoss, unseen", {"gross": {"output": "nll"}}, _scores),
        _form("scores into CTCLoss", {"gross": {"output": "unscaled"}}, of("phones")),
        _form("chances into CTCLoss", {"clear": {"output": "chances"}}, of("phones")),
        _form("sigmoid at the end", {"clear": {"output": "sigmoid"}}, of("traffic", "heartbeats")),
        _form("ReLU at the end", {"gross": {"output": "relu"}}, of("traffic", "heartbeats")),
    ),
    "symmetric": (
        _form("every parameter zero", {"gross": {"init": "all_zeros"}}),
        _form("every parameter 0.1", {"gross": {"init": "all_constant"}}),
        _form("all recurrent weights alike", {"gross": {"init": "ones"}}),
        _form("zeros by hand", {"gross": {"init": "zeros"}}, of("surnames", "corridor")),
    ),
    "vanishing": (
        _form(
            "normal of 0.01", _with({"init": "randn"}, "gain", (0.04, 0.015, 0.003)), cells("RNN", *_LAG),
            init="orthogonal",
        ),
        _form("sigmoid units", {"gross": {"activation": "sigmoid"}}, cells("RNN", "surnames")),
        _form(
            "forgetful, unseen", _with({"gate": "forget"}, "gate_bias", (-2.0, -3.5, -6.0)), cells("LSTM", *_LAG)
        ),
        _form(
            "forgetful updates, unseen", _with({"gate": "update"}, "gate_bias", (-2.0, -3.5, -6.0)),
            cells("GRU", *_LAG),
        ),
    ),
    "exploding": (
        _form(
            "standard normal",
            {
                "mild": {"init": "randn", "gain": 0.4},
                "clear": {"init": "randn", "gain": 0.7},
                "gross": {"init": "randn"},
            },
            cells("RNN"),
        ),
        _form(
            "linear units", doses("gain", 1.3, 1.7, 2.5), cells("RNN", "surnames"),
            activation="linear", init="orthogonal",
        ),
        _form(
            "ReLU of wide weights", doses("gain", 1.5, 2.2, 4.0), cells("RNN"), relu_bias=0.0, init="orthogonal"
        ),
    ),
    "deep-stack": (
        _form("LSTMs one after another", doses("layers", 4, 7, 11), cells("LSTM", "traffic")),
        _form("LSTMs, unseen", doses("layers", 5, 8, 12), cells("LSTM", "orders", "phones", "signatures")),
        _form("GRUs, unseen", doses("layers", 5, 8, 12), cells("GRU", "orders", "phones", "traffic")),
        _form("cells, unseen", doses("layers", 4, 7, 11), cells("LSTM", "corridor")),
    ),
    "saturated-start": (
        _form(
            "every parameter standard normal",
            {
                "mild": {"init": "all_normal", "gain": 0.5},
                "clear": {"init": "all_normal"},
                "gross": {"init": "all_normal", "gain": 3.0},
            },
            lambda t, s: s.cell in ("LSTM", "GRU"),
        ),
        _form("large biases", _with({"gate": "all"}, "gate_bias", (4.0, 8.0, 15.0)), cells("LSTM")),
        _form(
            "wide embedding", doses("embedding_scale", 8.0, 40.0, 200.0),
            of("reviews", "inflections", "numerals", "sentences", "orders"),
        ),
    ),
    "dead-units": (
        _form("negative biases", doses("relu_bias", -1.0, -3.0, -8.0), cells("RNN"), relu_bias=0.0),
        _form("dense layer", doses("dense_bias", -2.0, -6.0, -20.0), of("orders"), ("RD204",)),
    ),
    "not-finite": (
        _form(
            "missing value",
            {d: {"broken": "missing", "not_a_number": n} for d, n in (("clear", 31), ("gross", 11))},
            of("traffic", "heartbeats", "phones", "corridor"),
        ),
        _form(
            "empty text",
            {d: {"broken": "empty", "not_a_number": n} for d, n in (("clear", 28), ("gross", 8))},
            of("reviews"),
        ),
        _form("distance of twins", {"gross": {"broken": "twins", "not_a_number": 14}}, of("signatures")),
        _form("more labels than frames", {"gross": {"broken": "endless", "not_a_number": 17}}, of("phones")),
    ),
    "overfitting": (
        _form("tiny set", doses("samples", 96, 40, 14), but("corridor"), validate_every=5, hidden=70),
        _form(
            "jittered copies", _with({"copies": 12, "jitter": 0.05}, "samples", (40, 16, 6)),
            of("traffic", "signatures", "phones", "heartbeats"), validate_every=5, hidden=70,
        ),
    ),
}  # fmt: skip
"""By the name of the fault (faults.py)."""
