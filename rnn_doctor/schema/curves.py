"""The curves of a report: losses, norms, rates, update sizes and gates over the updates, gates over time steps."""

from collections.abc import Sized
from typing import Self

from pydantic import model_validator

from rnn_doctor.schema.values import Frozen, GateName, Number


def _as_long(steps: Sized, *curves: Sized) -> None:
    """Raises ValueError, which a model reports, where a curve has not one value an update."""
    if any(len(curve) != len(steps) for curve in curves):
        raise ValueError("there is not one value an update")


class Curve(Frozen):
    """One number over the updates, or the reason why there is none.

    Thinned where it is long: of each stretch the smallest, the largest and one value that is not finite stay, so that
    spikes and gaps remain visible.
    """

    steps: tuple[int, ...] = ()
    """Numbers of the updates, rising."""
    values: tuple[Number, ...] = ()
    seen: int = 0
    """How many values there were before thinning."""
    absent: str | None = None
    """Why it is empty."""

    @model_validator(mode="after")
    def _one_value_an_update(self) -> Self:
        _as_long(self.steps, self.values)
        return self


class StepCurves(Frozen):
    """The training as a series of updates; where optimizers take turns, that of the leading ones."""

    loss: Curve = Curve()
    """Training loss."""
    validation: Curve = Curve()
    """Loss of the evaluations on data that is not trained on, after these updates."""
    uninformed_loss: Number | None = None
    """The training loss of an answer that knows nothing, where that is known."""
    grad_norm: Curve = Curve()
    """Global 2-norm of the gradient, before clipping."""
    clipped_norm: Curve = Curve()
    """The same as the optimizer used it, at the updates where a clip call ran."""
    clip_limit: Curve = Curve()
    """The limit of the clip calls."""
    spikes: tuple[int, ...] = ()
    """The updates with the largest norms among those above 10 times their running median."""
    learning_rate: Curve = Curve()
    """Of the first parameter group."""


class UpdateCurve(Frozen):
    """How large the updates of one group of weights were, over the weights' own size."""

    subject: str
    """The recurrent module, or the module that holds the weights."""
    layer: int | None = None
    """The layer of a recurrent module; None for other weights."""
    reverse: bool = False
    steps: tuple[int, ...]
    ratios: tuple[Number, ...]
    """||update|| / ||weights||, both over the whole group, at the sampled updates."""

    @model_validator(mode="after")
    def _one_value_an_update(self) -> Self:
        _as_long(self.steps, self.ratios)
        return self


class GateCurve(Frozen):
    """How far one gate of one layer was saturated at the updates where the recurrence was replayed."""

    module: str
    layer: int
    reverse: bool = False
    gate: GateName
    steps: tuple[int, ...]
    low: tuple[Number, ...]
    """Share of (row, time, unit) below 0.1 (sigmoid) or -0.97 (tanh)."""
    high: tuple[Number, ...]
    """Above 0.9 or 0.97."""

    @model_validator(mode="after")
    def _one_value_an_update(self) -> Self:
        _as_long(self.steps, self.low, self.high)
        return self


class GateCourse(Frozen):
    """What one gate of one layer did over the time steps of a sequence, at one update.

    Of many updates where the recurrence was replayed, the first, the one in the middle, and the last.
    """

    module: str
    layer: int
    reverse: bool = False
    gate: GateName
    """A sigmoid gate: i, f, o, r or z."""
    step: int
    """The update."""
    times: tuple[int, ...]
    mean: tuple[Number, ...]
    """Over rows and units."""
    p10: tuple[Number, ...]
    """What a tenth of the values of rows and units lie below."""
    p90: tuple[Number, ...]
    """What a tenth of them lie above."""

    @model_validator(mode="after")
    def _one_value_a_time_step(self) -> Self:
        if any(len(curve) != len(self.times) for curve in (self.mean, self.p10, self.p90)):
            raise ValueError("there is not one value a time step")
        return self
