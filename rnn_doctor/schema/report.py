"""The report: the whole result of an examination. Its JSON form has a published, versioned schema.

Schema version 1: the first.
"""

from itertools import pairwise
from typing import Literal, Self

from pydantic import model_validator

from rnn_doctor.schema.calibration import Record
from rnn_doctor.schema.curves import GateCourse, GateCurve, StepCurves, UpdateCurve
from rnn_doctor.schema.expectation import Expected
from rnn_doctor.schema.imported import ForeignLog
from rnn_doctor.schema.remedy import Study
from rnn_doctor.schema.rule import CONDITIONS, Condition, ConfidenceWord, Severity
from rnn_doctor.schema.signals import Signal
from rnn_doctor.schema.values import Frozen, Location, Number

SCHEMA_VERSION: Literal[1] = 1

Verdict = Literal["present", "suspected", "absent", "not_assessed"]
Change = Literal["new", "worse", "known", "better"]


class Confidence(Frozen):
    """How sure a finding is, and where that comes from."""

    word: ConfidenceWord
    because: str
    bench: Record | None = None
    """How often such findings of the rule were right on the fault bench; None for notes, and where none was seen."""


class Evidence(Frozen):
    """One signal that speaks for a finding."""

    signal: str
    value: bool | Number | str | None
    interval: tuple[Number, Number] | None = None
    unit: str
    threshold: str | None = None
    """The comparison that held, e.g. `> 3`; None for a signal that is only quoted."""
    because: str | None = None
    """The reason of the threshold."""


class Finding(Frozen):
    """A rule that fired on a subject."""

    rule: str
    name: str
    severity: Severity
    confidence: Confidence
    condition: Condition | None = None
    subject: str
    location: Location | None = None
    message: str
    evidence: tuple[Evidence, ...] = ()
    explains: tuple[str, ...] = ()
    """Ids of rules whose findings are consequences of this one."""
    explained_by: tuple[str, ...] = ()
    """Ids of rules that are found and explain this one; empty for a root cause."""
    ruled_out: tuple[str, ...] = ()
    """Ids of remedies of the rule that do not apply to this run: it does them already, or has not what they act on."""
    contraindicated: tuple[str, ...] = ()
    """Ids of remedies that the rule warns of in this run."""
    fingerprint: str = ""
    """16 hexadecimal digits, unique in a report and the same after the finding's line has moved; empty in reports
    that were stored without."""
    change: Change | None = None
    """How it stands to the baseline; None where there is none. Worse and better speak of the severity."""
    was: Severity | None = None
    """Its severity in the baseline, where that was another."""


class NotAssessed(Frozen):
    """A rule or sensor that could give no verdict, and why."""

    what: str
    """Rule id and name, or the sensor."""
    condition: Condition | None = None
    reason: str
    option: str | None = None
    """The option that has it judged, where it was not asked for: the reports for people name it once, as an offer."""


class ConditionVerdict(Frozen):
    """The verdict on one of the four conditions."""

    verdict: Verdict
    confidence: ConfidenceWord | None = None
    reason: str
    findings: tuple[str, ...] = ()
    """Ids of the rules that speak for it."""
    provisional: bool = False
    """`absent` is said of what was seen alone; a longer look may find it."""


class Conditions(Frozen):
    """The four conditions, always all of them."""

    vanishing_gradients: ConditionVerdict
    exploding_gradients: ConditionVerdict
    overfitting: ConditionVerdict
    slow_convergence: ConditionVerdict


assert set(Conditions.model_fields) == set(CONDITIONS)


class Diagnosis(Frozen):
    """What the rule engine says."""

    findings: tuple[Finding, ...]
    """Causes before what they explain; then by severity."""
    not_assessed: tuple[NotAssessed, ...]
    conditions: Conditions


class Suppressed(Frozen):
    """A finding that a comment on its source line says to ignore: it is no part of the others, and fails no gate."""

    finding: Finding
    reason: str | None = None
    """What the comment gives as one."""


class Remark(Frozen):
    """A comment in the source that suppresses nothing, or not as it should."""

    location: Location
    text: str


