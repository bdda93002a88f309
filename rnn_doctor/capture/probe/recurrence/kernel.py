"""A recurrent module as its kernel sees it: weights by layer and direction, and the kernel itself."""

from __future__ import annotations

from typing import Any, Callable, Iterable, NamedTuple

import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

GATES = {"LSTM": ("i", "f", "g", "o"), "GRU": ("r", "z", "n"), "RNN_TANH": ("h",), "RNN_RELU": ("h",)}
"""The blocks of a weight matrix, in torch's order; `g` and `n` are the candidates, `h` the state itself."""
_KERNELS = {"GRU": "gru", "RNN_TANH": "rnn_tanh", "RNN_RELU": "rnn_relu"}


class Weights(NamedTuple):
    """Weights of one layer and direction, G gates."""

    input: torch.Tensor
    """(G*H, I)"""
    hidden: torch.Tensor
    """(G*H, P)"""
    input_bias: torch.Tensor | None
    """(G*H)"""
    hidden_bias: torch.Tensor | None
    """(G*H)"""
    projection: torch.Tensor | None
    """(P, H)"""

    def each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Weights:
        """The same change made to all."""
        return Weights(*(None if w is None else change(w) for w in self))  # type: ignore[arg-type]


class Kernel(NamedTuple):
    """What a fused kernel is given beside its input. P is the projected size, H where there is none."""

    mode: str
    """A key of GATES."""
    hidden_size: int
    """H"""
    output_size: int
    """P"""
    weights: list[list[Weights]]
    """By layer, then by direction; detached."""
    training: bool
    """cuDNN gives gradients in training mode alone (pytorch#15788)."""

    @property
    def layers(self) -> int:
        """L"""
        return len(self.weights)

    @property
    def directions(self) -> int:
        """D"""
        return len(self.weights[0])


class State(NamedTuple):
    """What a recurrence starts from."""

    h: torch.Tensor
    """(L*D, B, P)"""
    c: torch.Tensor | None
    """(L*D, B, H), LSTM alone"""

    def each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> State:
        """The same change made to both."""
        return State(change(self.h), None if self.c is None else change(self.c))


def kernel_of(module: Any) -> Kernel | None:
    """The kernel of an nn.RNN, LSTM or GRU, or of one of their cells; None for any other module."""
    if isinstance(module, nn.RNNBase):
        mode, projected = module.mode, module.proj_size > 0
        flat = [w.detach() for w in module._flat_weights]  # type: ignore[union-attr]
        directions = 2 if module.bidirectional else 1
        each = len(flat) // (module.num_layers * directions)
        groups = [flat[k : k + each] for k in range(0, len(flat), each)]
        weights = [_weights(group, module.bias, projected) for group in groups]
        by_layer = [weights[k : k + directions] for k in range(0, len(weights), directions)]
        output_size = module.proj_size or module.hidden_size
        return Kernel(mode, module.hidden_size, output_size, by_layer, module.training)
    if isinstance(module, nn.modules.rnn.RNNCellBase):
        mode = mode_of(module)
        names = ("weight_ih", "weight_hh", *(("bias_ih", "bias_hh") if module.bias else ()))
        flat = [w for w in (weight_of(module, name) for name in names) if w is not None]
        if mode not in GATES or len(flat) < len(names):
            return None
        weights = [_weights(flat, module.bias, False)]
        return Kernel(mode, module.hidden_size, module.hidden_size, [weights], module.training)
    return None


def mode_of(module: Any) -> str:
    """A key of GATES; empty of what is no recurrent module of torch's, nor of a class that is derived from one."""
    if isinstance(module, nn.RNNBase):
        return str(module.mode)
    if isinstance(module, nn.RNNCell):
        return f"RNN_{module.nonlinearity.upper()}"
    return "LSTM" if isinstance(module, nn.LSTMCell) else "GRU" if isinstance(module, nn.GRUCell) else ""


def is_usual(module: Any, given: Any, output: Any) -> bool:
    """Whether a call took and returned what torch's own class does; a derived class may do otherwise."""
    if not isinstance(given, (torch.Tensor, PackedSequence)):
        return False
    if isinstance(module, nn.RNNBase):
        if not (type(output) is tuple and len(output) == 2 and isinstance(output[0], type(given))):
            return False
        output, is_lstm = output[1], module.mode == "LSTM"
    else:
        is_lstm = isinstance(module, nn.LSTMCell)
    if not is_lstm:
        return isinstance(output, torch.Tensor)
    return (
        isinstance(output, tuple)
        and len(output) == 2
        and isinstance(output[0], torch.Tensor)
        and isinstance(output[1], torch.Tensor)
    )


