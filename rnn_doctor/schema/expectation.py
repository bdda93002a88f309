"""What a script of the manifest is expected to show, and how its report stands to that."""

from typing import Literal

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

    @property
    def listed(self) -> tuple[str, ...]:
        """All rules that it names."""
        return (*self.required, *self.known)


class Undecided(Frozen):
    """A rule of the expectation that could give no verdict, and why."""

    rule: str
    reason: str


class Expected(Expectation):
    """The expectation of one script, its rules by id, and what became of it."""

    name: str
    """What the manifest calls the script."""
    met: bool
    """Whether what must be found was found, and nothing that is listed nowhere fails."""
    found: tuple[str, ...] = ()
    """Listed rules that were found, also those whose findings the source suppresses."""
    suppressed: tuple[str, ...] = ()
    """Those of `found` of which every finding is suppressed in the source."""
    fixed: tuple[str, ...] = ()
    """Known rules that were judged and found nothing: their entry can go."""
    missing: tuple[str, ...] = ()
    """Rules that must be found, were judged, and found nothing."""
    undecided: tuple[Undecided, ...] = ()
    """Rules that must be found or are known, and could not be judged."""
    note: str | None = None
    """Why the script could not be judged, or what limits its report."""
