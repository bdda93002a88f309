"""How the faults are planted in the untouched part: as users of each script would, the common ones more often.

Doses are multiples of what is good for the healthy twin, or what people write by mistake, whatever a rule may see.
"""

from typing import Any

from ..form import Form, Needs, doses, with_optimizer
from ..planting import PLAIN, always, cells, dosed, of, scaled
from ..setting import Setting
from ..task import UNTOUCHED, Task

SOMETIMES, SELDOM = 3, 2
"""Rounds of the plan in which a mistake is planted that people make less often than the common ones."""
_ADAPTIVE = with_optimizer("Adam", "AdamW")


def _by_optimizer(task: Task, setting: Setting) -> bool:
    """An optimizer moves the weights: the script of glyphs does plain gradient descent by hand."""
    return task.name != "glyphs" or setting.optimizer != "SGD"


def _optimized(*names: str) -> Needs:
    """These optimizers, where there is one."""
    return lambda task, setting: setting.optimizer in names and _by_optimizer(task, setting)


def _scores(task: Task, setting: Setting) -> bool:
    return task.classes and not task.binary


def _form(
    name: str,
    planted: Any,
    needs: Needs = always,
    rounds: int | None = None,
    rules: tuple[str, ...] = (),
    **twin: Any,
) -> Form:
    return Form(name, UNTOUCHED, planted, needs, twin, rules, rounds)


_LAG = ("commands", "ward")
"""Tasks whose lag is known."""
_NUMBERS = ("electricity", "walkers", "shapes", "thermostat", "ward")
_EITHER_SIGN = ("electricity", "walkers", "thermostat")
"""Tasks whose targets are of either sign."""
_STACKED = ("electricity", "shapes", "commands")
"""Tasks read at the end of a stack of torch's layers."""

