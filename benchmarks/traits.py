"""Every trait script, bare and under `rnn-doctor check`: does it run, train the same bits, and is it seen?

    python benchmarks/traits.py [NAME...]

Writes traits.md beside this file (for all scripts, not for a choice of them). Exits with 1 if anything differs
from tests/scripts/catalogue.py.
"""

import platform
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.scripts.catalogue import CATALOGUE, OBSERVED, Entry  # noqa: E402
from tests.scripts.runner import Result, examine, missing  # noqa: E402

PROCESSES = 2
HEADS = (
    "script",
    "trait",
    "ran",
    "losses",
    "recurrent modules",
    "optimizers",
    "steps",
    "exit code",
    "as expected",
)


def main(names: Sequence[str]) -> int:
    """Exit code 0 if everything is as the catalogue expects, 1 if not, 2 for an unknown name."""
    unknown = set(names) - {entry.name for entry in CATALOGUE}
    if unknown:
        print(f"no such trait: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    chosen = [entry for entry in CATALOGUE if not names or entry.name in names]
    skipped = [entry for entry in chosen if missing(entry)]
    with ThreadPoolExecutor(PROCESSES) as pool:
        results = list(pool.map(_examine, [entry for entry in chosen if not missing(entry)]))
    text = _page(results, skipped)
    if names:
        print(text)
    else:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(_summary(results, skipped))
    return 1 if any(result.failures for result in results) else 0


def _examine(entry: Entry) -> Result:
    result = examine(entry)
    print(f"{entry.name}: {'; '.join(result.failures) or 'as expected'}", flush=True)
    return result


def _page(results: Sequence[Result], skipped: Sequence[Entry]) -> str:
    lines = [
        "# Trait scripts under rnn-doctor",
        "",
        f"`python benchmarks/traits.py`, Python {platform.python_version()}, torch {version('torch')}, "
        f"{platform.system()} {platform.machine()}. Each script of tests/scripts/ is run bare and under "
        f"`rnn-doctor check --steps {OBSERVED}`; losses are compared bit by bit for as long as both runs print them.",
        "",
        _row(HEADS),
        _row(["---"] * len(HEADS)),
        *(_row(_cells(result)) for result in results),
        "",
        _summary(results, skipped),
    ]
    return "\n".join(lines) + "\n"


def _cells(result: Result) -> list[str]:
    if result.bare is None:
        losses = "never ends bare"
    elif not result.compared:
        losses = "none printed"
    else:
        losses = f"{'identical' if result.identical else 'DIFFER'} ({result.compared})"
    ranks = f" x {result.log.ranks} ranks" if result.log and result.log.ranks > 1 else ""
    return [
        f"`{' '.join(result.entry.command)}`",
        result.entry.trait,
        "hung" if result.probed.hung else "yes",
        losses,
        _counted(result.modules) + ranks,
        _counted(result.optimizers),
        str(result.steps),
        str(result.probed.code),
        "; ".join(result.failures) or "yes",
    ]


def _counted(kinds: Sequence[str]) -> str:
    return ", ".join(
        kind if kinds.count(kind) == 1 else f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)
    )


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _summary(results: Sequence[Result], skipped: Sequence[Entry]) -> str:
    good = sum(not result.failures for result in results)
    compared = [result for result in results if result.compared]
    same = sum(result.identical for result in compared)
    text = f"{good} of {len(results)} scripts as expected; losses bit-identical in {same} of {len(compared)} compared."
    if skipped:
        text += f" Not run, for want of a package: {', '.join(f'{e.name} ({e.needs})' for e in skipped)}."
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
