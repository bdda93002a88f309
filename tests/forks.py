"""The warm Python itself: it has imported what every examination imports, and forks itself for each command line.

Started by tests/warm_python.py, which says what that is for; it reads requests, one a line, and writes exit codes.
A fork has computed nothing yet, so a script computes in it what it computes in a Python of its own. Of that, it leaves
out the interpreter's start and the imports alone: `rnn-doctor` starts the script by its own code, which finds a
`Popen` here that forks, and the script is given its environment, its `sitecustomize` and a session of its own.
"""

import atexit
import contextlib
import importlib
import io
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType, SimpleNamespace, TracebackType
from typing import Any, NoReturn

from rnn_doctor import cli
from rnn_doctor.capture import launch
from tests.sample_logs import SAMPLES

_PATHS = sys.path[1:]
"""Where Python looks for modules, the folder of the script aside."""
_TICK = 0.01


class Fork:
    """As much of `subprocess.Popen` as rnn-doctor uses to start a script, without a new interpreter."""

    def __init__(
        self,
        command: list[str],
        *,
        env: dict[str, str],
        stdin: int | None,
        stdout: int,
        stderr: int | None,
        start_new_session: bool,
    ) -> None:
        assert (command[0], start_new_session) == (sys.executable, True), command
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            opened = os.open(os.devnull, os.O_RDONLY) if stdin == subprocess.DEVNULL else 0
            become(command[1:], str(Path.cwd()), env, (opened, stdout, 2 if stderr is None else stderr))

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float = float("inf")) -> int:
        """The exit code. Raises: subprocess.TimeoutExpired."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("a fork", timeout)
            time.sleep(_TICK)
        assert self.returncode is not None
        return self.returncode


def become(
    arguments: list[str], folder: str, environment: dict[str, str], streams: tuple[int, int, int]
) -> NoReturn:
    """Turns this process into `python ARGUMENTS`, in a session of its own, and ends it as Python would."""
    os.setsid()
    # Where one of them is 0, 1 or 2 itself, it must not be overwritten before it is used.
    for target, source in enumerate([os.dup(stream) for stream in streams]):
        os.dup2(source, target)
        os.close(source)
    code = 0
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        _start_up(environment.get("PYTHONPATH", ""))
        _run(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException as error:
        frames = _of_the_script(error.__traceback__)
        sys.excepthook(type(error), error.with_traceback(frames), frames)
        code = 1
    atexit._run_exitfuncs()  # os._exit leaves them out, and the probe ends its log there
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _of_the_script(frames: TracebackType | None) -> TracebackType | None:
    """Without the frames of this file and of runpy, which Python's own start does not have."""
    ours = (__file__, runpy.__file__, "<frozen runpy>")
    while frames is not None and frames.tb_frame.f_code.co_filename in ours:
        frames = frames.tb_next
    return frames


def _start_up(paths: str) -> None:
    """What Python does at its start: the paths of the environment, then `sitecustomize`, which arms the probe."""
    sys.path[:] = [*filter(None, paths.split(os.pathsep)), *_PATHS]
    importlib.invalidate_caches()
    tempfile.tempdir = None  # it is that of the environment again
    sys.modules.pop("sitecustomize", None)
    with contextlib.suppress(ModuleNotFoundError):
        importlib.import_module("sitecustomize")


def _run(arguments: list[str]) -> None:
    """Runs a script, or with -m a module, as Python would."""
    if arguments[0] == "-m":
        sys.path.insert(0, str(Path.cwd()))
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        script = Path(arguments[0])
        sys.path.insert(0, str(script.resolve().parent))
        sys.argv = arguments
        # Not by runpy, which shows the script another `__file__` and its own name in `sys.argv`.
        file = str(script.absolute())
        main = sys.modules["__main__"] = ModuleType("__main__")
        vars(main).update(__file__=file, __loader__=SourceFileLoader("__main__", file))
        exec(compile(script.read_bytes(), file, "exec"), vars(main))


def _warm() -> None:
    """Imports all that a command line and a script import: also what they import late, and the rules."""
    importlib.import_module("torch._dynamo")  # every optimizer imports it
    importlib.import_module("rnn_doctor.cli.check")
    importlib.import_module("rnn_doctor.cli.record")
    for form in ("terminal", "json"):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            cli.run(["diagnose", "-f", form, str(SAMPLES[0].log)])


def _serve(request: dict[str, Any]) -> int | None:
    """The exit code of one command line; None where it hung, and was ended, as it is when nobody waits any more."""
    tests = os.getppid()
    pid = os.fork()
    if pid == 0:
        nothing = os.open(os.devnull, os.O_RDONLY)
        out, err = (os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND) for name in ("out", "err"))
        become(request["arguments"], request["folder"], request["environment"], (nothing, out, err))
    deadline = time.monotonic() + request["seconds"]
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline or os.getppid() != tests:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            if os.getppid() != tests:
                os._exit(1)
            return None
        time.sleep(_TICK)


def main() -> None:
    """Serves until its standard input ends, as it does when the tests do."""
    _warm()
    names = {"Popen": Fork, "DEVNULL": subprocess.DEVNULL, "TimeoutExpired": subprocess.TimeoutExpired}
    vars(launch)["subprocess"] = SimpleNamespace(**names)
    for line in sys.stdin:
        print(json.dumps(_serve(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
