"""How the recurrent modules were built."""

from rnn_doctor.derive.registry import known, signal, unknown
from rnn_doctor.derive.stacks import stacks
from rnn_doctor.derive.subjects import HAND_WRITTEN, each_module
from rnn_doctor.derive.view import View
from rnn_doctor.schema.signals import Measurement

_NOT_WHOLE = "its graph was not seen whole, or each of its units sees its own past alone"


@signal(unit="claim", by="module", reads=("modules.kind", "loops"))
def is_cell(view: View) -> dict[str, Measurement]:
    """Whether a module makes a single step a call: an nn.RNNCell, LSTMCell or GRUCell, or one by hand from zeros.

    Reads: `log.modules[id].kind`, `log.loops[i].unused`. Unit: claim. None if: never.
    """
    return {
        view.module_names[number]: known(
            module.kind.endswith("Cell") or number in view.renewed, location=module.location
        )
        for number, module in view.log.modules.items()
    }


@signal(unit="claim", by="module", reads=("modules.kind", "state_flows"))
def begins_chain(view: View) -> dict[str, Measurement]:
    """Whether a module is the first of several cells, one for each time step, that hand their state on.

    Each of its calls begins without a state, and another module goes on with what it returned. The recurrent weights of
    such a cell are of no use by design.

    Reads: `log.modules[id].kind`, `log.state_flows[i]`. Unit: claim. None if: never.
    """
    return {
        name: known(hands_all_on(view, number), location=view.log.modules[number].location)
        for number, name in view.module_names.items()
    }


def hands_all_on(view: View, number: int) -> bool:
    """Whether a cell begins anew in every call, and another module takes over what each of them returned."""
    flows = [flow for flow in view.log.state_flows if flow.module == number]
    return (
        bool(flows)
        and view.log.modules[number].kind.endswith("Cell")
        and all(flow.fresh == flow.calls <= flow.handed_on for flow in flows)
    )


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


@signal(unit="name", by="module", reads=("modules",))
def cell_kind(view: View) -> dict[str, Measurement]:
    """Which recurrence a module is: RNN, LSTM, GRU, one of their cells, or custom.

    Reads: `log.modules[id].kind`. Unit: name. None if: never.
    """
    return each_module(view, lambda module: known(view.log.modules[module].kind))


@signal(unit="layers", by="module", reads=("modules",))
def stacked_layers(view: View) -> dict[str, Measurement]:
    """Number of layers that one module stacks, or that are stacked on it as modules of their own.

    Reads: `log.modules[id].num_layers`, `.name`, `.input_size`, `.hidden_size`. Unit: layers. None if: never.
    """

    def measure(module: int) -> Measurement:
        stack = view.once(stacks).get(module, ())
        return known(len(stack) if stack[:1] == (module,) else view.log.modules[module].num_layers)

    return each_module(view, measure)


@signal(unit="claim", by="module", reads=("modules", "loops"))
def recurrence_is_linear(view: View) -> dict[str, Measurement]:
    """Whether nothing but linear operations leads from one state to the next; no module of torch's is so.

    Reads: `log.modules[id].kind`, `log.loops[i].linear`. Unit: claim.
    None if: the graph of a hand-written recurrence was not seen whole, or each of its units sees its own past alone:
    that is done on purpose.
    """

    def measure(module: int) -> Measurement:
        if view.log.modules[module].kind != "custom":
            return known(False)
        seen = [loop.linear for loop in view.log.loops if loop.module == module and loop.linear is not None]
        return known(all(seen), n=len(seen)) if seen else unknown(_NOT_WHOLE)

    return each_module(view, measure)


_GATED = {"LSTM": True, "LSTMCell": True, "GRU": True, "GRUCell": True, "RNN": False, "RNNCell": False}


@signal(unit="claim", by="module", reads=("modules.kind",))
def is_gated(view: View) -> dict[str, Measurement]:
    """Whether gates guard the state of a module, as in an LSTM or a GRU.

    Reads: `log.modules[id].kind`. Unit: claim. None if: the recurrence is hand-written.
    """

    def measure(module: int) -> Measurement:
        gated = _GATED.get(view.log.modules[module].kind)
        return unknown(HAND_WRITTEN) if gated is None else known(gated)

    return each_module(view, measure)


@signal(unit="claim", by="module", reads=("modules.kind",))
def is_lstm(view: View) -> dict[str, Measurement]:
    """Whether a module is an LSTM or an LSTMCell: one with a forget gate beside an input gate.

    Reads: `log.modules[id].kind`. Unit: claim. None if: the recurrence is hand-written.
    """

    def measure(module: int) -> Measurement:
        kind = view.log.modules[module].kind
        return unknown(HAND_WRITTEN) if kind == "custom" else known(kind.startswith("LSTM"))

    return each_module(view, measure)


@signal(unit="claim", by="module", reads=("modules.kind", "modules.nonlinearity", "layers"))
def uses_relu(view: View) -> dict[str, Measurement]:
    """Whether the state of a module passes a ReLU: nn.RNN or nn.RNNCell with nonlinearity="relu".

    Of a hand-written recurrence: whether its states at the first sample are so, none below zero and some zero.

    Reads: `log.modules[id].kind`, `.nonlinearity`, `log.layers[i].active_share`. Unit: claim.
    None if: the states of a hand-written recurrence were not seen.
    """

    def measure(module: int) -> Measurement:
        built = view.log.modules[module]
        if built.kind != "custom":
            return known(built.nonlinearity == "relu")
        seen = [layer for layer in view.log.layers if layer.module == module]
        first = [layer for layer in seen if layer.step == seen[0].step]
        return (
            known(any(layer.active_share is not None for layer in first)) if seen else unknown(HAND_WRITTEN)
        )

    return each_module(view, measure)
