"""What the alarms of the other tools name: causes by the bench's faults, conditions by the report's.

In doubt for the tool: an alarm names every fault that its message, or the remedy beside it, can be read to mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Meaning:
    """What an alarm says."""

    faults: tuple[str, ...] = ()
    condition: str | None = None


_SLOW, _VANISHING, _EXPLODING = "slow_convergence", "vanishing_gradients", "exploding_gradients"
_SMALL = Meaning(("step-too-small", "over-clipping", "decay-too-fast"), _SLOW)
_LARGE = Meaning(("step-too-large", "not-cleared"), _SLOW)
_NOT_FINITE = Meaning(("not-finite", "step-too-large", "exploding"), _EXPLODING)
_EXPLODES = Meaning(("exploding", "step-too-large", "not-finite", "not-cleared"), _EXPLODING)
_VANISHES = Meaning(
    ("vanishing", "saturated-start", "deep-stack", "dead-units", "cut-off", "detached-steps"), _VANISHING
)
_NO_GRADIENT = Meaning(("cut-off", "not-optimized", "detached-steps"), _VANISHING)
_STUCK = Meaning(("step-too-small", "not-optimized", "cut-off", "dead-units", "symmetric"), _SLOW)
_OVERFITS = Meaning(("overfitting",), "overfitting")

MEANINGS: Mapping[str, Mapping[str, Meaning]] = {
    "anomaly detection": {"anomaly": _NOT_FINITE},
    "torch-audit": {
        "TA100": _NOT_FINITE,
        "TA102": _EXPLODES,
        "TA103": Meaning(("dead-units", "saturated-start", "cut-off")),
        "TA104": _NO_GRADIENT,
        "TA105": Meaning(("dead-units", "saturated-start")),
        "TA301": Meaning(("unscaled-inputs",)),
        "TA302": Meaning(("constant-inputs",)),
        "TA305": Meaning(("unscaled-inputs", "not-finite")),
        "TA500": Meaning(("cut-off", "not-optimized")),
    },
    "torchmortem": {
        "Vanishing gradients detected": _VANISHES,
        "Exploding gradients detected": _EXPLODES,
        "Gradient stalling": _NO_GRADIENT,
        "Dead units": Meaning(("dead-units",)),
        "Activation saturation": Meaning(("saturated-start", "unscaled-inputs", "exploding")),
        "Update ratio too low": _SMALL,
        "Update ratio too high": _LARGE,
        "Weight norm explosion": Meaning(("step-too-large", "exploding"), _EXPLODING),
        "Stagnant weight norms": Meaning((*_SMALL.faults, "not-optimized", "cut-off"), _SLOW),
        "Training divergence detected": Meaning((*_LARGE.faults, "not-finite"), _SLOW),
        "Loss plateau detected": Meaning((), _SLOW),
        "Catapult phase detected": _LARGE,
        "Edge of stability regime detected": _LARGE,
        "Rank collapse": Meaning(("symmetric", "dead-units")),
    },
    "traintools": {
        "non-finite gradients": _NOT_FINITE,
        "non-finite": Meaning(("not-finite",), _EXPLODING),
        "exceeds": Meaning(("unscaled-inputs",)),
        "constant": Meaning(("constant-inputs",)),
        "vanished": _VANISHES,
        "is very large": _EXPLODES,
        "ratio is high": _LARGE,
        "ratio is tiny": _SMALL,
        "no gradients": _NO_GRADIENT,
    },
    "training-doctor": {
        "Learning rate likely too high": Meaning((*_LARGE.faults, "not-finite"), _SLOW),
        "Learning rate may be too low": _SMALL,
        "Training plateau detected": Meaning((), _SLOW),
        "Early training plateau": Meaning((), _SLOW),
        "Overfitting detected": _OVERFITS,
        "Gradient instability detected": _EXPLODES,
        "Possible mixed precision instability": _NOT_FINITE,
    },
    "torchdiag": {"EXPLODE": _EXPLODES, "VANISH": _VANISHES, "no_grad": _NO_GRADIENT},
    "gradsnitch": {
        "GS001": _NOT_FINITE,
        "GS002": _NOT_FINITE,
        "GS003": _EXPLODES,
        "GS004": _OVERFITS,
        "GS005": _STUCK,
        "GS006": _LARGE,
        "GS007": _VANISHES,
        "GS008": _SMALL,
        "GS008 high": _LARGE,
        "GS009": _LARGE,
        "GS010": Meaning(("decay-too-fast",), _SLOW),
    },
    "trainspotter": {
        "Diverged (non-finite values)": _NOT_FINITE,
        "Diverged (sustained growth)": _LARGE,
        "Gradient-norm explosion": _EXPLODES,
        "Gradient clipping likely saturated": Meaning(("over-clipping",), _SLOW),
        "Loss spike": _LARGE,
        "Overfitting onset": _OVERFITS,
    },
    "trainproof": {
        "TP-NAN": _NOT_FINITE,
        "TP-NAN-GRAD": _NOT_FINITE,
        "TP-FLAT": _STUCK,
        "TP-DEAD-RUN": _STUCK,
        "TP-DIVERGE": _LARGE,
        "TP-ZERO-GRAD": _NO_GRADIENT,
        "TP-GRAD-SPIKE": _EXPLODES,
        "TP-OVERFIT": _OVERFITS,
        "TP-ZERO-LR": Meaning(("decay-too-fast",), _SLOW),
        "TP-ZERO-LR-PARTIAL": Meaning(("decay-too-fast",), _SLOW),
    },
}
"""By tool and alarm. Other alarms count as alarms, and name nothing."""
ADVICE: Mapping[str, frozenset[str]] = {
    "torch-audit": frozenset(("TA200", "TA201", "TA202", "TA203", "TA401", "TA402", "TA403")),
    "trainspotter": frozenset(("No LR warmup detected",)),
}
"""Warnings that recommend another habit rather than tell that a training is ill: not counted."""
