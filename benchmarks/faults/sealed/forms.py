"""How the faults are planted in the sealed part: the same faults where they fit its networks, in ways of its own.

Doses are multiples of what is good for the healthy twin, or what people write by mistake, whatever a rule may see.
"""

from typing import Any

from ..form import DOSES, Form, Needs, doses, with_optimizer
from ..planting import PLAIN, always, of
from ..setting import Setting
from ..task import SEALED, Task

_ADAPTIVE = with_optimizer("Adam", "RAdam", "NAdam")


def _network(*kinds: str) -> Needs:
    return lambda task, setting: task.network in kinds


def _cells(*names: str) -> Needs:
    return lambda task, setting: setting.cell in names


def _cue(name: str) -> Needs:
    """The task whose lag is known, over this cell."""
    return lambda task, setting: task.lag is not None and setting.cell == name


def _elman(task: Task, setting: Setting) -> bool:
    return setting.cell == "RNN" and task.network in _LAYERS


def _numbers(task: Task, setting: Setting) -> bool:
    return not task.tokens


def _stacked(name: str) -> Needs:
    """One module of torch's in one direction, over this cell."""
    return lambda t, s: s.cell == name and t.name in ("gibberish", "events", "oscillators")


def _scores(task: Task, setting: Setting) -> bool:
    return task.classes and not task.binary


def _whole(task: Task, setting: Setting) -> bool:
    """Torch's modules over sequences of one length."""
    return task.name in ("events", "oscillators", "cue")


_LAYERS = ("pooled", "marked", "front", "residual", "normalizer")
_LOOPS = ("speller", "handmade")
_MEASURED = ("oscillators", "syllables", "cue")
"""Tasks whose inputs are numbers alone."""


def _with(changes: dict[str, Any], name: str, values: tuple[Any, Any, Any]) -> dict[str, dict[str, Any]]:
    """The same changes in all doses, and one field in doses."""
    return {dose: {**changes, name: value} for dose, value in zip(DOSES, values, strict=True)}


def _form(name: str, planted: Any, needs: Needs = always, **twin: Any) -> Form:
    return Form(name, SEALED, planted, needs, twin)


