"""Remedies in the order of what they did to the very run."""

from collections.abc import Mapping, Sequence

from rnn_doctor.prescribe.conflicts import compatible
from rnn_doctor.prescribe.rank import UNNAMED
from rnn_doctor.prescribe.snippets import in_names_of, subject_of
from rnn_doctor.schema.names import Names
from rnn_doctor.schema.report import Prescription, Trial
from rnn_doctor.schema.rulebook import Rulebook

_UNASKED = "no finding asks for it, and it brings the loss of this run down faster"


def measured(
    ranked: Sequence[Prescription], trials: Mapping[str, Trial], rulebook: Rulebook, names: Names = UNNAMED
) -> tuple[Prescription, ...]:
    """The remedies with their trials, by id: what helped in front, in the order of `trials`, what harmed at the end.

    Certain repairs stay before all others, and what was not tried, or showed nothing, keeps its order between. What
    helped though no finding asks for it is recommended as well, unless it excludes a better one.
    """
    asked = {each.id for each in ranked}
    unasked = [
        _unasked(remedy, trial, rulebook, names)
        for remedy, trial in trials.items()
        if remedy not in asked and trial.verdict == "helps"
    ]
    told = [_told(each, trials.get(each.id)) for each in (*ranked, *unasked)]
    places = {remedy: place for place, remedy in enumerate(trials)}

    def order(each: Prescription) -> tuple[bool, int, int]:
        verdict = each.trial.verdict if each.trial else "unclear"
        helps = verdict == "helps"
        return each.basis != "certain", -1 if helps else verdict == "harms", places[each.id] if helps else 0

    ordered = sorted(told, key=order)
    kept = {remedy.id for remedy in compatible(rulebook.remedies[each.id] for each in ordered)}
    return tuple(
        each.model_copy(update={"rank": rank})
        for rank, each in enumerate((each for each in ordered if each.id in kept), 1)
    )


def _told(each: Prescription, trial: Trial | None) -> Prescription:
    if trial is None:
        return each
    decided = trial.verdict != "unclear" and each.basis != "certain"
    return each.model_copy(update={"trial": trial, "basis": "trial" if decided else each.basis})


def _unasked(remedy: str, trial: Trial, rulebook: Rulebook, names: Names) -> Prescription:
    found = rulebook.remedies[remedy]
    subject = subject_of(iter(()), names)
    return Prescription(
        rank=1,
        id=remedy,
        title=found.title,
        addresses=(),
        because=_UNASKED,
        basis="trial",
        trial=trial,
        effort=found.effort,
        how=in_names_of(found.after, names, subject).strip("\n"),
        cautions=found.cautions,
        sources=found.sources,
        evidence=found.evidence,
    )