def weight_of(module: Any, name: str) -> torch.Tensor | None:
    """A weight or bias as the latest call took it, detached; None where the module has none by this name.

    Parametrizations keep a state of their own (spectral norm's vectors), which a look at the attribute would change:
    torch's are asked as in evaluation, those of the script not at all.
    """
    names = getattr(module, "_flat_weights_names", ())
    if name in names:
        flat: torch.Tensor = module._flat_weights[names.index(name)]
        return flat.detach()
    if not parametrize.is_parametrized(module, name):
        value = getattr(module, name, None)
        return value.detach() if isinstance(value, torch.Tensor) else None
    chain = module.parametrizations[name]
    if any(not type(part).__module__.startswith("torch.nn.utils.parametriz") for part in chain):
        return None
    modes = [(part, part.training) for part in chain.modules()]
    try:
        for part, _ in modes:
            part.training = False
        with torch.no_grad():
            made: torch.Tensor = chain()
        return made
    finally:
        for part, training in modes:
            part.training = training


def _weights(group: list[torch.Tensor], bias: bool, projected: bool) -> Weights:
    return Weights(
        group[0],
        group[1],
        group[2] if bias else None,
        group[3] if bias else None,
        group[-1] if projected else None,
    )


def layer_of(kernel: Kernel, layer: int) -> Kernel:
    """One layer alone, as a kernel of its own."""
    return kernel._replace(weights=[kernel.weights[layer]])


def run(
    kernel: Kernel, x: torch.Tensor, state: State, lengths: list[int] | None = None
) -> tuple[torch.Tensor, State]:
    """Output and final state by torch's own kernel, without dropout (which would draw random numbers).

    lengths: valid steps of each row, in any order; all of them where not given. The output is 0 beyond them.

    Shapes: x (T, B, I), state (L*D, B, ...) -> output (T, B, D*P), final state as the state.
    """
    packed = None
    if lengths is not None and min(lengths) < x.shape[0]:
        packed = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
        order: Any = packed.sorted_indices
        state = State(
            state.h.index_select(1, order), None if state.c is None else state.c.index_select(1, order)
        )
    flat = [w for layer in kernel.weights for one in layer for w in one if w is not None]
    bias = kernel.weights[0][0].input_bias is not None
    hx: Any = state.h if state.c is None else (state.h, state.c)
    given = (x, hx) if packed is None else (packed.data, packed.batch_sizes, hx)
    rest = (flat, bias, kernel.layers, 0.0, kernel.training, kernel.directions == 2)
    last = () if packed is not None else (False,)
    function: Any = torch._VF.lstm if kernel.mode == "LSTM" else getattr(torch._VF, _KERNELS[kernel.mode])
    output, h, *c = function(*given, *rest, *last)
    final = State(h, c[0] if c else None)
    if packed is None:
        return output, final
    output, _ = pad_packed_sequence(packed._replace(data=output), total_length=x.shape[0])
    back: Any = packed.unsorted_indices
    return output, State(
        final.h.index_select(1, back), None if final.c is None else final.c.index_select(1, back)
    )


class Rows(NamedTuple):
    """A few whole sequences of one call, or of calls that hand their state on to the next."""

    x: torch.Tensor
    """(T, R, I); 0 beyond the lengths"""
    lengths: list[int]
    """Valid steps of each row."""
    state: State
    """(L*D, R, ...)"""
    output: torch.Tensor
    """(T, R, D*P) as the module returned it; 0 beyond the lengths"""
    chosen: list[int]
    """Where the rows stand in the script's batch."""
    final: State
    """What the module returned as its final state, (L*D, R, ...)"""
    calls: int = 1
    """How many calls were joined."""

    def only(self, kept: Iterable[int]) -> Rows:
        """Some of them."""
        kept = list(kept)
        if len(kept) == len(self.lengths):
            return self
        state, final = (part.each(lambda s: s[:, kept]) for part in (self.state, self.final))
        return self._replace(
            x=self.x[:, kept], lengths=[self.lengths[k] for k in kept], state=state, final=final,
            output=self.output[:, kept], chosen=[self.chosen[k] for k in kept],
        )  # fmt: skip


