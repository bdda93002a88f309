"""Every form in which a recurrent module of torch can be built and called, each on numbers of its own."""

import itertools
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

FUSED: dict[str, Callable[..., nn.RNNBase]] = {
    "RNN tanh": nn.RNN,
    "RNN relu": lambda *sizes, **more: nn.RNN(*sizes, nonlinearity="relu", **more),
    "LSTM": nn.LSTM,
    "LSTM with proj_size": lambda *sizes, **more: nn.LSTM(*sizes, proj_size=2, **more),
    "GRU": nn.GRU,
}
CELLS: dict[str, Callable[..., nn.modules.rnn.RNNCellBase]] = {
    "RNNCell tanh": nn.RNNCell,
    "RNNCell relu": lambda inputs, hidden, **more: nn.RNNCell(inputs, hidden, nonlinearity="relu", **more),
    "LSTMCell": nn.LSTMCell,
    "GRUCell": nn.GRUCell,
}
NOT_PACKED, SORTED, UNSORTED, UNBATCHED = "", "sorted", "unsorted", "unbatched"


@dataclass(frozen=True)
class Configuration:
    """One module and one way to call it."""

    family: str
    """A key of FUSED or CELLS."""
    dtype: torch.dtype
    bias: bool
    state: bool
    """Whether an initial state is given."""
    layers: int = 1
    bidirectional: bool = False
    batch_first: bool = False
    form: str = NOT_PACKED
    """How the input is given."""

    @property
    def name(self) -> str:
        """In words; no two have the same."""
        words = [
            self.family,
            str(self.dtype).removeprefix("torch."),
            f"{self.layers} layers" * (self.layers > 1),
        ]
        words += ["bidirectional" * self.bidirectional, "batch_first" * self.batch_first]
        words += ["" if self.bias else "no bias", "h0" * self.state]
        words += [f"packed {self.form}" if self.form in (SORTED, UNSORTED) else self.form]
        return ", ".join(word for word in words if word)

    @property
    def is_cell(self) -> bool:
        """Whether the module makes one step a call."""
        return self.family in CELLS


@dataclass(frozen=True)
class Call:
    """A module with what it is given: x and the state batched and time first, in the form of the truth."""

    module: Any
    x: torch.Tensor
    """(T, B, I)"""
    lengths: list[int]
    state: Any
    """As an nn.LSTM or nn.GRU takes it, (L*D, B, ...); None where none is given."""


def configurations() -> list[Configuration]:
    """All of them."""
    types, both = (torch.float64, torch.float32), (False, True)
    grid = itertools.product(
        FUSED, types, both, both, (1, 2, 3), both, both, (NOT_PACKED, SORTED, UNSORTED, UNBATCHED)
    )
    cells = itertools.product(CELLS, types, both, both, (NOT_PACKED, UNBATCHED))
    return [
        *(Configuration(*chosen) for chosen in grid),
        *(Configuration(f, dtype, bias, state, form=form) for f, dtype, bias, state, form in cells),
    ]


def call_of(configuration: Configuration) -> Call:
    """The module and its input. Sizes and numbers follow from the configuration's name alone."""
    seed = zlib.crc32(configuration.name.encode())
    draw, numbers = random.Random(seed), torch.Generator().manual_seed(seed)
    time, width, hidden = draw.randint(4, 6), draw.randint(2, 4), draw.randint(3, 5)
    batch = 1 if configuration.form == UNBATCHED else draw.randint(3, 4)
    lengths = [time] * batch
    if configuration.form in (SORTED, UNSORTED):
        lengths = [time, *(draw.randint(1, time) for _ in range(batch - 1))]
        draw.shuffle(lengths)
        if configuration.form == SORTED:
            lengths.sort(reverse=True)
    build = (CELLS if configuration.is_cell else FUSED)[configuration.family]
    more: dict[str, Any] = {} if configuration.is_cell else {
        "num_layers": configuration.layers,
        "bidirectional": configuration.bidirectional,
        "batch_first": configuration.batch_first,
    }  # fmt: skip
    module: Any = build(width, hidden, bias=configuration.bias, dtype=configuration.dtype, **more)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-1, 1, generator=numbers).mul_(hidden**-0.5)  # torch's own initialization

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=numbers, dtype=configuration.dtype)

    x = normal(time, batch, width)
    state: Any = None
    if configuration.state:
        count = configuration.layers * (2 if configuration.bidirectional else 1)
        state = normal(count, batch, getattr(module, "proj_size", 0) or hidden)
        if "LSTM" in configuration.family:
            state = (state, normal(count, batch, hidden))
    return Call(module, x, lengths, state)


def as_taken(configuration: Configuration, call: Call, x: torch.Tensor) -> tuple[Any, Any]:
    """Input and state as the module takes them; of cells the inputs of all steps. Shapes: x (T, B, I)."""
    state = call.state
    if configuration.is_cell:
        state = each(state, lambda s: s[0])
    if configuration.form == UNBATCHED:
        return x[:, 0], each(state, lambda s: s[0] if configuration.is_cell else s[:, 0])
    if configuration.batch_first:
        x = x.transpose(0, 1)
    if configuration.form == NOT_PACKED:
        return x, state
    ordered = configuration.form == SORTED
    lengths = torch.tensor(call.lengths)
    return pack_padded_sequence(x, lengths, configuration.batch_first, enforce_sorted=ordered), state


def as_truth(configuration: Configuration, output: Any) -> torch.Tensor:
    """What a fused module returned for a sequence in the form of the truth. Shape: (T, B, D*P)."""
    whole: torch.Tensor = output
    if isinstance(output, PackedSequence):
        whole = pad_packed_sequence(output)[0]
    elif configuration.form == UNBATCHED:
        whole = output.unsqueeze(1)
    elif configuration.batch_first:
        whole = output.transpose(0, 1)
    return whole


def state_as_truth(configuration: Configuration, state: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
    """A final state in the form of the truth. Shapes: (L*D, B, ...)."""
    if configuration.form == UNBATCHED:
        state = each(state, lambda s: s.unsqueeze(-2))
    if configuration.is_cell:
        state = each(state, lambda s: s.unsqueeze(0))
    return state if isinstance(state, tuple) else (state, None)


def each(state: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The same change made to a state, or to both of an LSTM; None stays None."""
    if state is None:
        return None
    return tuple(change(s) for s in state) if isinstance(state, tuple) else change(state)
