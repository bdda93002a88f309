"""How the recurrent modules were built."""

from rnn_doctor.derive.registry import known, signal
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement


@signal(unit="claim", by="module", reads=("modules.kind",))
def is_cell(view: View) -> dict[str, Measurement]:
    """Whether a module makes a single step a call: an nn.RNNCell, LSTMCell or GRUCell.

    Reads: `log.modules[id].kind`. Unit: claim. None if: never.
    """
    return {
        view.module_names[number]: known(module.kind.endswith("Cell"), location=module.location)
        for number, module in view.log.modules.items()
    }


@signal(unit="claim", by="module", reads=("modules",))
def dropout_single_layer(view: View) -> dict[str, Measurement]:
    """Whether a module was given a dropout probability although it has one layer alone.

    PyTorch applies that dropout between layers, so that there is none.

    Reads: `log.modules[id].dropout`, `.num_layers`. Unit: claim. None if: never.
    """
    return {
        view.module_names[number]: known(
            module.kind in ("RNN", "LSTM", "GRU") and module.dropout > 0 and module.num_layers == 1,
            location=module.location,
        )
        for number, module in view.log.modules.items()
    }
