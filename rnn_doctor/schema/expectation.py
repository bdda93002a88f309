"""What a script is expected to show, and how a report stands to that."""

from typing import Literal

from rnn_doctor.schema.report import Finding, Report
from rnn_doctor.schema.values import Frozen


class Expectation(Frozen):
    """What the manifest says of a script; rules by their ids or names."""

    expect: Literal["healthy"] | tuple[str, ...] = "healthy"
    """Rules that must be found; "healthy" where none must."""
    known: tuple[str, ...] = ()
    """Rules that may be found and fail nothing."""

    @property
    def required(self) -> tuple[str, ...]:
        """The rules that must be found."""
        return () if self.expect == "healthy" else self.expect


class Undecided(Frozen):
    """A rule of the expectation that could give no verdict, and why."""

    rule: str
    reason: str


class Comparison(Frozen):
    """A report beside its expectation; every rule by its id."""

    unlisted: tuple[Finding, ...] = ()
    """What was found and is listed nowhere: these decide, by their severity."""
    listed: tuple[str, ...] = ()
    """Rules that are listed and were found."""
    fixed: tuple[str, ...] = ()
    """Known rules that were judged and found nothing: their entry can go."""
    missing: tuple[str, ...] = ()
    """Rules that must be found, were judged, and found nothing."""
    undecided: tuple[Undecided, ...] = ()
    """Rules that must be found or are known, and could not be judged."""


class Examined(Frozen):
    """One script of the manifest after its examination."""

    name: str
    code: int
    """The exit code that it alone would give."""
    expectation: Expectation = Expectation()
    report: Report | None = None
    """None where it could not be judged."""
    comparison: Comparison = Comparison()
    failed: tuple[str, ...] = ()
    """Rules whose unlisted findings are severe enough to fail."""
    note: str | None = None
    """Why it could not be judged, or what limits the report."""
