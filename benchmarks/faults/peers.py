"""Other tools on the held-back runs that were examined: what they say in as many updates. Writes peers.jsonl.

    python -m benchmarks.faults.peers [--limit N]

autograd's anomaly detection comes with torch; torch-audit is run where it is installed (`pip install -e '.[bench]'`),
at every step and else as its quick start says. What is done already is not done again.
"""

import argparse
import importlib.util
import json
from pathlib import Path
from typing import Any

from . import worker
from .page import PEERS, RESULTS
from .setting import Setting, from_key
from .task import HELD_BACK


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--limit", type=int)
    limit = parser.parse_args().limit
    worker.warm()
    tools = {"anomaly detection": _anomalies}
    if importlib.util.find_spec("torch_audit"):
        tools["torch-audit"] = _torch_audit
    lines = RESULTS.read_text(encoding="utf-8").splitlines()
    held = [r for r in map(json.loads, lines) if r["part"] == HELD_BACK and r["dose"] != "mild"]
    done = PEERS.read_text(encoding="utf-8").splitlines() if PEERS.exists() else []
    known = {(row["key"], row["tool"]) for row in map(json.loads, done)}
    for result in held[:limit]:
        for tool, run in tools.items():
            if (result["key"], tool) not in known:
                row = {"key": result["key"], "tool": tool, "alarms": _alarms(run, from_key(result["key"]))}
                with PEERS.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")


def _alarms(run: Any, setting: Setting) -> list[str]:
    """What the tool said: ids of its rules, of warnings and errors."""
    place = PEERS.with_suffix(".part")
    place.write_text("[]", encoding="utf-8")
    worker.fork(lambda: run(setting, place))
    alarms: list[str] = json.loads(place.read_text(encoding="utf-8"))
    place.unlink()
    return alarms


def _anomalies(setting: Setting, place: Path) -> None:
    import torch

    from .training import train

    torch.autograd.set_detect_anomaly(True)
    try:
        train(setting, worker.STEPS)
    except RuntimeError as error:
        if "nan values" in str(error):
            place.write_text('["anomaly"]', encoding="utf-8")


def _torch_audit(setting: Setting, place: Path) -> None:
    from torch_audit import autopatch

    from .training import train

    alarms: set[str] = set()

    class Reporter:
        def report(self, result: Any) -> None:
            """Keeps the rules of what is more than information."""
            alarms.update(f.rule_id for f in result.findings if f.severity.name != "INFO")
            place.write_text(json.dumps(sorted(alarms)), encoding="utf-8")

    def attach(model: Any, optimizer: Any) -> None:
        autopatch(
            model, optimizer=optimizer, every_n_steps=1, reporters=[Reporter()], fail_level="FATAL",
            run_static=True, run_init=True,
        )  # fmt: skip

    train(setting, worker.STEPS, attach=attach)


if __name__ == "__main__":
    main()
