"""A remedy file (rules/remedies/*.toml): one treatment, shared by the rules that use it."""

from typing import Annotated, Literal

from pydantic import Field

from rnn_doctor.schema.rule import Text
from rnn_doctor.schema.values import Frozen

Effort = Literal["setting", "line", "data", "architecture"]


class Study(Frozen):
    """Something that was measured or shown about a remedy."""

    source: Text
    """A publication, or the benchmark of this project that prints it (benchmarks/...)."""
    setting: Text
    """On which networks and tasks: what was found there need not hold elsewhere."""
    effect: Text | None = None
    """How much it helped there, in numbers or as the authors sum it up; None where no size is known to us."""


class TrialPlan(Frozen):
    """Whether a trial can apply the remedy to a run without a change of the script."""

    applies: Literal["live", "restart", "no"]
    """On the running model and optimizer, only in a run from the script's start, or not at all."""
    how: Text
    """What is done, or why it cannot be."""


class Remedy(Frozen):
    """One treatment."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Text
    kind: Literal["repair", "treatment"]
    """A repair undoes a fault of the script and is certain; a treatment may help."""
    effort: Effort
    does: Text
    """What it does, in one or two sentences."""
    before: str | None = None
    """The snippet as it usually stands."""
    after: Text
    """The snippet as it should stand: PyTorch code."""
    by_hand: str | None = None
    """The same for a hand-written recurrence, whose state passes through the weights `recurrent`."""
    cautions: tuple[Text, ...] = ()
    """Where it does not help, and what it costs."""
    excludes: tuple[str, ...] = ()
    """Remedies that should not be applied together with it."""
    sources: Annotated[tuple[Text, ...], Field(min_length=1)]
    evidence: tuple[Study, ...] = ()
    """What was measured, the most telling first; a repair needs none, for it undoes the fault itself."""
    trial: TrialPlan | None = None
    """None: nothing is known of it, as of a remedy of one's own."""
