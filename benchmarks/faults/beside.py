"""The tables of the page that hold the reports beside simpler means and other tools."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import baselines
from .peers.causes import ADVICE, MEANINGS, Meaning
from .peers.sample import EVERY, is_sampled
from .score import (
    Rate,
    Result,
    doctor_conditions,
    grave,
    named,
    of,
    precision,
    rate,
    recall,
    show,
    truth,
)
from .task import FOLDERS, HELD_BACK

_HEAD = [
    "| | healthy runs with an alarm | right cause named | conditions: precision | recall |",
    "|---|---|---|---|---|",
]
_NAIVE = {name: Meaning(faults, baselines.CONDITIONS.get(name)) for name, faults in baselines.NAMES.items()}


def beside(results: Sequence[Result], peers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Naive rules and chance on the parts that count; the other tools on a sample of the held-back one."""
    lines = [
        "## Beside simpler means (healthy, clear and gross)",
        "",
        "The naive rules read the same logs: gradient norm above 100 (exploding) or below 1e-7 (vanishing), median",
        "update ratio below 1e-3 and a loss that falls by less than 1 % between the first and the last ten updates",
        "(slow convergence). Chance knows how many runs are ill and how often each condition is there, and guesses so.",
        "",
    ]
    for part in (HELD_BACK, *FOLDERS):
        judged = _judged(results, part)
        lines += [f"{part.capitalize()} part:", "", *_HEAD, _doctor(judged), _naive("naive rules", judged)]
        lines += [_naive(name, judged, name) for name in _NAIVE]
        lines += [f"| chance | {_chance(judged)} |", ""]
    return [*lines, *_peers([r for r in _judged(results, HELD_BACK) if is_sampled(r["key"])], peers)]


def _judged(results: Sequence[Result], part: str) -> list[Result]:
    return [*of(results, part), *of(results, part, "clear", "gross")]


def _peers(judged: Sequence[Result], peers: Sequence[Mapping[str, Any]]) -> list[str]:
    seen = {tool: {p["key"]: p for p in peers if p["tool"] == tool} for tool in MEANINGS}
    sampled, installed = len(judged), [keys for keys in seen.values() if keys]
    judged = [r for r in judged if all(r["key"] in keys for keys in installed)]
    lines = [
        f"## Beside other tools (every {EVERY}rd held-back run, by the hash of its key)",
        "",
        f"{len(judged)} of these {sampled} runs, in the order of the plan: those that all of them have seen.",
        "They watched the same trainings for as many updates, attached as their documentation says (peers/tools.py);",
        "their alarms are warnings or worse. What an alarm names is read in the tool's favour (peers/causes.py), and",
        "advice on habits (AdamW for Adam, a warm-up) is not counted.",
        "",
        *_HEAD,
        _doctor(judged),
        _naive("naive rules", judged),
    ]
    failed = []
    for tool, meanings in MEANINGS.items():
        its = seen[tool]
        errors = Counter(p["error"] for p in its.values() if p.get("error"))
        failed += [f"- {tool} failed on {n} of {len(its)} runs: `{error}`" for error, n in errors.items()]
        advice = ADVICE.get(tool, frozenset())
        alarms = {key: [a for a in p["alarms"] if a not in advice] for key, p in its.items()}
        lines.append(_row(tool, meanings, judged, alarms))
    return [*lines, "", *failed, *([""] if failed else [])]


def _doctor(judged: Sequence[Result]) -> str:
    return _cells(
        "rnn-doctor",
        judged,
        lambda r: bool(grave(r)),
        lambda r: not r["healthy"] and named(r),
        doctor_conditions,
    )


def _naive(label: str, judged: Sequence[Result], *only: str) -> str:
    names = only or tuple(_NAIVE)
    alarms = {r["key"]: [alarm for alarm in r["naive"] if alarm in names] for r in judged}
    return _row(label, _NAIVE, judged, alarms)


def _row(
    tool: str,
    meanings: Mapping[str, Meaning],
    judged: Sequence[Result],
    alarms: Mapping[str, Sequence[str]],
) -> str:
    """A tool's counts on the runs that it has seen."""

    def means(result: Result) -> list[Meaning]:
        return [meanings[alarm] for alarm in alarms[result["key"]] if alarm in meanings]

    return _cells(
        tool,
        [r for r in judged if r["key"] in alarms],
        lambda r: bool(alarms[r["key"]]),
        lambda r: any(r["fault"] in meaning.faults for meaning in means(r)),
        lambda r: {meaning.condition for meaning in means(r) if meaning.condition is not None},
    )


def _cells(
    label: str,
    seen: Sequence[Result],
    fires: Callable[[Result], bool],
    names: Callable[[Result], bool],
    told: Callable[[Result], set[str]],
) -> str:
    healthy, ill = [r for r in seen if r["healthy"]], [r for r in seen if not r["healthy"]]
    counted: list[Rate] = [rate(healthy, fires), rate(ill, names), precision(seen, told), recall(seen, told)]
    return f"| {label} | {' | '.join(map(show, counted))} |"


def _chance(judged: Sequence[Result]) -> str:
    """Expected values of a guesser that knows the frequencies: alarms, causes, precision, recall."""
    ill, n = [r for r in judged if not r["healthy"]], len(judged)
    if not ill or len(ill) == n:
        return "none | none | none | none"
    faults = Counter(r["fault"] for r in ill)
    cause = len(ill) / n * sum((k / len(ill)) ** 2 for k in faults.values())
    conditions = Counter(c for r in ill for c in truth(r)[0])
    allowed = Counter(c for r in ill for c in truth(r)[1])
    told = sum(conditions.values()) / n
    right = sum(conditions[c] / n * allowed[c] / n for c in conditions)
    found = sum((k / len(ill)) * (k / n) for k in conditions.values())
    return f"{len(ill) / n:.2f} | {cause:.2f} | {right / told:.2f} | {found:.2f}"
