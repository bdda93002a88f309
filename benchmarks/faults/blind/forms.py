"""How the faults are planted in the blind part: the same faults, where they fit its networks, in ways of its own."""

from typing import Any

from ..form import DOSES, Form, Needs, doses, with_optimizer
from ..setting import Setting
from ..task import BLIND, Task


def _of(*names: str) -> Needs:
    return lambda task, setting: task.name in names


def _cells(*names: str, network: str = "pipeline packed loop translator", task: str = "") -> Needs:
    """Networks of these kinds over one of these cells; of one task, where it is named."""
    return lambda t, s: s.cell in names and t.network in network.split() and task in ("", t.name)


def _network(*kinds: str) -> Needs:
    return lambda task, setting: task.network in kinds


def _classes(task: Task, setting: Setting) -> bool:
    return task.classes and not task.binary


def _stack(task: Task, setting: Setting) -> bool:
    return setting.cell == "LSTM" and task.network != "translator"


def _both(name: str, second: str, constant: Any, values: tuple[Any, Any, Any]) -> dict[str, dict[str, Any]]:
    """The first field in doses, the second the same in all."""
    return {dose: {name: constant, second: value} for dose, value in zip(DOSES, values, strict=True)}


def _form(
    name: str,
    planted: Any,
    needs: Needs = lambda task, setting: True,
    rules: tuple[str, ...] = (),
    **twin: Any,
) -> Form:
    return Form(name, BLIND, planted, needs, twin, rules)


