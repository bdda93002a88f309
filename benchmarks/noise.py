"""How often `compare` calls a number moved that has not changed: examples against themselves with other seeds.

Command: python benchmarks/noise.py [FOLDER] (five minutes on an idle core; FOLDER keeps the logs). Each example is
recorded with eight seeds. Each of them in turn is the new run, and one, three or five of the others, drawn by chance,
are the old ones. Nothing has changed but the seed, so what is told is wrong. Printed is by basis how many of the
numbers that were compared are told.
"""

import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rnn_doctor import pipeline
from rnn_doctor.compare.numbers import BASES, changes
from rnn_doctor.schema.report import Report
from rnn_doctor.settings import Settings

ROOT = Path(__file__).parent.parent
EXAMPLES = ("brackets", "classifier")
SEEDS = range(1, 9)
REPEATS = (1, 3, 5)
DRAWS = 10


def report(example: str, seed: int, folder: Path) -> Report:
    """The report on one run of the example, whose log is kept in the folder."""
    log = folder / f"{example}-{seed}.jsonl"
    if not log.exists():
        words = [sys.executable, "-m", "rnn_doctor", "record", "-q", "-o", str(log), f"examples/{example}.py"]
        subprocess.run(
            [*words, "--seed", str(seed)],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    (run,) = pipeline.runs(log)
    return pipeline.examine(pipeline.read(run, Settings()), Settings())


def count(
    reports: list[Report], repeats: int, chance: random.Random
) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """By basis what was told and what was compared, and which signals were told beyond their noise."""
    told: Counter[str] = Counter()
    compared: Counter[str] = Counter()
    signals: Counter[str] = Counter()
    for number, new in enumerate(reports):
        others = reports[:number] + reports[number + 1 :]
        for _ in range(DRAWS):
            found = changes(chance.sample(others, repeats), new)
            told.update(moved.basis for moved in (*found.moved, *found.unsure))
            compared.update(found.held)
            signals.update(moved.signal for moved in found.moved)
    return told, compared, signals


def main() -> None:
    """Prints the table."""
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(sys.argv[1] if len(sys.argv) > 1 else folder)
        runs = [[report(name, seed, kept) for seed in SEEDS] for name in EXAMPLES]
    print(f"{len(SEEDS)} seeds of {' and '.join(EXAMPLES)}, each against others of its own, {DRAWS} times\n")
    print("old runs  basis      compared   told   share")
    for repeats in REPEATS:
        counts = [count(reports, repeats, chance) for reports in runs]
        told, compared, signals = (sum((each[part] for each in counts), Counter()) for part in range(3))
        for basis in (basis for basis in BASES if compared[basis]):
            share = told[basis] / compared[basis]
            print(f"{repeats:>8}  {basis:<9}  {compared[basis]:>8}  {told[basis]:>5}  {share:6.1%}")
        most = ", ".join(f"{signal} {times}" for signal, times in signals.most_common(6))
        print(f"          beyond noise, most often: {most or 'none'}")


if __name__ == "__main__":
    main()
