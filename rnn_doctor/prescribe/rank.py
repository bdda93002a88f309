"""The remedies of the findings, the one to try first in front."""

from collections.abc import Iterable
from dataclasses import dataclass

from rnn_doctor.prescribe.conflicts import compatible
from rnn_doctor.prescribe.contraindications import warnings
from rnn_doctor.prescribe.snippets import in_form_of, in_names_of, subject_of
from rnn_doctor.schema.names import Names
from rnn_doctor.schema.remedy import Remedy
from rnn_doctor.schema.report import Contraindication, Finding, Prescription
from rnn_doctor.schema.rule import Severity, Treatment
from rnn_doctor.schema.rulebook import Rulebook

UNNAMED = Names()
_EFFORT = ("setting", "line", "data", "architecture")
_SEVERITY: dict[Severity, float] = {"error": 1.0, "warning": 0.5, "note": 0.25}
"""An error outweighs a warning, and a warning a note, at equal effect; only the order of the sums matters."""
_EXPLAINED = 0.5
"""A consequence that is treated comes back while its cause is there: it may decide between remedies of the
same cause, but never outweighs a cause."""


@dataclass(frozen=True, slots=True)
class _Use:
    """One finding that a remedy treats."""

    finding: Finding
    treatment: Treatment
    gravest: Severity
    """Of the finding and all that it explains."""
    certain: bool
    """A repair of full effect undoes the very fault that was found; one of less is a guess there: the fault
    that it undoes may lie behind the finding, but was not found itself."""

    @property
    def gain(self) -> float:
        explained = _EXPLAINED if self.finding.explained_by else 1.0
        return self.treatment.effect * _SEVERITY[self.gravest] * explained


@dataclass(frozen=True, slots=True)
class _Candidate:
    remedy: Remedy
    uses: tuple[_Use, ...]

    @property
    def roots(self) -> tuple[_Use, ...]:
        return tuple(use for use in self.uses if not use.finding.explained_by)

    @property
    def order(self) -> tuple[bool, bool, bool, float, int, str]:
        """Sorts: faults before notes, causes before consequences, certain repairs, effect, effort."""
        return (
            all(use.gravest == "note" for use in self.uses),
            not self.roots,
            not any(use.certain for use in self.roots or self.uses),
            -sum(use.gain for use in self.uses),
            _EFFORT.index(self.remedy.effort),
            self.remedy.id,
        )


def remedies(
    findings: Iterable[Finding], rulebook: Rulebook, names: Names = UNNAMED
) -> tuple[Prescription, ...]:
    """The remedies that treat these findings, ranked, without those that exclude a better one.

    Their snippets speak of the script's optimizer, model and recurrent modules by `names`, where those are known.

    Repairs of root causes come first, for they are certain; then what the literature supports, by its
    expected effect summed over what it treats, the lesser effort first among equals. What treats only
    consequences comes after what treats a cause, and what concerns only notes comes last.
    """
    found = tuple(findings)
    candidates = {candidate.remedy.id: candidate for candidate in _candidates(found, rulebook)}
    ranked = sorted(candidates.values(), key=lambda candidate: candidate.order)
    kept = compatible(candidate.remedy for candidate in ranked)
    warned = warnings(found, rulebook)
    return tuple(
        _prescription(rank, candidates[remedy.id], names, warned.get(remedy.id))
        for rank, remedy in enumerate(kept, 1)
    )


def _candidates(findings: tuple[Finding, ...], rulebook: Rulebook) -> Iterable[_Candidate]:
    uses: dict[str, dict[str, _Use]] = {}
    for finding in findings:
        gravest = _gravest(finding, findings)
        for treatment in rulebook.rules[finding.rule].remedy:
            if treatment.use in finding.ruled_out:
                continue
            if finding.explained_by and _is_guess(treatment, rulebook):
                continue  # what lies behind this finding was found, with its own repair
            use = _Use(finding, treatment, gravest, _is_certain(treatment, rulebook))
            # One fault that shows on three layers is one fault: the gravest finding of a rule counts.
            known = uses.setdefault(treatment.use, {})
            if finding.rule not in known or use.gain > known[finding.rule].gain:
                known[finding.rule] = use
    for remedy, by_rule in uses.items():
        yield _Candidate(rulebook.remedies[remedy], tuple(by_rule.values()))


def _is_certain(treatment: Treatment, rulebook: Rulebook) -> bool:
    return rulebook.remedies[treatment.use].kind == "repair" and treatment.effect == 1.0


def _is_guess(treatment: Treatment, rulebook: Rulebook) -> bool:
    return rulebook.remedies[treatment.use].kind == "repair" and treatment.effect < 1.0


def _gravest(finding: Finding, findings: tuple[Finding, ...]) -> Severity:
    """The severity of a finding or, if graver, of what it explains: to treat a cause treats those as well."""
    family, reached = [finding], {finding.rule}
    for member in family:
        for other in findings:
            if member.rule in other.explained_by and other.rule not in reached:
                family.append(other)
                reached.add(other.rule)
    return max((member.severity for member in family), key=_SEVERITY.__getitem__)


def _prescription(
    rank: int, candidate: _Candidate, names: Names, warning: Contraindication | None
) -> Prescription:
    remedy = candidate.remedy
    subject = subject_of((use.finding.subject for use in candidate.uses), names)
    return Prescription(
        rank=rank,
        id=remedy.id,
        title=remedy.title,
        addresses=tuple(use.finding.rule for use in candidate.uses),
        because=_because(candidate),
        basis="certain" if any(use.certain for use in candidate.uses) else "literature",
        effort=remedy.effort,
        how=in_names_of(_snippet(remedy, subject, names), names, subject).strip("\n"),
        cautions=(*_first(warning), *remedy.cautions),
        sources=remedy.sources,
        evidence=remedy.evidence,
    )


def _snippet(remedy: Remedy, subject: str | None, names: Names) -> str:
    if remedy.by_hand and subject in names.recurrent:
        return remedy.by_hand
    return in_form_of(remedy.after, remedy.before or "", names, subject)


def _first(warning: Contraindication | None) -> tuple[str, ...]:
    """The caution that comes before all others: one finding asks for the remedy, and another warns of it."""
    return () if warning is None else (f"{', '.join(warning.rules)} warns of it: {warning.because}.",)


def _because(candidate: _Candidate) -> str:
    """Why it is recommended: for what it treats at the root, or else for the consequences it treats."""
    reasons: dict[str, list[str]] = {}
    for use in candidate.roots or candidate.uses:
        reasons.setdefault(use.treatment.because.rstrip("."), []).append(use.finding.rule)
    if len(reasons) == 1:
        return next(iter(reasons))
    return "; ".join(f"{', '.join(rules)}: {reason}" for reason, rules in reasons.items())
