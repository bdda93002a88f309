"""What each later part showed when it was examined for the first time: counts that no later mend can flatter.

python -m benchmarks.faults.first_looks PART   # adds the part as results.jsonl has it; a first look is taken once

The findings of one task are not independent of each other: what misleads a rule there does so in several runs. So a
share's variance is that of a ratio over the tasks, and its interval that of Clopper and Pearson at the number of
independent findings that would scatter as much (Korn, Graubard 1998, Survey Methodology 24).
"""

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .score import Rate, Result, calibration, grave, interval, is_right, total
from .targets import counted
from .task import FOLDERS

FILE = Path(__file__).resolve().parent / "first_looks.json"
_Z = 1.96


@dataclass(frozen=True)
class Look:
    """Findings of warnings and errors that were right, and how many there were; and what the part is to show."""

    targets: Mapping[str, Rate]
    """By what is counted (targets.py); those of the untouched part were not all kept."""
    rules: Mapping[str, Rate]
    words: Mapping[str, Mapping[str, Rate]]
    """By word of confidence and task."""


def first_looks(path: Path = FILE) -> dict[str, Look]:
    """By part; empty where none was taken."""
    if not path.exists():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return {
        part: Look(
            {what: (k, n) for what, (k, n) in look["targets"].items()},
            {rule: (k, n) for rule, (k, n) in look["rules"].items()},
            {word: {task: (k, n) for task, (k, n) in by.items()} for word, by in look["words"].items()},
        )
        for part, look in found.items()
    }


def look_at(results: Iterable[Result], part: str) -> Look:
    """That of a part's results."""
    results = [result for result in results if result["part"] == part]
    words: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        for finding in grave(result):
            words[finding["confidence"]][_task(result)].append(is_right(result, finding))
    return Look(
        counted(results, part),
        calibration(results),
        {
            word: {task: (sum(flags), len(flags)) for task, flags in sorted(by.items())}
            for word, by in sorted(words.items())
        },
    )


def _task(result: Result) -> str:
    name: str = result["key"].split()[0].partition("=")[2]
    return name


def clustered(tasks: Sequence[Rate]) -> tuple[float, float]:
    """The interval of a share over these tasks, 95 %."""
    k, n = total(tasks)
    share, variance = k / n, _variance(tasks)
    alone = share * (1 - share) / n
    more = max(1.0, variance / alone) if alone else 1.0
    return interval(k / more, n / more)


def _variance(tasks: Sequence[Rate]) -> float:
    """Of the share, as a ratio of sums over tasks; that of independent findings if more."""
    k, n = total(tasks)
    share, m = k / n, len(tasks)
    apart = math.fsum((right - share * of) ** 2 for right, of in tasks) / n**2
    return max(share * (1 - share) / n, apart * m / (m - 1) if m > 1 else 0.0)


def compared(own: Sequence[Rate], others: Sequence[Rate]) -> str:
    """Whether a share lies within what others foretell of it, given how both scatter: yes, better, or WORSE."""
    shares = [k / n for k, n in (total(own), total(others))]
    off = (shares[0] - shares[1]) / math.sqrt((_variance(own) + _variance(others)) or math.inf)
    return "yes" if abs(off) <= _Z else "better" if off > 0 else "WORSE"


def main() -> None:
    """Reads the command line."""
    from .run import RESULTS, rows

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=FOLDERS)
    part = parser.parse_args().part
    taken = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    if part in taken:
        parser.error(f"the {part} part has been looked at: {FILE.name}")
    look = look_at(rows(RESULTS), part)
    taken[part] = {"targets": look.targets, "rules": look.rules, "words": look.words}
    lines = ",\n".join(f'  "{name}": {json.dumps(each)}' for name, each in taken.items())
    FILE.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
