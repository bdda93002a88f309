"""However a run ends: its log is readable, it is judged, and none of its processes stays behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_doctor.capture import launch as launching
from rnn_doctor.schema import reading
from tests.capture.conftest import TRAINING, Launch, environment
from tests.capture.watching import eventually, recorded, running

pytestmark = pytest.mark.e2e

HANGS = "\nwhile True: time.sleep(0.1)\n"


class Doctor:
    """A command line of ours as a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rnn_doctor", *arguments],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def await_ids(self, count: int) -> set[int]:
        """The ids that the script's processes left, once there are so many."""
        ids = self.folder / "ids"
        eventually(
            lambda: len(recorded(ids)) >= count or self.process.poll() is not None, f"{count} process ids"
        )
        found = recorded(ids)
        assert len(found) == count, self.process.communicate()[1]
        return found

    def kill(self) -> None:
        """As `kill -9` does; its pipes are not read to their end, which processes left behind would hold open."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def await_steps(self, count: int) -> None:
        log = self.folder / "run.jsonl"
        eventually(
            lambda: log.exists() and log.read_bytes().count(b'{"record": "step"') >= count,
            f"{count} steps in the log",
        )


def none_left(processes: set[int]) -> None:
    try:
        eventually(lambda: not any(map(running, processes)), "no process is left", seconds=20)
    finally:
        for process in filter(running, processes):
            os.kill(process, signal.SIGKILL)


def test_a_script_that_is_killed_leaves_a_log_that_can_be_judged(launch: Launch, folder: Path) -> None:
    outcome = launch(TRAINING + "for k in range(12): update()\nos.kill(os.getpid(), 9)\n")
    assert (outcome.exit_code, outcome.reason) == (-signal.SIGKILL, "ended")
    assert outcome.log is not None
    log = reading.read(outcome.log)
    assert [step.step for step in log.steps] == list(range(1, 13))
    assert log.stop is None
    assert log.exit is not None
    assert log.exit.code == -signal.SIGKILL
    done = Doctor(folder, "diagnose", "run.jsonl")
    report, errors = done.process.communicate(timeout=60)
    assert done.process.returncode in (0, 1), errors
    assert "12" in report


def test_a_doctor_that_is_killed_takes_the_hung_script_and_its_loader_workers_along(folder: Path) -> None:
    (folder / "script.py").write_text(
        TRAINING
        + """
class Hanging(torch.utils.data.Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, index):
        leave_id()
        while True: time.sleep(0.1)
