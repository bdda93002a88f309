"""Whether what a trial says after fifty updates is true of three hundred.

Command: python -m benchmarks.trials [--judge] (half an hour on two idle cores; --judge: from trials.jsonl alone).

Trainings of the fault bench's development part, healthy ones and such with faults that a trial can mend, are tried as
`rnn-doctor try` does: every change three times beside the script as it is. Then each change, and none, is trained on
for 300 updates with a fourth seed, which no trial saw. A change that was said to help did so if the loss ended lower,
one that was said to harm if it ended higher, by the mean of the last fifth of the updates.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.faults.plan import Scenario, plan
from benchmarks.faults.task import DEVELOPMENT
from benchmarks.faults.tasks import TASKS
from rnn_doctor import pipeline, trial_pipeline
from rnn_doctor.capture.launch import Change, Target
from rnn_doctor.settings import Settings
from rnn_doctor.trials.arms import Arm, arms, clues
from rnn_doctor.trials.effects import Run, effects, score

HERE = Path(__file__).parent
RESULTS, PAGE = HERE / "trials.jsonl", HERE / "trials.md"
FAULTS = (
    "step-too-large", "step-too-small", "over-clipping", "decay-too-fast", "weight-decay", "unscaled-inputs",
    "symmetric", "vanishing", "exploding", "saturated-start",
)  # fmt: skip
HEALTHY = 6
REPEATS, FEW, MANY = 3, 50, 300


def main() -> None:
    """Tries what is not in trials.jsonl yet, and writes the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--judge", action="store_true", help="from trials.jsonl alone")
    if not parser.parse_args().judge:
        known = {each["key"] for each in read()}
        left = [s for s in chosen() if s.key not in known]
        with ProcessPoolExecutor(2) as pool, RESULTS.open("a", encoding="utf-8") as file:
            for found in pool.map(examine, left):
                file.write(json.dumps(found) + "\n")
                file.flush()
                print(found["key"], len(found["arms"]), file=sys.stderr)
    PAGE.write_text(page(read()), encoding="utf-8")


def chosen() -> list[Scenario]:
    """The first healthy trainings of the plan, and of each fault the first of each dose."""
    found: dict[tuple[str | None, str | None, int], Scenario] = {}
    healthy = 0
    for scenario in plan(2):
        if scenario.part != DEVELOPMENT or scenario.fault not in (None, *FAULTS):
            continue
        place = (scenario.fault, scenario.dose, healthy if scenario.fault is None else 0)
        if place not in found and healthy < HEALTHY:
            found[place] = scenario
            healthy += scenario.fault is None
        elif scenario.fault is not None:
            found.setdefault(place, scenario)
    return [each for each in found.values() if each.dose != "mild"]


def examine(scenario: Scenario) -> dict[str, Any]:
    """What was said of every change of a training, and what became of it."""
    target = Target("benchmarks.faults.train", True, (scenario.key,), threads=1)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(lag=TASKS[scenario.setting.task].lag)
        observed = _record(target, FEW, None, Path(folder) / "observed.jsonl", settings.lag)
        report = pipeline.examine(observed.log, settings)
        tried = arms(report, clues(observed.log, report, settings.lag))

        def run(arm: Arm | None, repeat: int, steps: int) -> Run:
            place = Path(folder) / "run.jsonl"
            return _record(target, steps, trial_pipeline.change(arm, repeat), place, settings.lag)

        own = [run(None, repeat, FEW) for repeat in range(REPEATS)]
        later = score(run(None, REPEATS, MANY), MANY)
        found = []
        for arm in tried:
            runs = [run(arm, repeat, FEW) for repeat in range(REPEATS)]
            if not all(each.log.intervention and each.log.intervention.applied for each in runs):
                continue
            addresses = {each.id: each.addresses for each in report.remedies}
            for effect in effects(own, {arm: runs}, addresses):
                outcome = score(run(arm, REPEATS, MANY), MANY)
                found.append(
                    {
                        "remedy": arm.remedy,
                        "words": arm.words,
                        "verdict": effect.trial.verdict,
                        "effect": effect.trial.effect,
                        "gone": effect.trial.gone,
                        "later": math.log(outcome / later),
                    }
                )
    return {"key": scenario.key, "fault": scenario.fault, "dose": scenario.dose, "arms": found}


def _record(target: Target, steps: int, change: Change | None, place: Path, lag: int | None) -> Run:
    wanted = {"steps": steps, "validate": "off", "time_limit": 600.0, "lag": lag}
    settings = Settings.model_validate(wanted)
    pipeline.record(
        target, place, settings, terminal=False, on_progress=lambda _: None, output=2, change=change
    )
    return trial_pipeline.trial_run(place, settings)


def read() -> list[dict[str, Any]]:
    """What was examined so far."""
    if not RESULTS.exists():
        return []
    return [json.loads(line) for line in RESULTS.read_text(encoding="utf-8").splitlines()]


def page(found: Sequence[dict[str, Any]]) -> str:
    """How often what was said came true."""
    tried = [arm | {"fault": each["fault"]} for each in found for arm in each["arms"]]
    lines = [
        "# Trials",
        "",
        "Command: `python -m benchmarks.trials`, whose first lines say how it is made.",
        "",
        f"{len(found)} trainings, {len(tried)} changes. The loss after {MANY} updates, with a seed that no trial",
        "saw, is lower or higher by a twentieth or more, or about the same.",
        "",
        f"| said after {FEW} updates | changes | lower after {MANY} | about the same | higher |",
        "|---|---|---|---|---|",
    ]
    for verdict in ("helps", "unclear", "harms"):
        later = [arm["later"] for arm in tried if arm["verdict"] == verdict]
        lines.append(
            f"| {verdict} | {len(later)} | {sum(x <= -0.05 for x in later)} | "
            f"{sum(-0.05 < x < 0.05 for x in later)} | {sum(x >= 0.05 for x in later)} |"
        )
    lines += ["", "| training | the change that led | said | effect | after 300 |", "|---|---|---|---|---|"]
    for each in found:
        helped = [arm for arm in each["arms"] if arm["verdict"] == "helps"]
        if helped:
            first = min(helped, key=lambda arm: (not arm["gone"], arm["effect"]))
            named = (
                f"{first['words']} | helps | {math.exp(first['effect']):.2g} | {math.exp(first['later']):.2g}"
            )
        else:
            named = "none | | |"
        kind = " ".join(filter(None, [each["fault"] or "healthy", each["dose"]]))
        lines.append(f"| {kind}: {each['key'].split()[0]} | {named} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
