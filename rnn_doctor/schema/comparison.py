"""What changed from one report to another on the same script. Its JSON form has a published, versioned schema.

Schema version 1: the first.
"""

from typing import Literal

from rnn_doctor.schema.report import Finding, Tool, Verdict
from rnn_doctor.schema.rule import Condition, ConfidenceWord
from rnn_doctor.schema.values import Frozen, Number

SCHEMA_VERSION: Literal[1] = 1

Basis = Literal["repeats", "intervals", "z", "decades", "share", "factor"]


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
    """Of several old runs their mean, of what scatters by factors the geometric one."""
    new: Number
    usual: tuple[Number, Number] | None = None
    """Where it would lie in 99 of 100 further runs of the old code; None where there are no repeats that tell."""
    old_interval: tuple[Number, Number] | None = None
    new_interval: tuple[Number, Number] | None = None
    basis: Basis
    """What it was held against: the scatter of repeats, else a change that is stated."""


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
    """Of several old runs the first."""
    new: Side
    repeats: int = 1
    """Old runs that the new one was held against."""
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
    """Those that moved beyond their noise: what findings quote first, then by how far they moved."""
    unsure: tuple[MovedNumber, ...] = ()
    """Those of whose noise nothing is known, that differ by a change that is stated, in the same order."""
    claims: tuple[ChangedClaim, ...] = ()
    compared: int = 0
    """Numbers that both reports have."""
    with_noise: int = 0
    """Those of them whose noise is known."""
    remarks: tuple[str, ...] = ()
    """What makes the two reports less alike than they should be."""