_PLAIN = with_optimizer("SGD", "nesterov")
FORMS: dict[str, tuple[Form, ...]] = {
    "step-too-large": (
        _form("rate, blind", doses("rate", 8, 25, 80)),
        # What is too large of such a step is the sum; where there are several targets a sequence RD420 sees it.
        _form("summed over the batch", {"gross": {"reduction": "sum"}}, _PLAIN, ("RD420",), clip=None),
    ),
    "step-too-small": (
        _form("rate, blind", doses("rate", 0.04, 0.01, 0.002)),
        _form("averaged twice", doses("loss_scale", 0.04, 0.01, 0.002), _PLAIN, clip=None),
    ),
    "over-clipping": (
        _form("norm, blind", doses("clip", 2e-2, 2e-3, 2e-4), _PLAIN),
        _form("value, blind", _both("clip_kind", "clip", "value", (3e-4, 3e-5, 3e-6)), _PLAIN),
    ),
    "decay-too-fast": (_form("power", _both("schedule", "gamma", "power", (0.96, 0.85, 0.6))),),
    "weight-decay": (
        _form(
            "in the gradient, blind", doses("weight_decay", 0.02, 0.1, 0.5),
            with_optimizer("SGD", "nesterov", "Adam"),
        ),
        _form("decoupled, blind", doses("weight_decay", 1.0, 6.0, 25.0), with_optimizer("AdamW")),
    ),
    "not-cleared": (_form("never, blind", {"clear": {"clearing": "12"}, "gross": {"clearing": "never"}}),),
    "not-optimized": (
        _form("head alone, blind", {"clear": {"optimized": "no_recurrence"}, "gross": {"optimized": "head"}}),
        _form("started anew", {"gross": {"optimized": "stale"}}, _network("pipeline", "packed")),
    ),
    "cut-off": (
        _form("rebuilt", {"gross": {"cut": "rebuilt"}}, _network("pipeline")),
        _form("detached", {"gross": {"cut": "detach"}}),
    ),
    "softmax-twice": (_form("functional", {"gross": {"output": "softmax"}}, _classes),),
    "broadcast": (
        _form("flat target, blind", {"gross": {"shapes": "target_flat"}}, _of("sums")),
        _form("flat output, blind", {"gross": {"shapes": "output_flat"}}, _of("sums")),
    ),
    "unscaled-inputs": (
        _form("scale, blind", doses("input_scale", 30, 150, 800), _of("digits")),
        _form("offset, blind", doses("input_offset", 10, 80, 500), _of("digits")),
    ),
    "constant-inputs": (
        _form("one value, blind", {"gross": {"constant": "mean"}}, _network("pipeline")),
        _form("zeros, blind", {"gross": {"constant": "zeros"}}, lambda t, s: t.network == "pipeline" or not t.tokens),
    ),
    "batch-as-time": (
        _form("batch_first missing, blind", {"gross": {"axes": "batch_first_missing"}}, _network("pipeline")),
        _form("permuted", {"gross": {"axes": "transposed"}}, _network("pipeline")),
    ),
    "padding-read": (_form("last column", {"gross": {"padding": "last_output"}}, _network("packed")),),
    "state-kept": (
        _form("stack kept", {"gross": {"state": "kept"}}, _of("melody"), state="carried"),
        _form("stack retained", {"gross": {"state": "retained"}}, _of("melody"), state="carried"),
    ),
    "detached-steps": (_form("stack of cells", {"gross": {"detach_every": 1}}, _network("loop")),),
    "bad-order": (
        _form("sorted, blind", {"gross": {"order": "sorted"}}, _of("motifs", "logs", "digits", "agreement")),
        _form("same batch, blind", {"gross": {"order": "same"}}),
    ),
    "view": (_form("reshaped state", {"gross": {"view": "final_state"}}, _network("packed"), bidirectional=True),),
    "one-step": (
        _form(
            "flattened", {"gross": {"length_one": "features"}},
            lambda t, s: t.network == "pipeline" and t.read != "mean",
        ),
        _form("every step alone, blind", {"gross": {"length_one": "split"}}, _network("pipeline")),
    ),
    "wrong-loss": (
        _form("scores into nll_loss, blind", {"gross": {"output": "nll"}}, _classes),
        _form("functional ReLU", {"gross": {"output": "relu"}}, _of("sums", "agreement")),
        # Before a loss that holds a sigmoid itself, as that of agreement does, it is RD401.
        _form("functional sigmoid", {"clear": {"output": "sigmoid"}}, _of("sums", "agreement"), ("RD401",)),
    ),
    "symmetric": (
        _form("constant, blind", {"gross": {"init": "constant"}}),
        _form("zeros, blind", {"gross": {"init": "zeros"}}),
    ),
    "vanishing": (
        _form(
            "small weights, blind", _both("init", "gain", "scaled", (0.4, 0.15, 0.03)),
            _cells("RNN", task="agreement"), init="orthogonal",
        ),
        _form("forgetful", _both("gate", "gate_bias", "forget", (-2.0, -4.0, -7.0)), _cells("LSTM", task="agreement")),
    ),
    "exploding": (
        _form("orthogonal gain, blind", _both("init", "gain", "orthogonal", (1.6, 3.0, 6.0)), _cells("RNN")),
        _form("scaled, blind", _both("init", "gain", "scaled", (3.0, 6.0, 12.0)), _cells("RNN")),
    ),
    "deep-stack": (_form("stack, blind", doses("layers", 5, 9, 14), _stack),),
    "saturated-start": (
        _form("input gates", _both("gate", "gate_bias", "input", (-4.0, -7.0, -11.0)), _cells("LSTM")),
        _form("gates of all kinds", _both("gate", "gate_bias", "all", (-4.0, -7.0, -11.0)), _cells("LSTM", "GRU")),
    ),
    "dead-units": (
        _form(
            "ReLU, blind", doses("relu_bias", -1.5, -4.0, -10.0), _cells("RNN", network="pipeline packed"),
            relu_bias=0.0,
        ),
    ),
    "not-finite": (
        _form("NaN, blind", {"clear": {"not_a_number": 30}, "gross": {"not_a_number": 9}}, _of("digits")),
        _form("logarithm of zero, blind", {"gross": {"loss_log": True}}, _classes),
    ),
    "overfitting": (_form("few samples, blind", doses("samples", 80, 32, 12), validate_every=5, hidden=56),),
}  # fmt: skip
"""By the name of the fault (faults.py)."""
