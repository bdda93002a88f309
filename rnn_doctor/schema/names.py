"""What the script itself calls the things that remedies speak of."""

from rnn_doctor.schema.values import Frozen


class Names(Frozen):
    """Names as they stand in the script, such as `self.lstm`; None or missing where they are not known."""

    optimizer: str | None = None
    model: str | None = None
    """Whose `parameters()` the optimizer was given."""
    modules: dict[str, str] = {}
    """Of the recurrent modules, by subject."""
    recurrent: dict[str, str | None] = {}
    """Of hand-written recurrences, by subject: the weights that the state passes through."""
    kinds: dict[str, str] = {}
    """Of the modules of torch, by subject: `RNN`, `LSTM` or `GRU`."""
    time_first: tuple[str, ...] = ()
    """Those of them that take (time, batch, features)."""
    shortfall: int = 10
    """The power of ten by which updates that are too small are to grow; at least 10."""