FORMS: dict[str, tuple[Form, ...]] = {
    "step-too-large": (
        _form("rate, sealed", doses("rate", 12, 40, 120)),
        _form("group", doses("group_rate", 15, 50, 150)),
        _form("peak of a cycle", doses("gamma", 15, 50, 150), schedule="one_cycle"),
    ),
    "step-too-small": (
        _form("rate, sealed", doses("rate", 0.05, 0.012, 0.0015)),
        _form("warm-up in epochs", _with({"schedule": "warm_up_in_epochs"}, "span", (2000, 10_000, 100_000))),
        _form("factor that is a rate", {"gross": {"schedule": "lambda_returns_the_rate"}}, _ADAPTIVE),
    ),
    "over-clipping": (
        _form("each parameter", _with({"clip_kind": "each"}, "clip", (5e-3, 5e-4, 5e-5)), PLAIN),
        _form("clamped by hand", _with({"clip_kind": "hand"}, "clip", (2e-4, 2e-5, 2e-6)), PLAIN),
        _form("norm, sealed", doses("clip", 1.5e-2, 1.5e-3, 1.5e-4), PLAIN),
    ),
    "decay-too-fast": (
        _form("milestones in epochs", _with({"schedule": "milestones", "span": 5}, "gamma", (0.5, 0.2, 0.05))),
        _form("polynomial", _with({"schedule": "polynomial"}, "span", (80, 30, 10))),
        _form("plateau of batches", _with({"schedule": "plateau"}, "gamma", (0.8, 0.5, 0.1))),
    ),
    "weight-decay": (
        _form("penalty by hand", doses("penalty", 5e-3, 2e-2, 0.1)),
        _form("shrunk by hand", doses("shrink", 0.01, 0.05, 0.25)),
        _form("in the gradient, sealed", doses("weight_decay", 0.03, 0.15, 0.8)),
    ),
    "not-cleared": (
        _form("once an epoch", {"clear": {"clearing": "20"}, "gross": {"clearing": "80"}}),
        _form("another network's", {"gross": {"clearing": "other"}}),
        _form("the head's alone", {"gross": {"clearing": "head"}}),
    ),
    "not-optimized": (
        _form("in a list", {"gross": {"optimized": "list"}}, _network("speller", "handmade", "residual")),
        _form("a copy is trained", {"gross": {"optimized": "copy"}}),
        _form("without the head", {"clear": {"optimized": "no_head"}, "gross": {"optimized": "head"}}),
    ),
    "cut-off": (
        _form("by way of numpy", {"gross": {"cut": "numpy"}}),
        _form("a leaf of its own", {"gross": {"cut": "leaf"}}),
        _form("data", {"gross": {"cut": "data"}}),
    ),
    "softmax-twice": (
        _form("by hand", {"gross": {"output": "by_hand"}}, _scores),
        _form("beside the loss", {"gross": {"output": "in_loop"}}, _scores),
        _form("tempered", {"clear": {"output": "tempered"}}, _scores),
        _form("sigmoid beside the loss", {"gross": {"output": "sigmoid"}}, of("gibberish")),
    ),
    "broadcast": (
        _form("flat target by hand", {"gross": {"shapes": "hand_target_flat"}}, of("oscillators")),
        _form("flat output by hand", {"gross": {"shapes": "hand_output_flat"}}, of("oscillators")),
    ),
    "unscaled-inputs": (
        _form("one column", doses("column_scale", 50, 300, 3000), _numbers),
        _form(
            "bytes",
            {
                dose: {"input_scale": scale, "input_offset": scale}
                for dose, scale in zip(DOSES, (16.0, 128.0, 1024.0), strict=True)
            },
            of(*_MEASURED),
        ),
        _form("a year", _with({"column_scale": 10.0}, "column_offset", (60.0, 300.0, 2000.0)), _numbers),
    ),
    "constant-inputs": (
        _form("an unknown word each", {"gross": {"constant": "unknown"}}, lambda t, s: t.tokens),
        _form("masked", {"gross": {"constant": "masked"}}, _network(*_LAYERS)),
    ),
    "batch-as-time": (
        _form("data time first", {"gross": {"axes": "time_first"}}, of("oscillators", "cue")),
        _form("loop over samples", {"gross": {"axes": "samples"}}, _network(*_LOOPS)),
        _form("batch_first missing, sealed", {"gross": {"axes": "batch_first_missing"}}, _whole),
    ),
    "padding-read": (
        _form("lengths all full", {"gross": {"padding": "full"}}, lambda t, s: t.padded),
        _form("final state not packed", {"gross": {"padding": "final_state"}}, of("gibberish")),
        _form("maximum over padding", {"gross": {"padding": "pooled"}}, of("syllables")),
    ),
    "state-kept": (
        _form("in the network", {"gross": {"state": "kept"}}, of("identifiers"), state="carried"),
        _form("in the network, retained", {"gross": {"state": "retained"}}, of("identifiers"), state="carried"),
    ),
    "detached-steps": (
        _form("cloned and detached", {"gross": {"detach_every": 1}}, of("identifiers")),
        _form("data of the state", {"gross": {"detach_every": 1}}, of("protocol")),
    ),
    "bad-order": (
        _form("sorted, sealed", {"gross": {"order": "sorted"}}, of("gibberish", *_MEASURED)),
        _form("blocks", {"gross": {"order": "blocks"}}, of("gibberish", *_MEASURED)),
        _form("small buffer", {"gross": {"order": "buffer"}}, of("gibberish", *_MEASURED)),
        _form("first batch", {"gross": {"order": "same"}}),
    ),
    "view": (
        _form("output time first", {"gross": {"view": "time_first"}}, _whole),
        _form("states of layers", {"gross": {"view": "layers"}}, of("gibberish"), layers=2),
    ),
    "one-step": (
        _form("without its state", {"gross": {"length_one": "stateless"}}, _whole),
        _form("state made anew", {"gross": {"length_one": "stateless"}}, _network(*_LOOPS)),
    ),
    "wrong-loss": (
        _form("chances into NLLLoss", {"gross": {"output": "nll_of_chances"}}, _scores),
        _form("softmax and squared error", {"gross": {"output": "squared"}}, _scores),
        _form("tanh on the output", {"clear": {"output": "tanh"}}, of("oscillators")),
        _form("clamped output", {"gross": {"output": "relu"}}, of("oscillators")),
        _form("scores into NLLLoss, sealed", {"gross": {"output": "nll"}}, _scores),
    ),
    "symmetric": (
        _form("all weights alike", {"gross": {"init": "filled"}}),
        _form("rows alike", {"gross": {"init": "rows"}}),
        _form("zeros, sealed", {"gross": {"init": "zeros"}}),
    ),
    "vanishing": (
        _form("narrow normal", _with({"init": "normal"}, "gain", (0.3, 0.1, 0.01)), _cue("RNN"), init="orthogonal"),
        _form("small identity", doses("gain", 0.4, 0.2, 0.02), _cue("RNN"), init="identity"),
        _form("forgetful, sealed", _with({"gate": "forget"}, "gate_bias", (-2.0, -3.5, -6.0)), _cue("LSTM")),
        _form("forgetful updates", _with({"gate": "update"}, "gate_bias", (-2.0, -3.5, -6.0)), _cue("GRU")),
    ),
    "exploding": (
        _form("wide normal", _with({"init": "normal"}, "gain", (1.7, 3.5, 7.0)), _elman),
        _form(
            "wide uniform",
            {
                "mild": {"init": "uniform", "gain": 0.5},
                "clear": {"init": "uniform"},  # from -1 to 1
                "gross": {"init": "uniform", "gain": 2.0},
            },
            _cells("RNN"),
        ),
        _form(
            "identity of ReLU", doses("gain", 1.2, 1.6, 2.5),
            _elman, relu_bias=0.0, init="identity",
        ),
    ),
    "deep-stack": (
        _form("LSTMs, sealed", doses("layers", 4, 7, 11), _stacked("LSTM")),
        _form("GRUs", doses("layers", 5, 8, 12), _stacked("GRU")),
        _form("cells", doses("layers", 4, 7, 11), lambda t, s: s.cell == "LSTM" and t.network == "speller"),
    ),
    "saturated-start": (
        _form("output gates", _with({"gate": "output"}, "gate_bias", (-4.0, -7.0, -11.0)), _cells("LSTM")),
        _form("wide input weights", doses("input_weights", 15.0, 60.0, 300.0)),
        _form("input gates, sealed", _with({"gate": "input"}, "gate_bias", (-4.0, -7.0, -11.0)), _cells("LSTM")),
    ),
    "dead-units": (
        _form(
            "recurrent bias", doses("relu_bias", -1.5, -4.0, -10.0), _elman, relu_bias=0.0,
        ),
        _form(
            "threshold by hand", doses("relu_bias", -1.5, -4.0, -10.0),
            lambda t, s: s.cell == "RNN" and t.network == "handmade", relu_bias=0.0,
        ),
    ),
    "not-finite": (
        _form(
            "deviation of zero",
            {d: {"broken": "constant", "not_a_number": n} for d, n in (("clear", 33), ("gross", 12))},
            of(*_MEASURED),
        ),
        _form(
            "missing label",
            {d: {"broken": "label", "not_a_number": n} for d, n in (("clear", 26), ("gross", 5))},
            of("oscillators"),
        ),
        _form("root of zero", {"gross": {"broken": "distance"}}, lambda t, s: t.tokens and t.name != "dates"),
    ),
    "overfitting": (
        _form("copies", _with({"copies": 20}, "samples", (64, 24, 8)), validate_every=5, hidden=60),
        _form(
            "wrong labels", _with({"wrong_labels": 0.3}, "samples", (160, 60, 24)), _scores, validate_every=5, hidden=60
        ),
    ),
}  # fmt: skip
"""By the name of the fault (faults.py)."""
