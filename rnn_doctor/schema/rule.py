"""A rule file (rules/RD*.toml): one diagnosis, with its documentation, its remedies and its test cases."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rnn_doctor.schema.values import Frozen

Severity = Literal["error", "warning", "note"]
Condition = Literal["vanishing_gradients", "exploding_gradients", "overfitting", "slow_convergence"]
CONDITIONS: tuple[Condition, ...] = (
    "vanishing_gradients",
    "exploding_gradients",
    "overfitting",
    "slow_convergence",
)
ConfidenceWord = Literal["certain", "high", "moderate", "hint"]
Text = Annotated[str, Field(min_length=1)]


class Clause(Frozen):
    """A claim about one signal. Exactly one of `above`, `below`, `between`, `is` is given."""

    signal: str
    above: float | None = None
    """Holds when the value is greater (or NaN never holds)."""
    below: float | None = None
    between: tuple[float, float] | None = None
    """Bounds included."""
    is_: bool | str | None = Field(default=None, alias="is")
    because: Text
    """The measured or published reason of the threshold."""

    @model_validator(mode="after")
    def _one_comparison(self) -> Self:
        given = [c for c in (self.above, self.below, self.between, self.is_) if c is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of above, below, between, is")
        return self


class Grade(Frozen):
    """Another severity for the findings whose clauses all hold; the first grade that applies decides."""

    severity: Severity
    confidence: ConfidenceWord | None = None
    condition: Condition | None = None
    """Another condition than the rule's, where one fault has two directions."""
    message: Text | None = None
    """Another message than the rule's, where what has to be said differs."""
    explains: bool = True
    """Whether the rule's consequences follow from these findings too."""
    alone: bool = False
    """Whether these findings have a reason of their own, which what is found on other subjects does not explain."""
    when: Annotated[tuple[Clause, ...], Field(min_length=1)]


class Treatment(Frozen):
    """A remedy of the catalogue, as it applies to this rule."""

    use: str
    """Id of a file in rules/remedies."""
    effect: Annotated[float, Field(ge=0, le=1)]
    """How far it is expected to help this finding, 0 to 1; orders remedies where no trial measured them."""
    because: Text
    when: tuple[Clause, ...] = ()
    """Recommended only where these are known to hold: what it acts on is there."""
    unless: tuple[Clause, ...] = ()
    """Not recommended where these all hold: the run does it already."""


class Contraindication(Frozen):
    """A remedy of the catalogue that is of no use where this rule is found, or does harm there."""

    use: str
    """Id of a file in rules/remedies."""
    because: Text
    when: tuple[Clause, ...] = ()
    """Warned of only where these are known to hold."""


class Silence(Frozen):
    """What it says of its condition that a decisive rule found nothing."""

    message: Text
    """str.format template over run-level signals; the reason of the verdict `absent`."""
    provisional: tuple[Clause, ...] = ()
    """Where these all hold, it is said of what was seen alone: later the rule may find something."""


class Case(Frozen):
    """A test of the rule: numbers, or a log of sample_logs/, and what is expected."""

    name: Text
    signals: dict[str, bool | float | str] | None = None
    """Signal values on one subject; a signal that is not named is unknown."""
    log: str | None = None
    lag: Annotated[int, Field(ge=1)] | None = None
    """How many time steps back the recorded task needs, as --lag tells it; with `log` alone."""
    expect: Literal["found", "clear", "unknown"]
    severity: Severity | None = None
    """Also checked where given."""

    @model_validator(mode="after")
    def _numbers_or_log(self) -> Self:
        if (self.signals is None) == (self.log is None):
            raise ValueError("give either signals or log")
        if self.lag is not None and self.log is None:
            raise ValueError("lag belongs to a log; name the signal lag_gain instead")
        return self


class Rule(Frozen):
    """One diagnosis."""

    id: Annotated[str, Field(pattern=r"^[A-Z]{2,8}[0-9]{3}$")]
    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    status: Literal["preview", "stable", "deprecated"]
    severity: Severity
    condition: Condition | None = None
    decisive: bool = False
    """Its condition is called absent only if all its decisive rules are clear."""
    confidence: ConfidenceWord
    confidence_because: Text
    summary: Text
    message: Text
    """str.format template over the signals of its clauses, `{subject}` and signals named in `mentions`."""
    mentions: tuple[str, ...] = ()
    """Signals that the message quotes beside those of the clauses; shown as evidence without threshold."""
    why: Text
    limits: Text
    sources: Annotated[tuple[Text, ...], Field(min_length=1)]
    location: (
        Literal[
            "subject",
            "line",
            "optimizer",
            "scheduler",
            "loss",
            "backward",
            "step",
            "clip",
            "zero_grad",
            "module",
        ]
        | None
    ) = None
    """Which source line a finding points to; falls back from the subject's own.

    `line` is the subject's own where that line is at fault: it is one finding, however many subjects it is found on.
    """
    explains: tuple[str, ...] = ()
    """Rules whose findings are consequences of this one: they are listed under it."""
    spreads: tuple[str, ...] = ()
    """Of these, rules whose findings on other subjects are consequences too: what stops the gradient in one part of
    the network stops it for all that lies before."""
    invalidates: tuple[str, ...] = ()
    """Rules whose measurements mean nothing when this one is found: their verdict becomes unknown."""
    hides: tuple[str, ...] = ()
    """Rules that could not see what they look for where this one is found: clear becomes unknown, found stays."""
    silence: Silence | None = None
    """Of a decisive rule: what its finding nothing means; by default that there is no sign of it."""
    when: Annotated[tuple[Clause, ...], Field(min_length=1)]
    """Every clause must hold; one that is unknown, when no other fails, makes the verdict unknown."""
    grade: tuple[Grade, ...] = ()
    remedy: tuple[Treatment, ...] = ()
    contraindication: tuple[Contraindication, ...] = ()
    """What people try in vain here: the report says so."""
    case: tuple[Case, ...] = ()
