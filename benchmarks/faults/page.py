"""The result of the bench as a page, and its numbers as the rulebook ships them.

python -m benchmarks.faults.page             # results.md and rules/calibration.json, from results.jsonl
python -m benchmarks.faults.page --misses    # prints the alarms on healthy runs, the faults missed or misled
"""

import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from . import baselines
from .faults import BY_NAME
from .form import DOSES
from .score import (
    WORDS,
    Rate,
    Result,
    bands,
    calibration,
    doctor_conditions,
    grave,
    has_error,
    has_warning,
    interval,
    leads,
    misses,
    naive_conditions,
    naive_named,
    named,
    of,
    precision,
    rate,
    recall,
    truth,
)
from .task import DEVELOPMENT, HELD_BACK

HERE = Path(__file__).resolve().parent
RESULTS, PAGE, PEERS = HERE / "results.jsonl", HERE / "results.md", HERE / "peers.jsonl"
FEWEST = 10
"""Findings of a rule that make a number to be shown: 10 of 10 is a share of at least 0.69."""
CALIBRATION = HERE.parents[1] / "rules" / "calibration.json"


def show(counted: Rate, *, limits: bool = True) -> str:
    """`58 of 60 (0.97; 0.88 to 1.00)`"""
    k, n = counted
    if not n:
        return "none"
    low, high = interval(k, n)
    return f"{k} of {n} ({k / n:.2f}{f'; {low:.2f} to {high:.2f}' if limits else ''})"


def page(results: Sequence[Result], peers: Sequence[Result] = ()) -> str:
    """The whole result, as Markdown."""
    lines = [
        "# The fault bench",
        "",
        "`python -m benchmarks.faults.page`, from results.jsonl. Numbers are k of n, the share, and its 95 % interval",
        "(Clopper-Pearson).",
        "",
        *_targets(results),
        *_doses(results),
        *_faults(results),
        *_baselines(results, peers),
        *_calibration(results),
        *_alarms(results),
    ]
    return "\n".join(lines) + "\n"


def _targets(results: Sequence[Result]) -> list[str]:
    held = [r for r in results if r["part"] == HELD_BACK]
    healthy, ill = of(results, HELD_BACK), of(results, HELD_BACK, "clear", "gross")
    gross, clear = of(results, HELD_BACK, "gross"), of(results, HELD_BACK, "clear")
    judged = [*healthy, *ill]
    rows: list[tuple[str, Rate, str, Callable[[float], bool]]] = [
        ("healthy runs with an error", rate(healthy, has_error), "0 of at least 300", lambda s: s == 0),
        ("healthy runs with a warning", rate(healthy, has_warning), "at most 0.03", lambda s: s <= 0.03),
        ("gross faults: right cause named", rate(gross, named), "0.97", lambda s: s >= 0.97),
        ("gross faults: right cause first", rate(gross, leads), "0.93", lambda s: s >= 0.93),
        ("clear faults: right cause named", rate(clear, named), "0.90", lambda s: s >= 0.9),
        ("clear faults: right cause first", rate(clear, leads), "0.85", lambda s: s >= 0.85),
        (
            "verdicts on conditions: precision",
            precision(judged, doctor_conditions),
            "0.97",
            lambda s: s >= 0.97,
        ),
        ("verdicts on conditions: recall", recall(judged, doctor_conditions), "0.95", lambda s: s >= 0.95),
    ]
    table = [
        "## Held-back part against its targets",
        "",
        f"{len(held)} runs.",
        "",
        "| what | measured | target | met |",
    ]
    table.append("|---|---|---|---|")
    for what, counted, target, met in rows:
        good = counted[1] > 0 and met(counted[0] / counted[1]) and ("300" not in target or counted[1] >= 300)
        table.append(f"| {what} | {show(counted)} | {target} | {'yes' if good else 'NO'} |")
    return [*table, ""]


