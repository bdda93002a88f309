"""Counts what the reports say against what is true: results.md, and rules/calibration.json with its numbers.

python -m benchmarks.faults.score            # both files, from results.jsonl
python -m benchmarks.faults.score --misses   # prints every alarm on a healthy run, every missed or misled fault
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from scipy.stats import beta

from .faults import BY_NAME, Fault

CONDITIONS = ("vanishing_gradients", "exploding_gradients", "overfitting", "slow_convergence")
WORDS = ("certain", "high", "moderate", "hint")
Result = dict[str, Any]
Rate = tuple[int, int]
"""k of n."""


def total(counted: Iterable[Rate]) -> Rate:
    """All of them together."""
    pairs = list(counted)
    return sum(k for k, _ in pairs), sum(n for _, n in pairs)


def interval(k: float, n: float) -> tuple[float, float]:
    """Clopper-Pearson, 95 %."""
    low = float(beta.ppf(0.025, k, n - k + 1)) if k else 0.0
    high = float(beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    return low, high


def show(counted: Rate) -> str:
    """`58 of 60 (0.97; 0.88 to 1.00)`"""
    k, n = counted
    if not n:
        return "none"
    low, high = interval(k, n)
    return f"{k} of {n} ({k / n:.2f}; {low:.2f} to {high:.2f})"


def grave(result: Result) -> list[dict[str, Any]]:
    """Findings of more than a note, in the order of the report."""
    return [f for f in result["findings"] if f["severity"] != "note"]


def rate(results: Iterable[Result], holds: Callable[[Result], bool]) -> Rate:
    """Of how many it holds, and how many there are."""
    flags = [holds(result) for result in results]
    return sum(flags), len(flags)


def has_error(result: Result) -> bool:
    """Whether a finding is an error."""
    return any(f["severity"] == "error" for f in result["findings"])


def has_warning(result: Result) -> bool:
    """Whether the gravest finding is a warning."""
    return bool(grave(result)) and not has_error(result)


def named(result: Result) -> bool:
    """Whether the right cause is among the findings of more than a note."""
    return any(f["rule"] in _right(result) for f in grave(result))


def leads(result: Result) -> bool:
    """Whether the right cause is the first of them."""
    return bool(grave(result)) and grave(result)[0]["rule"] in _right(result)


def is_right(result: Result, finding: dict[str, Any]) -> bool:
    """Whether what the finding says is true: the cause, a consequence of it, or explained by it through whatever."""
    if result["healthy"]:
        return False
    right = _right(result)
    follows = _fault(result).follows
    return finding["rule"] in right + follows or bool(_causes(result, finding) & set(right))


def _causes(result: Result, finding: dict[str, Any]) -> set[str]:
    """The rules that the report puts above a finding, directly or through others."""
    found: set[str] = set()
    waiting = set(finding["explained_by"])
    while waiting:
        found |= waiting
        above = {r for f in result["findings"] if f["rule"] in waiting for r in f["explained_by"]}
        waiting = above - found
    return found


def truth(result: Result) -> tuple[set[str], set[str]]:
    """The conditions that have to be told, and those that may be."""
    if result["healthy"]:
        return set(), set()
    fault = _fault(result)
    return {fault.condition}, {fault.condition, "slow_convergence", *fault.conditions}


def doctor_conditions(result: Result) -> set[str]:
    """Conditions that the report calls present or suspected."""
    return {name for name, verdict in result["verdicts"].items() if verdict in ("present", "suspected")}


def precision(results: Iterable[Result], told: Callable[[Result], set[str]]) -> Rate:
    """Of the conditions told, how many are there."""
    pairs = [(name in truth(result)[1]) for result in results for name in told(result)]
    return sum(pairs), len(pairs)


def recall(results: Iterable[Result], told: Callable[[Result], set[str]]) -> Rate:
    """Of the ill runs, in how many the condition of the fault is told."""
    return rate((r for r in results if not r["healthy"]), lambda r: truth(r)[0] <= told(r))


def calibration(results: Iterable[Result]) -> dict[str, Rate]:
    """Of the findings of each rule, warnings and errors, how many are right; one a run."""
    seen: dict[str, list[bool]] = defaultdict(list)
    for result in results:
        first = {f["rule"]: f for f in reversed(grave(result))}
        for rule, finding in first.items():
            seen[rule].append(is_right(result, finding))
    return {rule: (sum(flags), len(flags)) for rule, flags in sorted(seen.items())}


def bands(results: Iterable[Result]) -> dict[str, Rate]:
    """The same by the word of confidence."""
    seen: dict[str, list[bool]] = defaultdict(list)
    for result in results:
        for finding in grave(result):
            seen[finding["confidence"]].append(is_right(result, finding))
    return {word: (sum(seen[word]), len(seen[word])) for word in WORDS if word in seen}


def _fault(result: Result) -> Fault:
    return BY_NAME[result["fault"]]


def _right(result: Result) -> tuple[str, ...]:
    """The rules that name the cause, those of the way in which it was planted among them."""
    fault = _fault(result)
    return fault.rules + tuple(
        rule for form in fault.forms if form.name == result["form"] for rule in form.rules
    )


def of(results: Iterable[Result], part: str, *doses: str) -> list[Result]:
    """The ill runs of a part and of these doses; without doses the healthy ones."""
    return [r for r in results if r["part"] == part and (r["dose"] in doses if doses else r["healthy"])]


def misses(results: Sequence[Result]) -> list[str]:
    """A line for each healthy run with an alarm, and each gross or clear fault that is not named first."""
    lines = []
    for r in results:
        said = "; ".join(f"{f['rule']} {f['severity']}" for f in r["findings"]) or r["refused"] or "nothing"
        if r["healthy"] and grave(r):
            said = "; ".join(f"{f['rule']} {f['severity']}: {f['message']}" for f in grave(r))
            lines.append(f"- healthy ({r['part']}), `{r['key']}`: {said}")
        elif not r["healthy"] and r["dose"] == "gross" and not leads(r):
            how = "misled" if named(r) else "missed"
            lines.append(f"- {how} ({r['part']}), {r['fault']} ({r['form']}), `{r['key']}`: {said}")
    return sorted(lines)