for k in range(3): update()
leave_id()
next(iter(torch.utils.data.DataLoader(Hanging(), num_workers=2, batch_size=4)))
"""
    )
    doctor = Doctor(folder, "record", "-o", "run.jsonl", "script.py")
    ids = doctor.await_ids(3)
    doctor.kill()
    none_left(ids)
    assert len(reading.read(folder / "run.jsonl").steps) == 3


def test_a_doctor_that_is_killed_takes_the_ranks_of_a_launcher_along(folder: Path) -> None:
    # Each rank has a session of its own, and hangs: neither a signal to the group nor the next step ends it.
    (folder / "script.py").write_text(TRAINING + "for k in range(3): update()\nleave_id()" + HANGS)
    doctor = Doctor(
        folder,
        "record",
        "-o",
        "run.jsonl",
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "script.py",
    )
    ids = doctor.await_ids(2)
    doctor.kill()
    none_left(ids)
    log = reading.read(folder / "run.jsonl")
    assert (log.ranks, len(log.steps)) == (2, 3)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_doctor_that_is_told_to_end_still_reports(folder: Path, number: signal.Signals) -> None:
    (folder / "script.py").write_text(TRAINING + "leave_id()\nwhile True: update()\n")
    doctor = Doctor(folder, "check", "-q", "--steps", "all", "--log", "run.jsonl", "script.py")
    ids = doctor.await_ids(1)
    doctor.await_steps(15)
    doctor.process.send_signal(number)
    try:
        report, errors = doctor.process.communicate(timeout=90)
    except subprocess.TimeoutExpired:
        doctor.kill()
        raise
    assert doctor.process.returncode == 130, errors
    assert "LSTM" in report
    none_left(ids)
    log = reading.read(folder / "run.jsonl")
    assert log.exit is not None
    assert log.exit.reason == "interrupted"


def test_a_script_that_hangs_is_judged_by_what_was_seen(
    launch: Launch, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "_GRACE", 0.0)
    outcome = launch(TRAINING + "for k in range(5): update()\nleave_id()" + HANGS, time_limit=3.0)
    assert outcome.reason == "hung"
    none_left(recorded(folder / "ids"))
    assert outcome.log is not None
    log = reading.read(outcome.log)
    assert len(log.steps) == 5
    assert log.exit is not None
    assert (log.exit.reason, log.exit.code) == ("hung", -signal.SIGKILL)


def test_a_script_that_hangs_before_it_trains(launch: Launch) -> None:
    outcome = launch("import time" + HANGS, start_limit=0.5)
    assert (outcome.reason, outcome.log) == ("no_step", None)


@pytest.mark.skipif(
    not Path("/proc").is_dir(), reason="other systems do not show the environment of processes"
)
def test_a_process_that_left_the_group_is_ended_too(launch: Launch, folder: Path) -> None:
    outcome = launch(
        "import subprocess, sys, os\n"
        "away = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'], "
        "start_new_session=True)\n"
        "open(f'ids/{away.pid}', 'w').close()\n"
    )
    assert (outcome.reason, outcome.exit_code) == ("ended", 0)
    ids = recorded(folder / "ids")
    assert len(ids) == 1
    none_left(ids)


def test_a_full_disk_ends_the_log_and_not_the_script(launch: Launch, folder: Path) -> None:
    outcome = launch(
        TRAINING
        + "import resource\n"
        + "update()\n"
        + "limit = os.path.getsize('run.jsonl') + 700\n"
        + "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        + "try:\n    while True: update()\nfinally: leave_id()\n",
        steps=30,
    )
    assert (outcome.reason, outcome.exit_code) == ("ended", 0)
    assert len(recorded(folder / "ids")) == 1
    assert outcome.log is not None
    log = reading.read(outcome.log)
    assert 1 < len(log.steps) < 30
    assert log.stop is None
    assert log.exit is not None


@pytest.mark.parametrize("updates", [0, 3])
def test_a_script_that_deletes_the_folder_of_its_log(launch: Launch, folder: Path, updates: int) -> None:
    outcome = launch(
        TRAINING
        + f"for k in range({updates}): update()\n"
        + "import shutil; shutil.rmtree('logs')\n"
        + "try:\n    while True: update()\nfinally: leave_id()\n",
        log="logs/run.jsonl",
        steps=20,
    )
    assert (outcome.reason, outcome.exit_code, outcome.log) == ("ended", 0, None)
    assert len(recorded(folder / "ids")) == 1


_BLOCKING = """\
import sys
BLOCKED = {"numpy", "scipy", "pydantic", "pydantic_core", "click", "rich", "jsonschema", "rnn_doctor"}
class Blocking:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in BLOCKED else self.finder.find_spec(name, path, target)
sys.meta_path[:] = map(Blocking, sys.meta_path)
"""


def test_an_environment_with_torch_alone(
    launch: Launch, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = os.environ.get("RNN_DOCTOR_BARE_PYTHON")
    if bare is None:
        # The script's own sitecustomize, which the probe's must let run.
        (folder / "site").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(_BLOCKING)
        monkeypatch.setenv("PYTHONPATH", str(folder / "site"))
    missing = """
import importlib
for name in ("numpy", "pydantic", "rnn_doctor"):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        continue
    sys.exit(name + " is installed")
"""
    outcome = launch(TRAINING + missing + "while True: update()\n", steps=10, python=bare or sys.executable)
    assert outcome.exit_code == 0
    assert outcome.log is not None
    log = reading.read(outcome.log)
    assert len(log.steps) == 10
    assert log.sensors_off == ()
    assert [module.kind for module in log.modules.values()] == ["LSTM"]
    assert {"samples", "batches", "readouts", "losses", "lag_gains"} <= {
        name for name in type(log).model_fields if getattr(log, name)
    }
