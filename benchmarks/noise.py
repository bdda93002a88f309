"""How often `compare` calls a number moved that has not changed: examples against themselves with other seeds.

Command: python benchmarks/noise.py (some four minutes on one core). Every example is recorded with twelve seeds. Each
of them in turn is the new run, and one, three, five or eight of the others, drawn by chance, are the old ones. Nothing
has changed but the seed, so what is told is wrong. Printed is by basis how many of the numbers that were compared are
told.
"""

import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rnn_doctor import pipeline
from rnn_doctor.compare.numbers import BASES, changes
from rnn_doctor.schema.comparison import MovedNumber
from rnn_doctor.schema.report import Report
from rnn_doctor.settings import Settings

ROOT = Path(__file__).parent.parent
EXAMPLES = ("charlm", "brackets", "seq2seq", "classifier")
SEEDS = range(1, 13)
REPEATS = (1, 3, 5, 8)
DRAWS = 5


def report(example: str, seed: int, folder: Path) -> Report:
    """The report on one run of the example."""
    log = folder / f"{example}-{seed}.jsonl"
    words = [sys.executable, "-m", "rnn_doctor", "record", "-q", "-o", str(log), f"examples/{example}.py"]
    subprocess.run([*words, "--seed", str(seed)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (run,) = pipeline.runs(log)
    settings = Settings()
    return pipeline.examine(pipeline.read(run, settings), settings)


def told(
    reports: list[Report], repeats: int, chance: random.Random
) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """By basis what was told and what was compared, and which signals were told beyond their noise."""
    wrong: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    signals: Counter[str] = Counter()
    for number, new in enumerate(reports):
        others = reports[:number] + reports[number + 1 :]
        for _ in range(DRAWS):
            found = changes(chance.sample(others, repeats), new)
            each: list[MovedNumber] = [*found.moved, *found.unsure]
            wrong.update(moved.basis for moved in each)
            signals.update(moved.signal for moved in found.moved)
            whole.update(found.held)
    return wrong, whole, signals


def main() -> None:
    """Prints the table."""
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        runs = {name: [report(name, seed, Path(folder)) for seed in SEEDS] for name in EXAMPLES}
    print(
        f"{len(SEEDS)} seeds of {', '.join(EXAMPLES)}; each held against others of its own, {DRAWS} times\n"
    )
    print(f"{'old runs':>8}  {'basis':<10} {'compared':>8} {'told':>6}   share")
    for repeats in REPEATS:
        wrong: Counter[str] = Counter()
        whole: Counter[str] = Counter()
        signals: Counter[str] = Counter()
        for reports in runs.values():
            for total, part in zip((wrong, whole, signals), told(reports, repeats, chance), strict=True):
                total.update(part)
        for basis in BASES:
            if whole[basis]:
                print(
                    f"{repeats:>8}  {basis:<10} {whole[basis]:>8} {wrong[basis]:>6}  {wrong[basis] / whole[basis]:6.2%}"
                )
        print(f"{'':>10}most often beyond noise: {', '.join(f'{s} {n}' for s, n in signals.most_common(6))}")


if __name__ == "__main__":
    main()
