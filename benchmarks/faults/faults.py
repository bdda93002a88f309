"""The planted faults: what is changed, which rule is right, and which condition is then present.

A form is one way to plant a fault. Each belongs to one part of the bench, and is planted in that part's tasks alone,
so that the held-back part has neither the tasks nor the ways of the development part; where there is but one way,
the parts differ by task. A dose is what a form changes: mild, clear or gross.
"""

from dataclasses import dataclass, replace

from .form import DOSES, Form, doses, with_optimizer
from .part import folders
from .setting import Setting
from .task import DEVELOPMENT, HELD_BACK, Task
from .tasks import TASKS


@dataclass(frozen=True)
class Fault:
    """One fault, and what a report has to say of it."""

    name: str
    rules: tuple[str, ...]
    """The right rule, and others that name the same cause."""
    condition: str
    forms: tuple[Form, ...]
    follows: tuple[str, ...] = ()
    """Rules whose findings are true consequences of it."""
    conditions: tuple[str, ...] = ()
    """Conditions that may be present too. `slow_convergence` always may: a fault that counts learns worse."""
    sudden: bool = False
    """It happens at one update: until then the training is its healthy twin. It counts only where it happens within
    the updates that are observed, unobserved by the probe."""


def _layer(task: Task, setting: Setting) -> bool:
    return task.network == "layer"


def _classes(task: Task, setting: Setting) -> bool:
    return task.classes and task.name != "copy"  # whose targets are padded


def _numbers(task: Task, setting: Setting) -> bool:
    return not task.tokens and task.network == "layer"


def _one_number(task: Task, setting: Setting) -> bool:
    return task.name in ("forecast", "adding")


def _whole(task: Task, setting: Setting) -> bool:
    return task.network == "layer" and not task.padded


def _read_last(task: Task, setting: Setting) -> bool:
    return _whole(task, setting) and task.read == "last"


def _gated(task: Task, setting: Setting) -> bool:
    return setting.cell == "LSTM" and task.network in ("layer", "cells")


def _plain(task: Task, setting: Setting) -> bool:
    return setting.cell == "RNN" and task.network == "layer"


def _lstm(task: Task, setting: Setting) -> bool:
    return task.network == "layer" and setting.cell == "LSTM"


def _sequences(task: Task, setting: Setting) -> bool:
    return _classes(task, setting) and task.read == "last"


def _either_sign(task: Task, setting: Setting) -> bool:
    return task.name == "sensors"  # whose targets are of either sign