def _doses(results: Sequence[Result]) -> list[str]:
    table = [
        "## Both parts",
        "",
        "| part | runs | error | warning | named | first |",
        "|---|---|---|---|---|---|",
    ]
    for part in (DEVELOPMENT, HELD_BACK):
        healthy = of(results, part)
        alarms = (rate(healthy, has_error), rate(healthy, has_warning))
        table.append(f"| {part} | healthy | {show(alarms[0])} | {show(alarms[1])} | | |")
        for dose in DOSES:
            ill = of(results, part, dose)
            table.append(f"| {part} | {dose} | | | {show(rate(ill, named))} | {show(rate(ill, leads))} |")
    return [*table, ""]


def _faults(results: Sequence[Result]) -> list[str]:
    table = [
        "## By fault",
        "",
        "Both parts: named / first of the runs that count. Where a fault counts nowhere, it did no measurable harm.",
        "",
        "| fault | right | mild | clear | gross |",
        "|---|---|---|---|---|",
    ]
    for fault in BY_NAME.values():
        cells = []
        for dose in DOSES:
            ill = [r for r in results if r["fault"] == fault.name and r["dose"] == dose]
            cells.append(f"{sum(map(named, ill))} / {sum(map(leads, ill))} of {len(ill)}" if ill else "")
        table.append(f"| {fault.name} | {', '.join(fault.rules)} | {' | '.join(cells)} |")
    return [*table, ""]


def _baselines(results: Sequence[Result], peers: Sequence[Result]) -> list[str]:
    healthy, ill = of(results, HELD_BACK), of(results, HELD_BACK, "clear", "gross")
    judged = [*healthy, *ill]
    table = [
        "## Beside simpler means (held-back part; healthy, clear and gross)",
        "",
        "The naive rules read the same logs: gradient norm above 100 (exploding) or below 1e-7 (vanishing), median",
        "update ratio below 1e-3 and a loss that falls by less than 1 % between the first and the last ten updates",
        "(slow convergence). The peers watched the same trainings (peers.py); their alarms are warnings or errors.",
        "Chance knows how many runs are ill and how often each condition is there, and guesses so.",
        "",
        "| | healthy runs with an alarm | right cause named | conditions: precision | recall |",
        "|---|---|---|---|---|",
        f"| rnn-doctor | {show(rate(healthy, lambda r: bool(grave(r))))} | {show(rate(ill, named))} | "
        f"{show(precision(judged, doctor_conditions))} | {show(recall(judged, doctor_conditions))} |",
        f"| naive rules | {show(rate(healthy, lambda r: bool(r['naive'])))} | {show(rate(ill, naive_named))} | "
        f"{show(precision(judged, naive_conditions))} | {show(recall(judged, naive_conditions))} |",
    ]
    for alarm, faults in baselines.NAMES.items():
        table.append(_row(alarm, {alarm: faults}, judged, {r["key"]: r["naive"] for r in judged}))
    for tool, names in baselines.PEERS.items():
        table.append(_row(tool, names, judged, {p["key"]: p["alarms"] for p in peers if p["tool"] == tool}))
    table.append(f"| chance | {_chance(healthy, ill)} |")
    return [*table, ""]


def _row(
    tool: str,
    names: Mapping[str, Sequence[str]],
    judged: Sequence[Result],
    alarms: Mapping[str, Sequence[str]],
) -> str:
    """A tool's counts on the runs that it has seen; of its alarms some name causes, some conditions."""
    seen = [r for r in judged if r["key"] in alarms]
    mine = {r["key"]: [a for a in alarms[r["key"]] if a in names or tool in baselines.PEERS] for r in seen}
    healthy, ill = [r for r in seen if r["healthy"]], [r for r in seen if not r["healthy"]]

    def told(result: Result) -> set[str]:
        return {baselines.CONDITIONS[a] for a in mine[result["key"]] if a in baselines.CONDITIONS}

    fired = rate(healthy, lambda r: bool(mine[r["key"]]))
    right = rate(ill, lambda r: any(r["fault"] in names.get(a, ()) for a in mine[r["key"]]))
    counted = (fired, right, precision(seen, told), recall(seen, told))
    return f"| {tool} | {' | '.join(map(show, counted))} |"