def rows_of(
    module: Any,
    kernel: Kernel,
    given: Any,
    state: Any,
    output: Any,
    count: int,
    chosen: list[int] | None = None,
) -> Rows:
    """Copies of a few rows of one call, detached, in the weights' type: the chosen ones, or the longest.

    Shapes: given as the module takes it: (T, B, I), (B, T, I), (T, I), packed; of cells (B, I) or (I).
    """
    if isinstance(given, PackedSequence):
        padded, lengths = pad_packed_sequence(given)
        if chosen is None:
            chosen = lengths.argsort(descending=True, stable=True)[:count].tolist()
        kept = [int(lengths[i]) for i in chosen]
        x = picked(padded, chosen, module, packed=True)
    else:
        if chosen is None:
            chosen = list(range(min(count, time_and_batch(module, given)[1])))
        x = picked(given, chosen, module)
        kept = [x.shape[0]] * len(chosen)
    x = x[: max(kept)].to(kernel.weights[0][0].hidden.dtype, copy=True)
    y = picked_output(module, output, chosen)
    cell = isinstance(module, nn.modules.rnn.RNNCellBase)
    first, final = (state_of(kernel, module, s, chosen, x) for s in (state, output if cell else output[1]))
    return Rows(x, kept, first, y[: max(kept)].clone(), chosen, final)


def picked_output(module: Any, output: Any, chosen: list[int]) -> torch.Tensor:
    """Some rows of what a module returned, or of the gradient of it. Shapes: -> (T, R, D*P)."""
    y = output[0] if type(output) is tuple else output
    if isinstance(y, PackedSequence):
        return picked(pad_packed_sequence(y)[0], chosen, module, packed=True)
    return picked(y, chosen, module)


def picked(tensor: torch.Tensor, chosen: list[int], module: Any, packed: bool = False) -> torch.Tensor:
    """Some rows of a sequence, time first, detached.

    Shapes: (T, B, N), (B, T, N), (T, N); of cells (B, N) or (N); padded from packed (T, B, N) -> (T, R, N).
    """
    tensor = tensor.detach()
    if isinstance(module, nn.modules.rnn.RNNCellBase):
        return (tensor.unsqueeze(0) if tensor.dim() == 1 else tensor)[chosen].unsqueeze(0)
    if tensor.dim() == 2:
        return tensor.unsqueeze(1)
    return tensor[chosen].transpose(0, 1) if module.batch_first and not packed else tensor[:, chosen]


def state_of(kernel: Kernel, module: Any, state: Any, chosen: list[int], like: torch.Tensor) -> State:
    """Some rows of a state, detached, in the type of `like`; zeros where none was given.

    Shapes: (L*D, B, ...), (L*D, ...) unbatched; of cells (B, ...) or (...) -> (L*D, R, ...).
    """
    count = kernel.layers * kernel.directions
    lstm = kernel.mode == "LSTM"
    if state is None:
        h = like.new_zeros(count, len(chosen), kernel.output_size)
        return State(h, like.new_zeros(count, len(chosen), kernel.hidden_size) if lstm else None)
    h, c = state if isinstance(state, (tuple, list)) else (state, None)
    h = state_rows(h, module, chosen).to(like.dtype, copy=True)
    return State(h, None if c is None else state_rows(c, module, chosen).to(like.dtype, copy=True))


def state_rows(tensor: torch.Tensor, module: Any, chosen: list[int]) -> torch.Tensor:
    """Some rows of one tensor of a state, or of its gradient. Shapes as in `state_of`."""
    tensor = tensor.detach()
    if isinstance(module, nn.modules.rnn.RNNCellBase):
        return (tensor.unsqueeze(0) if tensor.dim() == 1 else tensor)[chosen].unsqueeze(0)
    return (tensor.unsqueeze(1) if tensor.dim() == 2 else tensor)[:, chosen]


def time_and_batch(module: Any, given: Any) -> tuple[int, int]:
    """Length of the axes that the module takes for time (the longest row's, if packed) and batch (1 where none).

    Shapes: given as the module takes it: (T, B, I), (B, T, I), (T, I), packed; of cells (B, I) or (I).
    """
    if isinstance(given, PackedSequence):
        return len(given.batch_sizes), int(given.batch_sizes[0])
    if isinstance(module, nn.modules.rnn.RNNCellBase):
        return 1, given.shape[0] if given.dim() > 1 else 1
    if given.dim() == 2:
        return given.shape[0], 1
    time, batch = (1, 0) if module.batch_first else (0, 1)
    return given.shape[time], given.shape[batch]