_OTHERS = with_optimizer("AdamW", "momentum", "RMSprop")
_FAULTS = (
    Fault(
        "step-too-large", ("RD301",), "slow_convergence",
        (
            Form("rate", DEVELOPMENT, doses("rate", 10, 30, 100), with_optimizer("Adam", "SGD")),
            Form("rate of others", HELD_BACK, doses("rate", 10, 30, 100), _OTHERS),
            Form(
                "summed loss", HELD_BACK, doses("loss_scale", 10, 30, 100), with_optimizer("SGD", "momentum"),
                twin={"clip": None},
            ),
        ),
        follows=("RD103", "RD104", "RD202", "RD203", "RD309"), conditions=("exploding_gradients",),
    ),
    Fault(
        "step-too-small", ("RD302", "RD315"), "slow_convergence",
        (
            Form("rate", DEVELOPMENT, doses("rate", 0.03, 0.01, 0.001), with_optimizer("Adam", "SGD")),
            Form("rate of others", HELD_BACK, doses("rate", 0.03, 0.01, 0.001), _OTHERS),
            Form(
                "scaled loss", HELD_BACK, doses("loss_scale", 0.03, 0.01, 0.001), with_optimizer("SGD", "momentum"),
                twin={"clip": None},
            ),
        ),
    ),
    Fault(
        "over-clipping", ("RD303",), "slow_convergence",
        (
            Form("norm", DEVELOPMENT, doses("clip", 1e-2, 1e-3, 1e-4), with_optimizer("SGD", "momentum")),
            Form(
                "value", HELD_BACK,
                {d: {"clip": c, "clip_kind": "value"} for d, c in zip(DOSES, (1e-4, 1e-5, 1e-6), strict=True)},
                with_optimizer("SGD", "momentum"),
            ),
            Form("norm of others", HELD_BACK, doses("clip", 1e-2, 1e-3, 1e-4), with_optimizer("SGD", "momentum")),
        ),
        follows=("RD302", "RD308"),
    ),
    Fault(
        "decay-too-fast", ("RD304", "RD314"), "slow_convergence",
        (
            Form(
                "exponential", DEVELOPMENT,
                {d: {"schedule": "exponential", "gamma": g} for d, g in zip(DOSES, (0.95, 0.8, 0.5), strict=True)},
            ),
            Form(
                "steps", HELD_BACK,
                {d: {"schedule": "steps", "gamma": g} for d, g in zip(DOSES, (0.95, 0.8, 0.5), strict=True)},
            ),
        ),
        follows=("RD302", "RD308"),
    ),
    Fault(
        "weight-decay", ("RD305",), "slow_convergence",
        (
            Form("in the gradient", DEVELOPMENT, doses("weight_decay", 0.03, 0.1, 1.0), with_optimizer("SGD")),
            Form("decoupled", HELD_BACK, doses("weight_decay", 1.0, 5.0, 30.0), with_optimizer("AdamW")),
        ),
        follows=("RD202", "RD302"),
    ),
    Fault(
        "not-cleared", ("RD306",), "slow_convergence",
        (
            Form("never", DEVELOPMENT, {"gross": {"clearing": "never"}}),
            Form("now and then", HELD_BACK, doses("clearing", "3", "10", "25")),
        ),
        follows=("RD301", "RD103", "RD104", "RD202"), conditions=("exploding_gradients",),
    ),
    Fault(
        "not-optimized", ("RD307",), "slow_convergence",
        (
            Form("head alone", DEVELOPMENT, {"gross": {"optimized": "head"}}),
            Form("without recurrence", HELD_BACK, {"clear": {"optimized": "no_recurrence"}}),
            Form(
                "replaced after", HELD_BACK, {"gross": {"optimized": "stale"}},
                lambda t, s: _layer(t, s) and s.dropout == 0,
            ),
        ),
        follows=("RD302", "RD308"),
    ),
    Fault(
        "cut-off", ("RD308", "RD307", "RD408"), "slow_convergence",
        (
            Form("no_grad", DEVELOPMENT, {"gross": {"cut": "no_grad"}}, _layer),
            Form("detach", HELD_BACK, {"gross": {"cut": "detach"}}),
        ),
        follows=("RD302",),
    ),
    Fault(
        "softmax-twice", ("RD401",), "slow_convergence",
        (
            Form("function", DEVELOPMENT, {"gross": {"output": "softmax"}}, _classes),
            Form("module", HELD_BACK, {"gross": {"output": "softmax_module"}}, _classes),
        ),
        follows=("RD302",),
    ),
    Fault(
        "broadcast", ("RD402",), "slow_convergence",
        (
            Form("flat output", DEVELOPMENT, {"gross": {"shapes": "output_flat"}}, _one_number),
            Form("flat target", HELD_BACK, {"gross": {"shapes": "target_flat"}}, _one_number),
        ),
        follows=("RD302",),
    ),
    Fault(
        "unscaled-inputs", ("RD403",), "slow_convergence",
        (
            Form("factor", DEVELOPMENT, doses("input_scale", 20, 100, 1000), _numbers),
            Form(
                "offset", HELD_BACK,
                {
                    d: {"input_scale": s, "input_offset": o}
                    for d, s, o in zip(DOSES, (5, 20, 100), (20, 100, 1000), strict=True)
                },
                _numbers,
            ),
        ),
        follows=("RD101", "RD201", "RD202", "RD203", "RD301", "RD302", "RD103"),
        conditions=("vanishing_gradients", "exploding_gradients"),
    ),
    Fault(
        "constant-inputs", ("RD404",), "slow_convergence",
        (
            Form("zeros", DEVELOPMENT, {"gross": {"constant": "zeros"}}, _layer),
            Form("one value", HELD_BACK, {"gross": {"constant": "mean"}}, _layer),
        ),
        follows=("RD302", "RD202", "RD308"),
    ),
    Fault(
        "batch-as-time", ("RD405",), "slow_convergence",
        (
            Form("batch_first missing", DEVELOPMENT, {"gross": {"axes": "batch_first_missing"}}, _read_last),
            Form("transposed", HELD_BACK, {"gross": {"axes": "transposed"}}, _whole),
            Form("batch_first missing there too", HELD_BACK, {"gross": {"axes": "batch_first_missing"}}, _read_last),
        ),
        follows=("RD302",),
    ),
    Fault(
        "padding-read", ("RD406", "RD422"), "slow_convergence",
        (
            Form("last output", DEVELOPMENT, {"gross": {"padding": "last_output"}}, lambda t, s: t.padded),
            Form("last output there too", HELD_BACK, {"gross": {"padding": "last_output"}}, lambda t, s: t.padded),
        ),
        follows=("RD101",),
    ),
    Fault(
        "state-kept", ("RD407",), "slow_convergence",
        (
            Form("fails", DEVELOPMENT, {"gross": {"state": "kept"}}, lambda t, s: t.name == "characters",
                 twin={"state": "carried"}),
            Form("retained", HELD_BACK, {"gross": {"state": "retained"}}, lambda t, s: t.name == "words",
                 twin={"state": "carried"}),
        ),
    ),
    Fault(
        "detached-steps", ("RD408",), "slow_convergence",
        (
            Form("own cell", DEVELOPMENT, {"gross": {"detach_every": 1}}, lambda t, s: t.network == "own"),
            Form("cell", HELD_BACK, {"gross": {"detach_every": 1}}, lambda t, s: t.network == "cells"),
        ),
        follows=("RD308",), conditions=("vanishing_gradients",),
    ),
    Fault(
        "bad-order", ("RD411",), "slow_convergence",
        (
            Form("sorted", DEVELOPMENT, {"gross": {"order": "sorted"}}, _sequences),
            Form("same batch", HELD_BACK, {"gross": {"order": "same"}}),
            Form("sorted there too", HELD_BACK, {"gross": {"order": "sorted"}}, lambda t, s: t.name == "activity"),
        ),
        follows=("RD501", "RD502", "RD503", "RD506"), conditions=("overfitting",),
    ),
    Fault(
        "view", ("RD413", "RD423"), "slow_convergence",
        (
            Form(
                "final state", DEVELOPMENT, {"gross": {"view": "final_state"}},
                lambda t, s: t.name == "lines", twin={"bidirectional": True},
            ),
            Form(
                "final state there too", HELD_BACK, {"gross": {"view": "final_state"}},
                lambda t, s: t.name == "activity", twin={"bidirectional": True},
            ),
        ),
        follows=("RD302",),
    ),
    Fault(
        "one-step", ("RD414",), "slow_convergence",
        (
            Form("time on the features", DEVELOPMENT, {"gross": {"length_one": "features"}}, _read_last),
            Form("every step alone", HELD_BACK, {"gross": {"length_one": "split"}}, _whole),
        ),
        follows=("RD308", "RD302"),
    ),
    Fault(
        "wrong-loss", ("RD416",), "slow_convergence",
        (
            Form("scores into nll_loss", DEVELOPMENT, {"gross": {"output": "nll"}}, _classes),
            Form("ReLU on the output", HELD_BACK, {"gross": {"output": "relu"}}, _either_sign),
            Form("sigmoid on the output", HELD_BACK, {"clear": {"output": "sigmoid"}}, _either_sign),
        ),
        # Where ReLU leaves all outputs at zero, no gradient reaches any weight.
        follows=("RD302", "RD301", "RD103", "RD104", "RD308"), conditions=("exploding_gradients",),
    ),
    Fault(
        "symmetric", ("RD601",), "slow_convergence",
        (
            Form("constant", DEVELOPMENT, {"gross": {"init": "constant"}}, _layer),
            Form("zeros", HELD_BACK, {"gross": {"init": "zeros"}}, _layer),
        ),
        follows=("RD202", "RD301", "RD302", "RD308", "RD602"), conditions=("vanishing_gradients",),
    ),
    Fault(
        "vanishing", ("RD602", "RD101"), "vanishing_gradients",
        (
            Form(
                "small weights", DEVELOPMENT,
                {d: {"init": "scaled", "gain": g} for d, g in zip(DOSES, (0.5, 0.2, 0.05), strict=True)},
                lambda t, s: _plain(t, s) and t.lag is not None, twin={"init": "orthogonal"},
            ),
            Form(
                "closed forget gate", HELD_BACK,
                {d: {"gate": "forget", "gate_bias": b} for d, b in zip(DOSES, (-1.5, -3.0, -6.0), strict=True)},
                lambda t, s: _gated(t, s) and t.lag is not None,
            ),
            Form(
                "small weights there too", HELD_BACK,
                {d: {"init": "scaled", "gain": g} for d, g in zip(DOSES, (0.5, 0.2, 0.05), strict=True)},
                lambda t, s: _plain(t, s) and t.lag is not None, twin={"init": "orthogonal"},
            ),
        ),
        follows=("RD201",),
    ),
    Fault(
        "exploding", ("RD602", "RD102"), "exploding_gradients",
        (
            Form(
                "gain", DEVELOPMENT,
                {d: {"init": "orthogonal", "gain": g} for d, g in zip(DOSES, (1.4, 2.5, 5.0), strict=True)}, _plain,
            ),
            Form(
                "scaled", HELD_BACK,
                {d: {"init": "scaled", "gain": g} for d, g in zip(DOSES, (2.5, 5.0, 10.0), strict=True)}, _plain,
            ),
        ),
        follows=("RD103", "RD104", "RD201", "RD202"), conditions=("vanishing_gradients",),
    ),
    Fault(
        "deep-stack", ("RD106",), "vanishing_gradients",
        (
            Form("LSTM", DEVELOPMENT, doses("layers", 4, 8, 12), _lstm),
            Form("LSTM there too", HELD_BACK, doses("layers", 4, 8, 12), _lstm),
        ),
        follows=("RD302",),
    ),
    Fault(
        # Of all gates the forget gate is one, which RD602 names.
        "saturated-start", ("RD201", "RD203", "RD602"), "vanishing_gradients",
        (
            Form(
                "input gate", DEVELOPMENT,
                {d: {"gate": "input", "gate_bias": b} for d, b in zip(DOSES, (-3.0, -6.0, -10.0), strict=True)}, _gated,
            ),
            Form(
                "all gates", HELD_BACK,
                {d: {"gate": "all", "gate_bias": b} for d, b in zip(DOSES, (-3.0, -6.0, -10.0), strict=True)}, _gated,
            ),
        ),
        follows=("RD101", "RD202", "RD302"),
    ),
    Fault(
        "dead-units", ("RD202",), "slow_convergence",
        (
            Form(
                "ReLU below zero", DEVELOPMENT, doses("relu_bias", -1.0, -3.0, -8.0), _plain, twin={"relu_bias": 0.0}
            ),
            Form(
                "ReLU below zero there too", HELD_BACK, doses("relu_bias", -1.0, -3.0, -8.0), _plain,
                twin={"relu_bias": 0.0},
            ),
        ),
        follows=("RD302", "RD308"), conditions=("vanishing_gradients",),
    ),
    Fault(
        "not-finite", ("RD104",), "exploding_gradients",
        (
            Form("NaN in the data", DEVELOPMENT, {"gross": {"not_a_number": 7}}, _numbers),
            Form("logarithm of zero", HELD_BACK, {"gross": {"loss_log": True}}, _classes),
            Form("NaN in other data", HELD_BACK, {"gross": {"not_a_number": 20}}, _numbers),
        ),
        follows=("RD103",), sudden=True,
    ),
    Fault(
        "overfitting", ("RD501", "RD502", "RD503", "RD506"), "overfitting",
        (
            Form(
                "few samples", DEVELOPMENT, doses("samples", 64, 24, 8), twin={"validate_every": 4, "hidden": 64},
            ),
            Form(
                "few samples there too", HELD_BACK, doses("samples", 64, 24, 8),
                twin={"validate_every": 4, "hidden": 64},
            ),
        ),
    ),
)  # fmt: skip

FAULTS = tuple(
    replace(fault, forms=sum((part.forms.get(fault.name, ()) for part in folders().values()), fault.forms))
    for fault in _FAULTS
)
BY_NAME = {fault.name: fault for fault in FAULTS}


def tasks(part: str) -> list[Task]:
    """The tasks of one part of the bench."""
    return [task for task in TASKS.values() if task.part == part]