class ChangedThreshold(Frozen):
    """A threshold that the settings have replaced, each as a comparison, e.g. `< 0.01`."""

    rule: str
    signal: str
    shipped: str
    used: str


class Baseline(Frozen):
    """What an older report held that this one does not."""

    found: bool = True
    """Whether there was one on this script; where not, every finding is new."""
    gone: tuple[Finding, ...] = ()
    """Looked for again, and not found."""
    unjudged: tuple[Finding, ...] = ()
    """Not looked for, or not to be judged in this run."""


class TrialFinding(Frozen):
    """In how many runs of a trial something was found that the remedy treats."""

    rule: str
    without: int
    """Of the runs without the remedy those that had it as a finding that no other explains."""
    with_it: int
    """Of the runs with it those that had it at all."""


class Trial(Frozen):
    """The measured effect of a remedy on this very run."""

    arms: tuple[str, ...]
    """What was done, the best first, of which the numbers are."""
    effect: Number
    """Logarithm of the loss with it over the loss without it; mean over the repeats."""
    interval: tuple[Number, Number]
    """Student's, at 95 %; infinite where the repeats do not tell how far the effect scatters."""
    p_value: Number
    """Two-sided, Holm's for all that was tried."""
    steps: int
    """Updates of each run."""
    repeats: int = 1
    """Runs with other seeds, each beside one without the remedy."""
    verdict: Literal["helps", "harms", "unclear"] = "unclear"
    """Helps: the loss is lower by a twentieth in every repeat, or what it treats is `gone` and the loss not higher."""
    gone: tuple[str, ...] = ()
    """Ids of rules that found something in every run without it, and in none with it."""
    found: tuple[TrialFinding, ...] = ()
    """What it treats, where any run without it had it."""


class Prescription(Frozen):
    """A remedy recommended for this run."""

    rank: int
    id: str
    title: str
    addresses: tuple[str, ...]
    """Ids of the rules found that it treats."""
    because: str
    basis: Literal["trial", "literature", "certain"]
    trial: Trial | None = None
    effort: Literal["setting", "line", "data", "architecture"]
    how: str
    """A snippet."""
    cautions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    evidence: tuple[Study, ...] = ()
    """What was measured of it elsewhere."""


class Contraindication(Frozen):
    """A remedy that is no remedy here: people try it in vain, or to their harm."""

    id: str
    title: str
    rules: tuple[str, ...]
    """Ids of the rules found that warn of it."""
    because: str


class RecurrentLayer(Frozen):
    """A recurrent module of the subject."""

    name: str
    kind: str
    hidden_size: int | None = None
    num_layers: int = 1
    bidirectional: bool = False
    location: Location | None = None


class Subject(Frozen):
    """What was examined."""

    script: str
    """As it was started; of a foreign log the log itself."""
    imported: ForeignLog | None = None
    """Of a foreign log: what was read of it as what; None where the script was observed."""
    arguments: tuple[str, ...] = ()
    python: str
    """Version; `not logged` of a foreign log, as torch and platform."""
    torch: str
    platform: str
    ranks: int = 1
    recurrent: tuple[RecurrentLayer, ...] = ()
    optimizers: tuple[str, ...] = ()
    parameters: int = 0
    """Trainable scalars seen."""


class Observation(Frozen):
    """How much was seen."""

    steps: int
    evaluations: int
    stopped: str
    """Why the observation ended, as a clause."""
    failed: bool = False
    """Whether it ended because the script failed."""
    seconds: Number | None = None
    probe_seconds: Number | None = None
    probe_share: Number | None = None
    """Share of the observed time that the probe took."""
    sensors_off: tuple[str, ...] = ()
    one_batch: str | None = None
    """What a copy of the network made of one fixed batch, as a clause; None where that was not tried."""


