"""Whole examinations in processes of their own: what the script does, and what the command line makes of it."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import warm_python

pytestmark = pytest.mark.e2e

TRAINING = """\
import sys, time, torch
from torch import nn
torch.manual_seed(0)
torch.set_num_threads(1)
print("ARGUMENTS", sys.argv[1:])
lstm, head = nn.LSTM(3, 8, batch_first=True), nn.Linear(8, 1)
optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=0.01)
def update(number):
    optimizer.zero_grad()
    x = torch.randn(16, 6, 3)
    loss = nn.functional.mse_loss(head(lstm(x)[0][:, -1]), x.mean((1, 2)).unsqueeze(1))
    loss.backward()
    optimizer.step()
    print("UPDATE", number)
"""


class Folder:
    """A folder with scripts, in which command lines run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.temporary = path / "temporary"
        self.temporary.mkdir()

    def write(self, text: str, name: str = "train.py") -> None:
        (self.path / name).write_text(text, encoding="utf-8")

    def environment(self, **more: str) -> dict[str, str]:
        return os.environ | {"TMPDIR": str(self.temporary), "COLUMNS": "80"} | more

    def doctor(self, *args: str) -> subprocess.CompletedProcess[str]:
        """A command line of ours, in forks of a Python that has started: see tests/warm_python.py."""
        return warm_python.run(["-m", "rnn_doctor", *args], cwd=self.path, env=self.environment())

    def cold_doctor(self, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """The same from the beginning, as it is typed."""
        return subprocess.run(
            [sys.executable, "-m", "rnn_doctor", *args],
            cwd=self.path,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def kept(self) -> list[Path]:
        """Logs that were left in the temporary folder."""
        return sorted(self.temporary.glob("rnn-doctor-*/*"))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_healthy_script(folder: Folder) -> None:
    folder.write(TRAINING + "for k in range(1000): update(k)\n")
    done = folder.cold_doctor(
        "check", "--steps", "20", "-f", "json", "train.py", "--help", "--", "--steps", "3"
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["observation"]["steps"] == 20
    assert [layer["kind"] for layer in report["subject"]["recurrent"]] == ["LSTM"]
    assert "ARGUMENTS ['--help', '--', '--steps', '3']" in done.stderr
    assert "UPDATE 18" in done.stderr
    assert "step 20 of 20" in done.stderr
    assert folder.kept() == []


def test_a_module_and_a_log_that_is_kept(folder: Folder) -> None:
    (folder.path / "project").mkdir()
    folder.write("", "project/__init__.py")
    folder.write(TRAINING + "for k in range(1000): update(k)\n", "project/train.py")
    done = folder.doctor(
        "check",
        "-q",
        "--steps",
        "12",
        "--log",
        "run.jsonl",
        "-o",
        "report.txt",
        "-m",
        "project.train",
        "-m",
        "x",
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "ARGUMENTS ['-m', 'x']" in done.stderr
    assert "rnn-doctor" not in done.stderr
    again = folder.doctor("diagnose", "run.jsonl")
    assert again.stdout == (folder.path / "report.txt").read_text(encoding="utf-8")


def test_record_then_diagnose(folder: Folder) -> None:
    folder.write(TRAINING + "for k in range(15): update(k)\n")
    done = folder.doctor("record", "train.py", "--epochs", "3", "-o", "run.jsonl", "--steps", "all")
    assert (done.returncode, done.stdout) == (0, "")
    assert "ARGUMENTS ['--epochs', '3']" in done.stderr
    assert "run.jsonl: LSTM" in done.stderr
    assert "15 updates; the script ended" in done.stderr
    assert folder.doctor("schema", "runlog", "--check", "run.jsonl").returncode == 0
    report = json.loads(folder.doctor("diagnose", "-f", "json", "run.jsonl").stdout)
    assert report["observation"]["steps"] == 15


def test_a_script_that_ends_after_few_updates_is_judged(folder: Folder) -> None:
    folder.write(TRAINING + "for k in range(3): update(k)\n")
    done = folder.doctor("check", "train.py")
    assert done.returncode == 0
    assert "only 3 updates seen" in done.stderr
    assert "3 updates were seen" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("updates", "code", "message"),
    [
        (0, 3, "train.py made no update: it raised ValueError: no data at train.py:"),
        (4, 3, "train.py failed after 4 updates: it raised ValueError: no data at train.py:"),
        (14, 0, "what was seen before is judged"),
    ],
)
def test_a_script_that_fails(folder: Folder, updates: int, code: int, message: str) -> None:
    folder.write(
        TRAINING
        + f"for k in range({updates}): update(k)\nlstm(torch.randn(1, 2, 3))\nraise ValueError('no data')\n"
    )
    # One whose traceback is Python's own from beginning to end.
    doctor = folder.cold_doctor if updates == 14 else folder.doctor
    done = doctor("check", "train.py")
    assert done.returncode == code
    assert message in done.stderr
    assert done.stderr.count("Traceback") == 1, "the script's own, once"
    assert [path.name for path in folder.kept()] == ["run.jsonl"]
    assert str(folder.kept()[0]) in done.stderr
    assert bool(done.stdout) == (updates > 0)


KEPT = {
    "LSTM": ("nn.LSTM(3, 8)", "output, state = recurrent(x, state)", "loss.backward()"),
    "LSTMCell": (
        "nn.LSTMCell(3, 8)",
        "output = []\n    for row in x:\n        state = recurrent(row, state); output.append(state[0])",
        "loss.backward()",
    ),
    "retained": ("nn.GRU(3, 8)", "output, state = recurrent(x, state)", "loss.backward(retain_graph=True)"),
}


@pytest.mark.parametrize(("module", "forward", "backward"), KEPT.values(), ids=KEPT.keys())
def test_a_state_kept_with_its_graph_is_named_though_the_script_fails_of_it(
    folder: Folder, module: str, forward: str, backward: str
) -> None:
    folder.write(f"""\
import torch
from torch import nn
torch.manual_seed(0)
torch.set_num_threads(1)
recurrent, head, state = {module}, nn.Linear(8, 1), None
optimizer = torch.optim.Adam([*recurrent.parameters(), *head.parameters()], lr=0.01)
for step in range(100):
    x = torch.randn(6, 16, 3)
    {forward}
    loss = head(output[-1]).square().mean()
    optimizer.zero_grad()
    {backward}
    optimizer.step()
""")
    done = folder.doctor("check", "-f", "json", "train.py")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    finding = report["findings"][0]
    assert (finding["rule"], finding["severity"]) == ("RD407", "error")
    assert "recurrent(" in finding["location"]["code"], "the call that is given the state"
    assert report["observation"]["steps"] == 1
    assert "it raised RuntimeError" in report["observation"]["stopped"]
    assert "RuntimeError" in done.stderr
    assert "train.py failed after 1 update" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = = 3\n", "SyntaxError: invalid syntax"),
        ("import no_such_module\n", "No module named 'no_such_module'"),
        ("raise SystemExit(4)\n", "failed with exit code 4"),
        ("print('done')\n", "ended, and nothing of a PyTorch training was seen"),
        (
            "import torch\ntorch.nn.LSTM(3, 8)(torch.randn(2, 1, 3))\n",
            "nothing of a PyTorch training was seen|made no update",
        ),
        (
            TRAINING.replace("lstm(x)[0][:, -1]", "x.new_zeros(16, 8)").replace(
                "nn.LSTM(3, 8, batch_first=True)", "nn.Linear(3, 8)"
            )
            + "for k in range(12): update(k)\n",
            "no recurrent network was seen in train.py; seen: no recurrent network, Adam, 12 updates",
        ),
    ],
)
def test_a_script_that_gives_nothing_to_judge(folder: Folder, text: str, message: str) -> None:
    folder.write(text)
    # A warm Python has torch, whether or not the script asks for it.
    doctor = folder.doctor if "torch" in text else folder.cold_doctor
    done = doctor("check", "train.py")
    assert (done.returncode, done.stdout) == (3, "")
    assert any(part in done.stderr for part in message.split("|"))
    assert "rnn_doctor/" not in done.stderr, "no frame of ours"


def test_an_ill_script_ends_in_1_unless_told_otherwise(folder: Folder) -> None:
    folder.write(
        TRAINING.replace("[*lstm.parameters(), *head.parameters()]", "head.parameters()")
        + "for k in range(100): update(k)\n"
    )
    assert folder.doctor("check", "--steps", "15", "--log", "run.jsonl", "train.py").returncode == 1
    report = folder.doctor("diagnose", "run.jsonl").stdout
    assert "RD307" in report
    assert folder.doctor("diagnose", "--fail-on", "never", "run.jsonl").returncode == 0
    assert folder.doctor("diagnose", "--ignore", "RD307", "run.jsonl").returncode == 0
    folder.write('[tool.rnn-doctor]\nignore = ["RD3"]\n', "pyproject.toml")
    assert folder.doctor("diagnose", "run.jsonl").returncode == 0
    assert folder.doctor("diagnose", "--ignore", "RD1", "run.jsonl").returncode == 1


def test_a_plain_locale_prints_all_it_can(folder: Folder) -> None:
    folder.write(TRAINING + "for k in range(12): update(k)\n", "übung.py")
    done = folder.cold_doctor("check", "--log", "run.jsonl", "übung.py", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    assert "?bung.py" in done.stdout
    done = folder.cold_doctor("diagnose", "-f", "json", "run.jsonl", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert json.loads(done.stdout)["subject"]["script"] == "übung.py"


def test_a_reader_that_goes_away_is_no_error(folder: Folder) -> None:
    folder.write(TRAINING + "for k in range(12): update(k)\n")
    folder.doctor("record", "-o", "run.jsonl", "train.py")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "rnn_doctor", "diagnose", "run.jsonl"],
        cwd=folder.path,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_ends_the_script_and_judges_what_was_seen(folder: Folder) -> None:
    folder.write(TRAINING + "for k in range(100000):\n    update(k)\n    time.sleep(0.01)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "rnn_doctor", "check", "--steps", "all", "train.py"],
        cwd=folder.path,
        env=folder.environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line == "UPDATE 20\n":
            process.send_signal(signal.SIGINT)
            break
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 130, "".join(said) + err
    assert "train.py" in out.splitlines()[0]
    assert "interrupted" in " ".join(out.split())
    assert [path.name for path in folder.kept()] == ["run.jsonl"]


def test_on_a_terminal_a_live_line_stands_below_the_script(folder: Folder) -> None:
    folder.write(TRAINING + "for k in range(100000):\n    update(k)\n    time.sleep(0.02)\n")
    ours, theirs = pty.openpty()
    report = folder.path / "report.json"  # a pipe that nobody reads yet holds less than it
    with report.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "rnn_doctor", "check", "--steps", "40", "-f", "json", "train.py"],
            cwd=folder.path,
            env=folder.environment(TERM="xterm"),
            stdout=out,
            stderr=theirs,
        )
    os.close(theirs)
    screen, limit = b"", time.monotonic() + 60
    while time.monotonic() < limit:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                screen += os.read(ours, 1 << 16)
            except OSError:  # the other side was closed
                break
        elif process.poll() is not None:
            break
    process.wait(timeout=60)
    os.close(ours)
    assert process.returncode == 0
    assert json.loads(report.read_bytes())["observation"]["steps"] == 40
    assert b"UPDATE 20\r\n" in screen
    assert b"of 40, loss" in screen
    assert screen.rstrip().endswith(b"\x1b[2K"), "the line is gone in the end"
