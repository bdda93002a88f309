"""The life of one observation: its clock, its log, its end, and that it never breaks the script."""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback
from typing import Any, Callable

import torch

from . import places
from .config import Config
from .paths import masked, shown
from .stopping import Stopping, StopProbe
from .writer import Writer

_MOST_CRASH = 4000
_MOST_ERROR = 500


class Session:
    """What one process's observation consists of beside its sensors."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.writer = Writer(config.log)
        self.step = 0
        """Updates completed."""
        self.active = True
        self.stopping = False
        self.spent = 0.0
        """Seconds in the probe."""
        self.world = 1
        self.backwards = 0
        """Backward passes since the last update."""
        self.copying = False
        """A copy of the process is made on purpose, which nothing observes."""
        self.applying: Any = None
        """What a trial changes of the run, if it is one."""
        self.began = False
        """The process trains: the clock runs and the log is open."""
        self._started: float | None = None
        self._off: set[str] = set()
        self.roles: set[str] = set()
        """What source lines were noted for."""
        self._stop = Stopping()
        self._reason = "script_end"

    @property
    def elapsed(self) -> float:
        """Seconds since the first forward or backward pass of the training."""
        return time.perf_counter() - self._started if self._started is not None else 0.0

    def apart(self, seconds: float) -> None:
        """The script waited for a trial: that is neither its time nor what the observation costs."""
        self.apart_at_end(seconds)
        self.spent -= seconds

    def apart_at_end(self, seconds: float) -> None:
        """The same before the last record is written: what the probe does meanwhile is not counted any more."""
        if self._started is not None:
            self._started += seconds

    def begin(self) -> None:
        """The process trains: its clock starts and its log is opened."""
        if self._started is None:
            self.began = True
            self._started = time.perf_counter()
            self.writer.open(self._header())

    def _header(self) -> dict[str, Any]:
        rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
        distributed = torch.distributed
        if distributed.is_available() and distributed.is_initialized():
            rank, world = distributed.get_rank(), distributed.get_world_size()
        self.world = world
        script = self.config.script
        return {
            "schema_version": 1,
            "tool_version": self.config.tool_version,
            "script": shown(script) if os.path.exists(script) else script,
            "arguments": [masked(a) for a in self.config.arguments],
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "platform": f"{sys.platform} {platform.machine()}",
            "rank": rank,
            "world_size": world,
            "process": os.getpid(),
        }

    # ---------------------------------------------------------------- the end

    def out_of_time(self) -> bool:
        """Whether the time limit is over; ranks must stop at the same step, so that only a count may end them."""
        return self.world == 1 and self.elapsed > self.config.time_limit

    def enough(self) -> str | None:
        """Why the observation is over after this step; None while it goes on."""
        if self.config.steps is not None and self.step >= self.config.steps:
            return "steps"
        return "time" if self.out_of_time() else None

    def stop(self) -> None:
        """Ends the script, after `finish`; where it refuses, at its next step again."""
        self.stopping = True
        if self._stop.swallowed:
            self._write_stop(swallowed=True)
            self.writer.close()
        self._stop.request()

    def finish(self, reason: str) -> None:
        """Writes the last record; nothing is observed any more."""
        self.active = False
        self._reason = reason
        if self.writer.is_open:
            if self.applying is not None:
                applied = self.applying.intervention.applied
                self.writer.write("intervention", step=self.step, name=self.applying.name, applied=applied)
            self._write_stop(swallowed=False)

    def _write_stop(self, swallowed: bool) -> None:
        self.writer.write(
            "stop",
            step=self.step,
            reason=self._reason,
            backwards=self.backwards or None,
            seconds=self.elapsed,
            probe_seconds=self.spent,
            swallowed=swallowed or None,
        )

    def crashed(self, kind: type[BaseException], error: BaseException, where: Any) -> None:
        """Writes the exception that ends the script, before `finish`."""
        self.begin()
        text = "".join(traceback.format_exception(kind, error, where))[-_MOST_CRASH:]
        message = "".join(traceback.format_exception_only(kind, error)).strip()[-_MOST_CRASH:]
        self.writer.write(
            "crash",
            step=self.step,
            error=masked(message),
            traceback=masked(text),
            location=places.of_traceback(where),
        )

    # ---------------------------------------------------------------- never breaking the patient

    def attempt(self, sensor: str, function: Callable[..., Any], *args: Any) -> None:
        """Calls a sensor; one that fails is switched off."""
        if sensor in self._off:
            return
        try:
            function(*args)
        except StopProbe:
            raise
        except Exception as error:
            self.switch_off(sensor, error)

    def switch_off(self, sensor: str, error: Exception) -> None:
        """Takes a failing sensor out of use, and says so in the log."""
        if sensor not in self._off:
            self._off.add(sensor)
            frames = traceback.extract_tb(error.__traceback__)
            where = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
            text = f"{type(error).__name__}: {error}{where}"
            self.writer.write("sensor_off", step=self.step, sensor=sensor, error=masked(text)[:_MOST_ERROR])

    def place(self, role: str) -> None:
        """Notes the source line that plays a role in the training loop, the first time."""
        if role not in self.roles:
            self.roles.add(role)
            location = places.here()
            if location:
                self.writer.write("place", step=self.step + 1, role=role, location=location)
