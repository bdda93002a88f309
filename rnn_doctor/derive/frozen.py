"""Recurrences that are frozen as they were drawn."""

from rnn_doctor.derive.registry import known, signal
from rnn_doctor.derive.saturation import trained_before
from rnn_doctor.derive.subjects import each_module
from rnn_doctor.derive.view import View
from rnn_doctor.schema.built import Parameter
from rnn_doctor.schema.signals import Measurement


def frozen_fresh(view: View) -> dict[int, list[Parameter]]:
    """The weight matrices of each recurrent module, where all modules are frozen and none looks as if it was trained,
    nor as a reservoir, most of whose weights are 0.

    Empty where any recurrence learns, or a gradient passes one to what lies below: then random weights may be all that
    is wanted of the frozen one.
    """
    modules = view.log.modules
    if not modules or not all(module.frozen for module in modules.values()):
        return {}
    if not all(_fresh(view, number) for number in modules):
        return {}
    return {
        number: [
            p
            for p in view.log.parameters.values()
            if view.module_of(p) == number and not p.trainable and len(p.shape) > 1
        ]
        for number in modules
    }


def _fresh(view: View, number: int) -> bool:
    seen = [weights for weights in view.log.initial_weights if weights.module == number]
    drawn = [weights.kurtosis is not None and weights.filled is None for weights in seen]
    return bool(seen) and all(drawn) and trained_before(view, number) is None


@signal(unit="claim", by="module", reads=("modules.frozen", "initial_weights", "losses"))
def recurrence_frozen_fresh(view: View) -> dict[str, Measurement]:
    """Whether a recurrent module is frozen as it was drawn, like all others of the network and what they are given.

    Reads: `log.modules[id].frozen`, `log.initial_weights[i].kurtosis`, `.gate_spread`, `.filled` and the first loss,
    which tell weights that were trained before. Unit: claim. None if: never.
    """
    return each_module(view, lambda module: known(bool(view.once(frozen_fresh).get(module))))
