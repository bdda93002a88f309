"""Runs without the three seconds of importing torch: a Python that has it forks itself for each script.

The fork has computed nothing yet, so a script computes in it what it computes in a Python of its own; were that
not so, its losses would differ from those of the examined run, and the test would fail.
"""

import atexit
import json
import math
import os
import runpy
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from rnn_doctor.schema import reading
from rnn_doctor.schema.runlog import RunLog
from tests.scripts import runner
from tests.scripts.catalogue import Entry

_servers: list[subprocess.Popen[str]] = []


def run(entry: Entry, arguments: tuple[str, ...]) -> runner.Run:
    """Like `runner.run`, and the same where a script starts interpreters of its own or needs a framework."""
    if entry.fresh or entry.needs or arguments[0] == "-m":
        return runner.run(entry, arguments)
    return _ask(runner.HERE / entry.folder, arguments)


def record(script: Path, steps: int) -> tuple[runner.Run, RunLog | None]:
    """A script under the probe for so many updates, in its own folder; no log where it used no torch.

    The probe is armed as in a Python of the script's own, but finds torch imported: what is left out is the
    command line alone.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.jsonl")
        # Steps alone end it, so that the log does not depend on how busy the machine is.
        probe = {
            "log": str(path),
            "steps": steps,
            "time_limit": math.inf,
            "tool_version": "",
            "arguments": [],
        }
        done = _ask(script.parent, (script.name,), probe | {"script": script.name})
        return done, reading.read(path) if path.exists() else None


def _ask(folder: Path, arguments: tuple[str, ...], probe: dict[str, Any] | None = None) -> runner.Run:
    if not _servers:
        _servers.append(_start())
    server = _servers[0]
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.TemporaryDirectory() as place:
        output = Path(place, "output")
        request = {"arguments": arguments, "folder": str(folder), "output": str(output), "probe": probe}
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        code = json.loads(server.stdout.readline())
        return runner.Run(code, output.read_text(encoding="utf-8", errors="replace"))


def _start() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.scripts.warm"]
    # It ends with its standard input, when this process does.
    return subprocess.Popen(
        command, cwd=runner.HERE.parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _serve() -> None:
    import_module("torch._dynamo")  # every optimizer imports it

    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(request)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _become(request: dict[str, Any]) -> None:
    """Runs the script as `python script.py` would, and ends this process."""
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.chdir(request["folder"])
    sys.argv = list(request["arguments"])
    script = sys.argv[0]
    sys.path[0] = str(Path(script).resolve().parent)
    if request["probe"]:
        os.environ["RNN_DOCTOR_PROBE"] = json.dumps(request["probe"] | {"parent": os.getppid()})
        import_module("rnn_doctor.capture.probe.arming").arm()
    code = 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    atexit._run_exitfuncs()  # os._exit leaves them out, and the probe ends its log there
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve()
