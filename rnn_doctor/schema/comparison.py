"""What changed from one report to another on the same script. Its JSON form has a published, versioned schema.

Schema version 1: the first.
"""

from typing import Literal

from rnn_doctor.schema.report import Finding, Tool, Verdict
from rnn_doctor.schema.rule import Condition, ConfidenceWord
from rnn_doctor.schema.values import Frozen, Number

SCHEMA_VERSION: Literal[1] = 1

Basis = Literal["intervals", "z", "decades", "share", "factor"]


class Side(Frozen):
    """One of the two reports, as far as it tells how far they can be compared."""

    script: str
    arguments: tuple[str, ...] = ()
    tool_version: str
    torch: str
    steps: int
    evaluations: int
    parameters: int


class ChangedVerdict(Frozen):
    """A condition whose verdict is another now."""

    condition: Condition
    old: Verdict
    new: Verdict
    old_confidence: ConfidenceWord | None = None
    new_confidence: ConfidenceWord | None = None
    reason: str
    """Of the new verdict."""


class MovedNumber(Frozen):
    """A signal whose number is another now, by more than what is taken for noise."""

    signal: str
    subject: str
    unit: str
    old: Number
    new: Number
    old_interval: tuple[Number, Number] | None = None
    new_interval: tuple[Number, Number] | None = None
    basis: Basis
    """What it was held against: its intervals, where both reports have them; else a change that is stated."""


class ChangedClaim(Frozen):
    """A signal that is no number, and says something else now."""

    signal: str
    subject: str
    old: bool | str
    new: bool | str


class Comparison(Frozen):
    """The whole result."""

    schema_version: Literal[1] = SCHEMA_VERSION
    tool: Tool
    old: Side
    new: Side
    verdicts: tuple[ChangedVerdict, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Those of the new report, each with its `change`, and with its former severity where that was another."""
    gone: tuple[Finding, ...] = ()
    """Findings of the old report that were looked for again, and not found."""
    unjudged: tuple[Finding, ...] = ()
    """Findings of the old report that the new one did not look for, or could not judge."""
    suppressed: tuple[Finding, ...] = ()
    """Findings of the old report that are there, and suppressed in the source now."""
    numbers: tuple[MovedNumber, ...] = ()
    """Those that findings quote first, then by how far they moved."""
    claims: tuple[ChangedClaim, ...] = ()
    compared: int = 0
    """Numbers that both reports have."""
    remarks: tuple[str, ...] = ()
    """What makes the two reports less alike than they should be."""
