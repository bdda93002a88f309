"""What a remedy of overfitting would act on, and which are in use already."""

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.view import NO_STEP, View
from rnn_doctor.schema.signals import Measurement

_CLASSES = ("cross_entropy", "nll_loss")


@signal(unit="claim", reads=("losses",))
def is_classification(view: View) -> Measurement:
    """Whether the loss compares scores with classes.

    Reads: `log.losses[i].function`. Unit: claim. None if: no loss function was seen.
    """
    functions = {call.function for call in view.log.losses}
    return (
        known(bool(functions.intersection(_CLASSES))) if functions else unknown("no loss function was seen")
    )


@signal(unit="claim", reads=("losses",))
def smooths_labels(view: View) -> Measurement:
    """Whether label smoothing is in use: a loss over classes that spreads a part of each target over all of them.

    Reads: `log.losses[i].label_smoothing`. Unit: claim. None if: no loss function was seen.
    """
    if not view.log.losses:
        return unknown("no loss function was seen")
    return known(any(call.label_smoothing for call in view.log.losses))


@signal(unit="tokens", reads=("parameters",))
def vocabulary(view: View) -> Measurement:
    """Rows of the largest embedding that is trained: how many different tokens the network can be given.

    Reads: `log.parameters[id].owner`, `.shape`. Unit: tokens; 0 where none is trained. None if: no parameter was seen.
    """
    if not view.log.parameters:
        return unknown("no parameter was seen")
    tables = [p.shape[0] for p in view.log.parameters.values() if p.owner == "Embedding" and p.trainable]
    return known(max(tables, default=0))


@signal(unit="claim", reads=("modules", "modes"))
def drops_units(view: View) -> Measurement:
    """Whether dropout is in use: a module of it, or the argument of a recurrent module of several layers.

    Reads: `log.modules[id].dropout`, `.num_layers`, `log.modes[i].kinds`. Unit: claim. None if: no step was seen.
    """
    if not view.log.steps:
        return unknown(NO_STEP)
    between = any(m.dropout > 0 and m.num_layers > 1 for m in view.log.modules.values())
    return known(between or any("dropout" in mode.kinds for mode in view.log.modes))
