"""Runs trainings in forks of a Python that has torch: under the real probe, or unobserved for the label."""

import atexit
import json
import math
import os
import resource
import runpy
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from .setting import Setting

STEPS = 50
EVERY = 20
"""Updates between two looks at what was learned."""
_PATIENCE = 60
"""Seconds of computing after which a run is ended: some faults make every update slower than the last."""


def warm() -> None:
    """Imports torch and reads the texts, once for all forks; not what the probe has to see imported after itself."""
    import_module("torch._dynamo")  # every optimizer imports it
    tasks = import_module("benchmarks.faults.tasks")
    for task in tasks.TASKS.values():
        tasks.validation(task)
        task.draw(1, import_module("torch").Generator().manual_seed(0), training=True)


def observe(setting: Setting, log: Path) -> int:
    """The exit code of the training under the probe for STEPS updates, as `rnn-doctor record` runs it."""
    part = log.with_suffix(".part")
    part.unlink(missing_ok=True)
    config = {
        "log": str(part), "steps": STEPS, "time_limit": math.inf, "validate": True, "tool_version": "",
        "arguments": [], "script": "-m benchmarks.faults.train", "parent": os.getpid(),
    }  # fmt: skip

    def child() -> None:
        os.environ["RNN_DOCTOR_PROBE"] = json.dumps(config)
        import_module("rnn_doctor.capture.probe.arming").arm()
        sys.argv = ["train", setting.key()]
        runpy.run_module("benchmarks.faults.train", run_name="__main__", alter_sys=True)

    code = fork(child)
    if part.exists():
        part.rename(log)
    return code


def learn(setting: Setting, updates: int, place: Path) -> tuple[int | None, list[float], str]:
    """The update at which the target was reached (None: never), the scores at every EVERY-th, and how it ended.

    Ended, crashed, or out of time.
    """
    out = place.with_suffix(".scores")
    out.unlink(missing_ok=True)

    def child() -> None:
        from .tasks import TASKS, score
        from .training import train

        task, curve = TASKS[setting.task], []

        def watch(update: int, model: object) -> bool:
            if update % EVERY == 0:
                curve.append(round(score(task, model), 4))  # type: ignore[arg-type]
                out.write_text(json.dumps(curve), encoding="utf-8")
            return update % EVERY == 0 and curve[-1] >= task.target

        train(setting, updates, watch)

    code = fork(child)
    curve: list[float] = json.loads(out.read_text(encoding="utf-8")) if out.exists() else []
    out.unlink(missing_ok=True)
    from .tasks import TASKS

    reached = len(curve) * EVERY if curve and curve[-1] >= TASKS[setting.task].target else None
    return reached, curve, "ended" if code == 0 else "crashed" if code > 0 else "out of time"


def breaks(setting: Setting, place: Path) -> int | None:
    """The update, of the first STEPS, after which a weight is no finite number any more; None if all stay finite."""
    out = place.with_suffix(".broke")
    out.unlink(missing_ok=True)

    def child() -> None:
        from .training import train

        def watch(update: int, model: Any) -> bool:
            broke = not all(bool(p.isfinite().all()) for p in model.parameters())
            if broke:
                out.write_text(str(update), encoding="utf-8")
            return broke

        train(setting, STEPS, watch)

    fork(child)
    broke = int(out.read_text(encoding="utf-8")) if out.exists() else None
    out.unlink(missing_ok=True)
    return broke


def fork(child: Callable[[], None]) -> int:
    """Runs a function in a fork, silent, and ends it after a while; returns its exit code."""
    pid = os.fork()
    if pid == 0:
        nothing = os.open(os.devnull, os.O_RDWR)
        for target in (0, 1, 2):
            os.dup2(nothing, target)
        code = 0
        # Not of the clock: the machine may be busy, or the bench suspended.
        resource.setrlimit(resource.RLIMIT_CPU, (_PATIENCE, _PATIENCE))
        try:
            child()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            code = 1
        atexit._run_exitfuncs()  # the probe ends its log there
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