class LagProfile(Frozen):
    """How much of a gradient is left by lag, at the last step where it was measured."""

    module: str
    layer: int | None = None
    """One layer of several alone; None for the whole module."""
    reverse: bool = False
    step: int
    lags: tuple[int, ...]
    decades: tuple[Number, ...]
    """log10 of what is left of the gradient; 0 at lag 0."""
    needed_lag: Number | None = None
    """How far back the task must remember, where that is known."""
    needed_lag_basis: str | None = None
    """How it is known."""

    @model_validator(mode="after")
    def _one_value_a_lag(self) -> Self:
        if not self.lags or any(after <= before for before, after in pairwise(self.lags)):
            raise ValueError("the lags do not rise")
        if len(self.lags) != len(self.decades):
            raise ValueError("there is not one value a lag")
        return self


class TimeProfile(Frozen):
    """What one layer did over the time steps of a sequence, at the last step where it was replayed."""

    module: str
    layer: int
    reverse: bool = False
    step: int
    times: tuple[int, ...]
    hidden_gradient: tuple[Number, ...] = ()
    """log10 of the norm of dL/dh_t under the script's own loss."""
    hidden_norm: tuple[Number, ...] = ()
    """Root mean square of h_t."""
    cell_norm: tuple[Number, ...] = ()

    @model_validator(mode="after")
    def _one_value_a_step(self) -> Self:
        curves = (self.hidden_gradient, self.hidden_norm, self.cell_norm)
        if any(curve and len(curve) != len(self.times) for curve in curves):
            raise ValueError("there is not one value a time step")
        return self


class Profiles(Frozen):
    """The curves: inside the recurrences by lag and time step, and over the updates."""

    by_lag: tuple[LagProfile, ...] = ()
    by_time: tuple[TimeProfile, ...] = ()
    by_step: StepCurves = StepCurves()
    updates: tuple[UpdateCurve, ...] = ()
    gates: tuple[GateCurve, ...] = ()
    gate_courses: tuple[GateCourse, ...] = ()
    absent: dict[str, str] = {}
    """Why one of these is empty, by its key."""


class Criterion(Frozen):
    """What a rule asks of one signal."""

    signal: str
    threshold: str
    """The comparison, e.g. `> 3`."""
    because: str


class RulePage(Frozen):
    """A rule in use, as its page tells it: a stored report explains itself, on any machine."""

    id: str
    name: str
    severity: Severity
    condition: Condition | None = None
    confidence: ConfidenceWord
    confidence_because: str
    summary: str
    why: str
    when: tuple[Criterion, ...]
    """All of them hold where it is found."""
    limits: str
    sources: tuple[str, ...]


class Exit(Frozen):
    """How the examining command ended."""

    code: int
    failing: tuple[str, ...] = ()
    """Fingerprints of the findings that fail the gate: severe, sure and new enough for its settings."""


class Tool(Frozen):
    """Who made the report."""

    name: str = "rnn-doctor"
    version: str


class Report(Frozen):
    """The whole result."""

    schema_version: Literal[1] = SCHEMA_VERSION
    tool: Tool
    subject: Subject
    observation: Observation
    conditions: Conditions
    findings: tuple[Finding, ...]
    remedies: tuple[Prescription, ...]
    contraindications: tuple[Contraindication, ...] = ()
    """Remedies that are warned of and not recommended; a warning of one that is recommended is its first caution."""
    not_assessed: tuple[NotAssessed, ...]
    signals: tuple[Signal, ...]
    profiles: Profiles = Profiles()
    rules: tuple[str, ...] = ()
    """Ids of the rules that were in use; empty in reports that were stored without."""
    thresholds: tuple[ChangedThreshold, ...] = ()
    """Thresholds that the settings changed."""
    suppressed: tuple[Suppressed, ...] = ()
    """Findings that comments in the source suppress. They stand in no other list, and their verdicts say so."""
    remarks: tuple[Remark, ...] = ()
    """Suppressions that are unused, that name no rule, or that give no reason."""
    baseline: Baseline | None = None
    """What is gone since the baseline; None where none was given. What is left is told by the findings' `change`."""
    rulebook: tuple[RulePage, ...] = ()
    """The text of the rules in use; empty in reports that were stored without."""
    exit: Exit | None = None
    """None in reports that were stored without."""
    expected: Expected | None = None
    """What the manifest expects of the script, and what became of it; None where it was not checked by a manifest."""
