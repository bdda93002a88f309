"""The result of the bench as a page, and its numbers as the rulebook ships them.

python -m benchmarks.faults.page             # results.md and rules/calibration.json, from results.jsonl
python -m benchmarks.faults.page --misses    # prints the alarms on healthy runs, the faults missed or misled
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .beside import beside
from .calibration import FEWEST, at_first, records, written
from .faults import BY_NAME
from .first_looks import Look, clustered, compared, first_looks
from .form import DOSES
from .part import folders
from .peers.sample import PEERS
from .run import RESULTS, rows
from .score import (
    WORDS,
    Rate,
    Result,
    bands,
    calibration,
    has_error,
    has_warning,
    leads,
    misses,
    named,
    of,
    rate,
    show,
    total,
)
from .targets import TARGETS, Target, counted
from .task import FOLDERS, HELD_BACK, PARTS

HERE = Path(__file__).resolve().parent
PAGE = HERE / "results.md"
CALIBRATION = HERE.parents[1] / "rules" / "calibration.json"
_SAID = {
    HELD_BACK: "No threshold was set on it, but its misses were looked at while rules were mended.",
    **{name: part.said for name, part in folders().items()},
}


def page(
    results: Sequence[Result],
    peers: Sequence[Mapping[str, Any]] = (),
    looks: Mapping[str, Look] | None = None,
) -> str:
    """The whole result, as Markdown."""
    looks = looks or {}
    lines = [
        "# The fault bench",
        "",
        "`python -m benchmarks.faults.page`, from results.jsonl. Numbers are k of n, the share, and its 95 % interval",
        "(Clopper-Pearson).",
        "",
        *(
            line
            for part in (HELD_BACK, *FOLDERS)
            for line in _targets(results, part, looks[part].targets if part in looks else {})
        ),
        *_doses(results),
        *_faults(results),
        *beside(results, peers),
        *_calibration(results, looks),
        *_alarms(results),
    ]
    return "\n".join(lines) + "\n"


def _targets(results: Sequence[Result], part: str, first: Mapping[str, Rate]) -> list[str]:
    """A part as it is judged today, beside its first look where one was taken."""
    table = [
        f"## {part.capitalize()} part against the targets",
        "",
        f"{sum(r['part'] == part for r in results)} runs. {_SAID[part]}",
        "",
        "| what | target | at first look | met | today | met |",
        "|---|---|---|---|---|---|",
    ]
    today = counted(results, part)
    for target in TARGETS:
        cells = [_held_against(target, shares.get(target.what)) for shares in (first, today)]
        table.append(f"| {target.what} | {target.said} | {' | '.join(cells)} |")
    return [*table, ""]


def _held_against(target: Target, share: Rate | None) -> str:
    return " | " if share is None else f"{show(share)} | {'yes' if target.met(share) else 'NO'}"


def _doses(results: Sequence[Result]) -> list[str]:
    table = [
        "## All parts",
        "",
        "| part | runs | error | warning | named | first |",
        "|---|---|---|---|---|---|",
    ]
    for part in PARTS:
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
        "All parts: named / first of the runs that count. Where a fault counts nowhere, it did no measurable harm.",
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


def _calibration(results: Sequence[Result], looks: Mapping[str, Look]) -> list[str]:
    names = PARTS[::-1]
    parts = [[r for r in results if r["part"] == part] for part in names]
    rules, told = [calibration(of_part) for of_part in parts], records(results, looks)
    table = [
        "## Calibration",
        "",
        "Findings of warnings and errors that are right: the fault itself, or a true consequence of it. A user is told",
        "today's numbers of the held-back and the later parts together, or those of the later parts at first look",
        f"where their share lies below the interval of these; nothing where a rule was found less than {FEWEST} times.",
        "",
        f"| rule | {' | '.join(f'{name} part' for name in names)} | at first look | told |",
        f"|{'---|' * (len(names) + 3)}",
    ]
    for rule in sorted(set().union(*rules)):
        cells = [show(found.get(rule, (0, 0))) for found in rules]
        said = "{} of {}".format(*told[rule]) if rule in told else "nothing"
        table.append(f"| {rule} | {' | '.join(cells)} | {show(at_first(looks, rule))} | {said} |")
    return [*table, "", *_words(results, looks)]


def _words(results: Sequence[Result], looks: Mapping[str, Look]) -> list[str]:
    """What each word of confidence was worth in scripts that no rule had seen."""
    today = bands(r for r in results if r["part"] in FOLDERS)
    table = [
        "By word of confidence: the later parts when they were examined for the first time, each beside what the",
        "others foretell of it, and all together with the interval by task (first_looks.py); then the same parts",
        "today, after rules were mended with them.",
        "",
        f"| confidence | {' | '.join(f'{name}, at first | within' for name in looks)} | all at first | today |",
        f"|{'---|' * (2 * len(looks) + 3)}",
    ]
    for word in WORDS:
        seen = {name: list(look.words.get(word, {}).values()) for name, look in looks.items()}
        every = [each for tasks in seen.values() for each in tasks]
        if not every:
            continue
        cells = []
        for name, own in seen.items():
            others = [each for other, tasks in seen.items() if other != name for each in tasks]
            told = compared(own, others) if own and others else "not to be told"
            cells.append(f"{_share(total(own))} | {told}")
        low, high = clustered(every)
        cells.append(f"{_share(total(every))}; {low:.2f} to {high:.2f}")
        table.append(f"| {word} | {' | '.join(cells)} | {show(today.get(word, (0, 0)))} |")
    return [*table, ""]


def _share(share: Rate) -> str:
    k, n = share
    return f"{k} of {n}, {k / n:.2f}" if n else "none"


def _alarms(results: Sequence[Result]) -> list[str]:
    return ["## Alarms on healthy runs, and gross faults missed or misled", "", *misses(results)]


def main() -> None:
    """Reads the command line."""
    results = rows(RESULTS)
    if "--misses" in sys.argv:
        print("\n".join(misses(results)))
        return
    looks = first_looks()
    PAGE.write_text(page(results, rows(PEERS), looks), encoding="utf-8")
    CALIBRATION.write_text(written(results, looks), encoding="utf-8")


if __name__ == "__main__":
    main()