def _chance(healthy: Sequence[Result], ill: Sequence[Result]) -> str:
    """Expected values of a guesser that knows the frequencies: alarms, causes, precision, recall."""
    n = len(healthy) + len(ill)
    if not ill or not healthy:
        return "none | none | none | none"
    faults = Counter(r["fault"] for r in ill)
    cause = len(ill) / n * sum((k / len(ill)) ** 2 for k in faults.values())
    conditions = Counter(c for r in ill for c in truth(r)[0])
    allowed = Counter(c for r in ill for c in truth(r)[1])
    told = sum(conditions.values()) / n
    right = sum(conditions[c] / n * allowed[c] / n for c in conditions)
    found = sum((k / len(ill)) * (k / n) for k in conditions.values())
    return f"{len(ill) / n:.2f} | {cause:.2f} | {right / told:.2f} | {found:.2f}"


def _calibration(results: Sequence[Result]) -> list[str]:
    held, other = ([r for r in results if r["part"] == part] for part in (HELD_BACK, DEVELOPMENT))
    table = [
        "## Calibration",
        "",
        "Findings of warnings and errors that are right: the fault itself, or a true consequence of it. A user sees",
        "the numbers of the held-back part. By word of confidence: the share there against the interval of the other.",
        "",
        "| rule | held-back part | development part |",
        "|---|---|---|",
    ]
    mine, others = calibration(held), calibration(other)
    table += [
        f"| {rule} | {show(mine.get(rule, (0, 0)))} | {show(others.get(rule, (0, 0)))} |"
        for rule in sorted({*mine, *others})
    ]
    table += ["", "| confidence | held-back part | development part | within |", "|---|---|---|---|"]
    mine, others = bands(held), bands(other)
    for word in WORDS:
        a, b = mine.get(word, (0, 0)), others.get(word, (0, 0))
        table.append(f"| {word} | {show(a)} | {show(b)} | {_within(a, b)} |")
    return [*table, ""]


def _within(a: Rate, b: Rate) -> str:
    """Whether the share of the first lies within the interval of the second."""
    if not a[1] or not b[1]:
        return "not to be told"
    low, high = interval(*b)
    return "yes" if low <= a[0] / a[1] <= high else "NO"


def _alarms(results: Sequence[Result]) -> list[str]:
    return ["## Alarms on healthy runs, and gross faults missed or misled", "", *misses(results)]


def write_calibration(results: Iterable[Result]) -> str:
    """The numbers of the held-back part, as the rulebook ships them; of a rule that was found FEWEST times at least."""
    rules = {}
    for rule, (k, n) in calibration(r for r in results if r["part"] == HELD_BACK).items():
        if n < FEWEST:
            continue
        low, high = interval(k, n)
        rules[rule] = {
            "right": k,
            "of": n,
            "interval": [math.floor(low * 1000) / 1000, math.ceil(high * 1000) / 1000],
        }
    body = ",\n".join(f'    "{rule}": {json.dumps(entry)}' for rule, entry in rules.items())
    return f'{{\n  "made_by": "python -m benchmarks.faults.page",\n  "rules": {{\n{body}\n  }}\n}}\n'


def main() -> None:
    """Reads the command line."""
    results = [json.loads(line) for line in RESULTS.read_text(encoding="utf-8").splitlines()]
    if "--misses" in sys.argv:
        print("\n".join(misses(results)))
        return
    peers = PEERS.read_text(encoding="utf-8").splitlines() if PEERS.exists() else []
    PAGE.write_text(page(results, list(map(json.loads, peers))), encoding="utf-8")
    CALIBRATION.write_text(write_calibration(results), encoding="utf-8")


if __name__ == "__main__":
    main()
