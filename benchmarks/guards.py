"""Every guard of tests/scripts/guards at its full length, without rnn-doctor: is it as healthy as it claims to be?

    python benchmarks/guards.py [NAME...]

Writes guards.md beside this file (for all guards, not for a choice of them). Exits with 1 if one misses the target
that its docstring states: `Target: METRIC below|at least NUMBER`, of the last line that prints the metric.
"""

import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "scripts" / "guards"
PROCESSES = 2
_TARGET = re.compile(r"^Target: (?P<metric>.+) (?P<side>below|at least) (?P<limit>[\d.]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Result:
    """How one guard ended."""

    name: str
    target: str
    value: float | None
    """Of its metric at the end; None where it printed none."""
    reached: bool
    seconds: float


def main(names: Sequence[str]) -> int:
    """Exit code 0 if every guard reaches its target, 1 if not, 2 for an unknown name."""
    known = sorted(path.stem for path in FOLDER.glob("*.py"))
    if set(names) - set(known):
        print(f"no such guard: {', '.join(sorted(set(names) - set(known)))}", file=sys.stderr)
        return 2
    with ThreadPoolExecutor(PROCESSES) as pool:
        results = list(pool.map(_run, names or known))
    if names:
        print(_page(results))
    else:
        Path(__file__).with_suffix(".md").write_text(_page(results), encoding="utf-8")
    return 0 if all(result.reached for result in results) else 1


def _run(name: str) -> Result:
    target = _TARGET.search((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    assert target, f"{name}.py states no target"
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, f"{name}.py"],
        cwd=FOLDER,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(rf"{re.escape(target['metric'])}\W+(-?[\d.]+(?:e[+-]?\d+)?)", done.stdout)
    value = float(found[-1]) if found and done.returncode == 0 else None
    limit = float(target["limit"])
    reached = value is not None and (value < limit if target["side"] == "below" else value >= limit)
    text = f"{target['metric']} {target['side']} {target['limit']}"
    result = Result(name, text, value, reached, time.monotonic() - began)
    print(f"{name}: {value} ({text}): {'reached' if reached else 'MISSED ' + done.stderr[-300:]}", flush=True)
    return result


def _page(results: Sequence[Result]) -> str:
    lines = [
        "# Guards at full length",
        "",
        f"`python benchmarks/guards.py`, Python {platform.python_version()}, torch {version('torch')}, "
        f"{platform.system()} {platform.machine()}, {PROCESSES} at a time. Each script of tests/scripts/guards runs "
        "bare and on one thread; the last value that it prints is held against the target that its docstring states.",
        "",
        "| guard | final metric | target | reached |",
        "|---|---|---|---|",
        *(
            f"| `{r.name}.py` | {'none' if r.value is None else format(r.value, '.4g')} | {r.target} | "
            f"{'yes' if r.reached else 'NO'} |"
            for r in results
        ),
        "",
        f"{sum(r.reached for r in results)} of {len(results)} reach their target.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
