"""How much a remedy changed the training loss of a run, over repeats with other seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import special

from rnn_doctor.schema.report import Trial, TrialFinding
from rnn_doctor.schema.runlog import RunLog
from rnn_doctor.trials.arms import Arm

HARM_STEPS = 40
"""Updates from which on a loss that is higher counts: many a change begins worse and ends better."""
LEAST = 0.05
"""A change of the logarithm that counts, in each repeat; whether it lasts, benchmarks/trials.py asks."""
_LAST = 0.2
"""Share of the updates at the end whose mean loss is compared."""
_BROKEN = 1000.0
"""What a loss that is no number, or beyond it, counts as: times the first of the script's own."""
_LEVEL = 0.95


@dataclass(frozen=True)
class Run:
    """What came of one run of a trial."""

    log: RunLog
    rules: frozenset[str]
    """Ids of what was found in it."""
    leading: frozenset[str]
    """Of these, what no other finding explains."""


@dataclass(frozen=True)
class Effect:
    """What one arm did."""

    arm: Arm
    trial: Trial


def steps(own: Sequence[Run], tried: Mapping[Arm, Sequence[Run]]) -> int:
    """Updates that all runs have made."""
    return min(len(run.log.steps) for runs in (own, *tried.values()) for run in runs)


def effects(
    own: Sequence[Run], tried: Mapping[Arm, Sequence[Run]], addresses: Mapping[str, Sequence[str]]
) -> list[Effect]:
    """The effect of each arm on the loss, beside the same repeats of the script as it is.

    own: by repeat; tried: likewise. addresses: the rules that a remedy treats, by its id.

    Effect: the mean over the repeats of log(loss with / loss without), each loss the mean of the last fifth of the
    updates that all runs have made; its interval is Student's at 95 %, the p-value two-sided and Holm's for all arms.
    None are told where a loss is 0 or negative, for a ratio says nothing of it.
    """
    made = steps(own, tried)
    firsts = [_first(run, made) for run in own]
    controls = [score(run, made, first) for run, first in zip(own, firsts, strict=True)]
    varied = len({str(_losses(run, made)) for run in own}) > 1
    found = []
    for arm, runs in tried.items():
        scores = [score(run, made, first) for run, first in zip(runs, firsts, strict=True)]
        if not all(score > 0 for score in (*scores, *controls)):
            continue
        ratios = [math.log(with_ / without) for with_, without in zip(scores, controls, strict=True)]
        treated = _treated(addresses.get(arm.remedy, ()), own, runs)
        instead = frozenset.intersection(*(run.leading for run in runs)).difference(
            *(run.rules for run in own)
        )
        trial = _trial(arm, ratios, made, treated, varied=varied, instead=bool(instead))
        found.append(Effect(arm, trial))
    return _adjusted(found)


def _treated(rules: Sequence[str], own: Sequence[Run], runs: Sequence[Run]) -> tuple[TrialFinding, ...]:
    """A consequence that is gone while its cause stands is no success: without the remedy leading findings count."""
    counted = [
        TrialFinding(
            rule=rule,
            without=sum(rule in run.leading for run in own),
            with_it=sum(rule in run.rules for run in runs),
        )
        for rule in rules
    ]
    return tuple(each for each in counted if each.without)


def _losses(run: Run, made: int) -> list[float]:
    return [
        math.nan if step.loss is None else float(step.loss)
        for step in run.log.steps[:made]
        if step.loss is not None
    ]


def _first(run: Run, made: int) -> float:
    losses = _losses(run, made)
    return abs(losses[0]) if losses and math.isfinite(losses[0]) else 1.0


def score(run: Run, made: int, first: float | None = None) -> float:
    """The mean loss of the last fifth of so many updates; `first` is the loss by which a broken run is counted."""
    first = _first(run, made) if first is None else first
    losses = _losses(run, made)
    last = losses[-max(1, round(_LAST * len(losses))) :]
    broken = _BROKEN * first
    return statistics.fmean(loss if math.isfinite(loss) and loss < broken else broken for loss in last)


def _trial(
    arm: Arm,
    ratios: Sequence[float],
    made: int,
    treated: tuple[TrialFinding, ...],
    *,
    varied: bool,
    instead: bool,
) -> Trial:
    """instead: something else is found in each run with it, and was in none without."""
    effect, low, high, p = statistics.fmean(ratios), -math.inf, math.inf, 1.0
    repeats = len(ratios)
    gone = tuple(each.rule for each in treated if each.without == repeats and not each.with_it)
    error = statistics.stdev(ratios) / math.sqrt(repeats) if varied and repeats > 1 else math.inf
    if error < math.inf:
        reach = float(special.stdtrit(repeats - 1, 0.5 + _LEVEL / 2)) * error
        low, high = effect - reach, effect + reach
        # Equal effects in all repeats: runs that break, or a change that changes nothing.
        p = 2 * float(special.stdtr(repeats - 1, -abs(effect) / error)) if error else float(effect == 0)
    helps = high < 0 and all(ratio < -LEAST for ratio in ratios)
    cures = bool(gone) and effect < LEAST and not instead
    harms = low > 0 and all(ratio > LEAST for ratio in ratios) and made >= HARM_STEPS
    return Trial(
        arms=(arm.words,),
        effect=effect,
        interval=(low, high),
        p_value=p,
        steps=made,
        repeats=repeats,
        verdict="helps" if helps or cures else "harms" if harms else "unclear",
        gone=gone,
        found=treated,
    )


def _adjusted(found: Sequence[Effect]) -> list[Effect]:
    """With Holm's p-values, for as many as were tried at once."""
    adjusted, highest = {}, 0.0
    ordered = sorted(found, key=lambda each: each.trial.p_value)
    for rank, each in enumerate(ordered):
        highest = max(highest, min(1.0, each.trial.p_value * (len(ordered) - rank)))
        adjusted[each.arm.words] = highest
    return [
        Effect(each.arm, each.trial.model_copy(update={"p_value": adjusted[each.arm.words]}))
        for each in found
    ]


def best(found: Sequence[Effect]) -> dict[str, Trial]:
    """By remedy the trial of its best arm, with the words of all that were tried, the best first."""
    by_remedy: dict[str, list[Effect]] = {}
    for each in found:
        by_remedy.setdefault(each.arm.remedy, []).append(each)
    chosen = {}
    for remedy, several in by_remedy.items():
        ranked = sorted(several, key=lambda each: order(each.trial))
        words = tuple(each.arm.words for each in ranked)
        chosen[remedy] = ranked[0].trial.model_copy(update={"arms": words})
    return chosen


def order(trial: Trial) -> tuple[int, bool, float]:
    """Sorts trials: what helps first, and of that what the finding is gone by; then by the effect."""
    return ("helps", "unclear", "harms").index(trial.verdict), not trial.gone, trial.effect
