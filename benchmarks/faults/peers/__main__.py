"""Other tools on every third held-back run that counts: what they say in as many updates. Writes peers.jsonl.

    python -m benchmarks.faults.peers [--minutes M]     # in the environment of `make peers`

The runs are chosen by the hash of their key, so that the choice depends on nothing else, and are the same for all
tools. Those that are not installed are left out; what is done already is not done again.
"""

import argparse
import importlib.util
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import worker
from ..plan import Scenario, plan
from ..run import LABELS, healthy, rows
from ..setting import Setting
from ..task import HELD_BACK
from .sample import PEERS, is_sampled
from .tools import ALONE, TOOLS


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=float("inf"))
    end = time.monotonic() + 60 * parser.parse_args().minutes
    worker.warm()
    names = [
        name for name, (module, _) in TOOLS.items() if module is None or importlib.util.find_spec(module)
    ]
    groups = [[name] for name in names if name in ALONE] + [[name for name in names if name not in ALONE]]
    known = {(row["key"], row["tool"]) for row in rows(PEERS)}
    for scenario in sampled(plan()):
        for group in groups:
            missing = [name for name in group if (scenario.key, name) not in known]
            if missing and time.monotonic() < end:
                with PEERS.open("a", encoding="utf-8") as file:
                    for row in watched(scenario.setting, missing):
                        file.write(json.dumps({"key": scenario.key} | row) + "\n")


def sampled(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Every third of the held-back runs that have earned their label; mild faults left out."""
    labels = {row["key"]: row for row in rows(LABELS)}
    return [
        s
        for s in scenarios
        if s.part == HELD_BACK and s.dose != "mild" and healthy(s, labels) is not None and is_sampled(s.key)
    ]


def watched(setting: Setting, tools: Sequence[str]) -> list[dict[str, Any]]:
    """What each of the tools said of one training that all of them watch, or how it failed."""
    place = PEERS.with_suffix(".part")
    place.unlink(missing_ok=True)
    worker.fork(lambda: _watch(setting, tools, place))
    told = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    place.unlink(missing_ok=True)
    lost: dict[str, Any] = {"alarms": [], "error": "ended with the training"}
    return [{"tool": name} | told.get(name, lost) for name in tools]


def _watch(setting: Setting, tools: Sequence[str], place: Path) -> None:
    from .watching import watch

    place.write_text(json.dumps(watch(setting, tools)), encoding="utf-8")


if __name__ == "__main__":
    main()