FORMS: dict[str, tuple[Form, ...]] = {
    "step-too-large": (
        _form("rate, untouched", doses("rate", 8, 30, 100)),
        _form(  # 0.1 and 1.0
            "rate of Adadelta for Adam", {"clear": {"rate": 20.0}, "gross": {"rate": 200.0}}, _ADAPTIVE
        ),
        _form(
            "search for a rate left in", dosed({"schedule": "finder"}, "gamma", (1.03, 1.1, 1.25)),
            _by_optimizer, SELDOM,
        ),
    ),
    "step-too-small": (
        _form("rate, untouched", doses("rate", 0.05, 0.012, 0.0015), rounds=SOMETIMES),
        _form(
            "rate of Adam for Adadelta", {"clear": {"rate": 0.01}, "gross": {"rate": 0.001}},
            with_optimizer("Adadelta"), SOMETIMES,
        ),
    ),
    "over-clipping": (
        _form("norm, untouched", doses("clip", 2e-2, 2e-3, 2e-4), PLAIN, SELDOM),
        _form("largest value", dosed({"clip_kind": "infinity"}, "clip", (2e-3, 2e-4, 2e-5)), PLAIN, SELDOM),
    ),
    "decay-too-fast": (
        _form(
            "linear, its length in epochs", dosed({"schedule": "linear_to_zero"}, "span", (60, 30, 10)),
            _by_optimizer, SOMETIMES,
        ),
        _form(
            "as Keras had it", dosed({"schedule": "inverse_time"}, "gamma", (0.3, 1.2, 5.0)), _by_optimizer, SELDOM
        ),
    ),
    "weight-decay": (
        _form(
            "in the gradient, untouched", doses("weight_decay", 0.02, 0.1, 0.9),
            _optimized("SGD", "momentum", "Adam", "RMSprop"), SELDOM,
        ),
        _form("decoupled, untouched", doses("weight_decay", 1.0, 5.0, 20.0), with_optimizer("AdamW"), SELDOM),
    ),
    "not-cleared": (
        _form("forgotten", {"gross": {"clearing": "never"}}),
        # Clipping hides much of what is forgotten; most scripts have none.
        _form("forgotten, without clipping", {"gross": {"clearing": "never"}}, clip=None),
        _form("before each epoch", {"gross": {"clearing": "epoch"}}, rounds=SOMETIMES),
        _form("detached and not zeroed", {"gross": {"clearing": "detached"}}, rounds=SELDOM),
    ),
    "not-optimized": (
        _form("network made anew", {"gross": {"optimized": "made_anew"}}, _by_optimizer),
        _form("in a dictionary", {"gross": {"optimized": "dict"}}, of("commands", "ward")),
        _form("tensors for parameters", {"gross": {"optimized": "tensors"}}, of("thermostat"), SOMETIMES),
        _form("encoder left out", {"clear": {"optimized": "decoder"}}, of("walkers", "clock"), SOMETIMES),
    ),
    "cut-off": (
        _form("gradients switched off", {"gross": {"cut": "switched_off"}}),
        _form("variable of the data", {"gross": {"cut": "variable"}}),
    ),
    "softmax-twice": (
        _form("loss of what predict says", {"gross": {"output": "predict"}}, _scores),
        _form("exponential of LogSoftmax", {"gross": {"output": "exp_log"}}, _scores),
        _form("sigmoid at the end, untouched", {"gross": {"output": "sigmoid"}}, of("messages"), SOMETIMES),
    ),
    "broadcast": (
        _form("squeezed target", {"gross": {"shapes": "target_flat"}}, of("electricity"), SOMETIMES),
        _form("unsqueezed once more", {"gross": {"shapes": "unsqueezed"}}, of("electricity"), SOMETIMES),
    ),
    "unscaled-inputs": (
        _form(
            "pixels of 0 to 255", {"clear": {"input_scale": 255.0}, "gross": {"input_scale": 65535.0}},
            of("shapes"), SOMETIMES,
        ),
        _form(
            "kelvin and watts", scaled((10.0, 40.0, 300.0), (20.0, 290.0, 2000.0)),
            of("electricity", "thermostat", "ward"),
        ),
        _form(
            "pixels of a screen", scaled((20.0, 100.0, 400.0), (20.0, 300.0, 1000.0)), of("walkers"), SOMETIMES
        ),
        _form("one column in small units", doses("column_scale", 60.0, 1000.0, 20000.0), of(*_NUMBERS), SELDOM),
    ),
    "constant-inputs": (
        _form("buffer that nobody fills", {"gross": {"constant": "unfilled"}}, rounds=SOMETIMES),
        _form("clipped to one value", {"gross": {"constant": "clipped"}}, of("shapes"), SELDOM),
    ),
    "batch-as-time": (
        _form(
            "batch_first missing, untouched", {"gross": {"axes": "batch_first_missing"}},
            of("electricity", "shapes", "commands"),
        ),
        _form("order of pad_sequence", {"gross": {"axes": "pad_sequence"}}, of("entities")),
        _form("columns into batch_first", {"gross": {"axes": "batchify"}}, of("glyphs")),
        _form("transposition forgotten", {"gross": {"axes": "not_transposed"}}, of("clock"), SOMETIMES),
        _form("loop over patients", {"gross": {"axes": "samples"}}, of("ward", "thermostat"), SELDOM),
    ),
    "padding-read": (
        _form("last column of what was packed", {"gross": {"padding": "repadded"}}, of("messages")),
        _form(
            "both ends of what was not packed", {"gross": {"padding": "ends"}}, of("messages"), SOMETIMES,
            bidirectional=True, pad_to=30,
        ),
    ),
    "state-kept": (
        _form("not repackaged", {"gross": {"state": "kept"}}, of("glyphs"), SELDOM, state="carried"),
        _form("not repackaged, retained", {"gross": {"state": "retained"}}, of("glyphs"), SELDOM, state="carried"),
        _form("h alone repackaged", {"gross": {"state": "half"}}, cells("LSTM", "glyphs"), SELDOM, state="carried"),
    ),
    "detached-steps": (
        # Every other step it is a memory cut short.
        _form(
            "each day", {"clear": {"detach_every": 2}, "gross": {"detach_every": 1}}, of("ward"), SELDOM, ("RD105",)
        ),
        _form("each place", {"gross": {"detach_every": 1}}, of("walkers", "thermostat"), SELDOM),
    ),
    "bad-order": (
        _form(
            "in the order of folders", {"gross": {"order": "folders"}},
            of("shapes", "messages", "commands", "ward"),
        ),
        _form("first of a new iterator", {"gross": {"order": "next_iter"}}, rounds=SOMETIMES),
    ),
    "view": (
        _form("memory of another order", {"gross": {"view": "memory"}}, of("clock"), SOMETIMES),
        # What is read step by step then comes from one sample after another.
        _form("track viewed", {"gross": {"view": "track"}}, of("walkers"), SOMETIMES, ("RD405",)),
        _form("images viewed", {"gross": {"view": "images"}}, of("shapes"), None, ("RD405",)),
        _form("words viewed", {"gross": {"view": "words"}}, of("clock"), SELDOM, ("RD405",)),
        _form("emissions of another order", {"gross": {"view": "emissions"}}, of("entities"), SELDOM),
    ),
    "one-step": (
        _form("sequence as one row", {"gross": {"length_one": "features"}}, of("shapes", "electricity"), SOMETIMES),
        _form("look back of one", {"gross": {"length_one": "window"}}, of("electricity"), SELDOM),
        _form("chunks of one word", {"gross": {"length_one": "bptt"}}, of("glyphs"), SELDOM),
        _form(
            "state not handed to the cell", {"gross": {"length_one": "stateless"}},
            of("ward", "walkers", "thermostat"),
        ),
    ),
    "wrong-loss": (
        _form("scores into NLLLoss, untouched", {"gross": {"output": "nll"}}, _scores),
        _form("softplus at the end", {"clear": {"output": "softplus"}}, of(*_EITHER_SIGN), SELDOM),
        _form("ReLU at the end, untouched", {"gross": {"output": "relu"}}, of(*_EITHER_SIGN)),
    ),
    "symmetric": (
        _form("averages", {"gross": {"init": "averages"}}, rounds=SELDOM),
        _form("zeros, untouched", {"gross": {"init": "zeros"}}, rounds=SELDOM),
    ),
    "vanishing": (
        _form(
            "truncated normal", dosed({"init": "truncated"}, "gain", (0.05, 0.02, 0.003)), cells("RNN", *_LAG),
            SELDOM, init="orthogonal",
        ),
        _form(
            "sparse", dosed({"init": "sparse"}, "gain", (0.15, 0.05, 0.01)), cells("RNN", *_LAG), SELDOM,
            init="orthogonal",
        ),
        _form(
            "forget gates by a wrong sign", dosed({"gate": "forget"}, "gate_bias", (-2.0, -4.0, -7.0)),
            cells("LSTM", *_LAG), SOMETIMES,
        ),
        _form(
            "update gates by a wrong sign", dosed({"gate": "update"}, "gate_bias", (-2.0, -4.0, -7.0)),
            cells("GRU", *_LAG), SELDOM,
        ),
    ),
    "exploding": (
        _form("gain of Xavier", dosed({"init": "xavier_gain"}, "gain", (2.0, 4.0, 8.0)), cells("RNN"), SOMETIMES),
        _form(
            "width of the input", {
                "mild": {"init": "input_width"},
                "clear": {"init": "input_width", "gain": 2.0},
                "gross": {"init": "input_width", "gain": 5.0},
            },
            cells("RNN", "electricity", "thermostat", "walkers", "ward"), SELDOM,
        ),
    ),
    "deep-stack": (
        _form("LSTMs, untouched", doses("layers", 4, 8, 12), cells("LSTM", *_STACKED), SELDOM),
        _form("plain recurrences", doses("layers", 5, 9, 14), cells("RNN", *_STACKED), SELDOM),
    ),
    "saturated-start": (
        # What is meant for the forget gate, in the quarter of the candidate.
        _form(
            "bias of a wrong quarter", dosed({"gate": "cell"}, "gate_bias", (4.0, 8.0, 15.0)), cells("LSTM"), SELDOM
        ),
        _form(
            "all gates by both biases", dosed({"gate": "all"}, "gate_bias", (-4.0, -7.0, -12.0)), cells("LSTM"),
            SELDOM,
        ),
        _form(
            "output gates by a wrong sign", dosed({"gate": "output"}, "gate_bias", (-4.0, -7.0, -12.0)),
            cells("LSTM"), SELDOM,
        ),
    ),
    "dead-units": (
        _form("ReLU far below zero", doses("relu_bias", -1.5, -4.0, -10.0), cells("RNN"), SELDOM, relu_bias=0.0),
        _form(
            "dense layer, untouched", doses("dense_bias", -2.0, -6.0, -20.0), of("ward", "electricity"), SELDOM,
            ("RD204",),
        ),
    ),
    "not-finite": (
        _form(
            "logarithm of a negative reading",
            {d: {"broken": "negative", "not_a_number": n} for d, n in (("clear", 29), ("gross", 10))},
            of(*_NUMBERS), SOMETIMES,
        ),
        _form(
            "change from zero in per cent", {"gross": {"broken": "percent", "not_a_number": 16}}, of(*_NUMBERS),
            SOMETIMES,
        ),
        _form(
            "batch without a label", {"gross": {"broken": "unlabelled", "not_a_number": 13}}, of("entities"),
            SOMETIMES,
        ),
    ),
    "overfitting": (
        _form(
            "few samples, untouched", doses("samples", 80, 36, 12),
            of("messages", "entities", "walkers", "shapes", "commands", "ward"), validate_every=5, hidden=90,
        ),
        _form("short series", doses("samples", 60, 30, 12), of("electricity"), SOMETIMES, validate_every=5, hidden=90),
        _form(
            "short text", doses("samples", 100, 50, 20), of("glyphs"), SELDOM, validate_every=5, hidden=90,
            state="carried",
        ),
    ),
}  # fmt: skip
"""By the name of the fault (faults.py)."""
