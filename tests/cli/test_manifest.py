"""`check` without a script: a repository gated in one command. Runs are played, processes are real."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from rnn_doctor.cli import workers
from tests.cli.conftest import Result, Run
from tests.generated import ROOT
from tests.players import write_player


class Repository:
    """A folder with a pyproject.toml and scripts that are played."""

    def __init__(self, folder: Path, run: Run) -> None:
        self.folder = folder
        self.run = run
        self._entries = ""
        write_player(folder)

    def script(self, name: str, plays: str, *lines: str) -> None:
        (self.folder / name).write_text(f"# plays {plays}\n", encoding="utf-8")
        self._entries += "\n".join(["[[tool.rnn-doctor.check]]", f'script = "{name}"', *lines, ""])
        table = '[tool.rnn-doctor]\npython = "./player"\n'
        (self.folder / "pyproject.toml").write_text(table + self._entries, encoding="utf-8")

    def check(self, *options: str) -> Result:
        return self.run("check", *options)


@pytest.fixture
def repository(run: Run, tmp_path: Path) -> Repository:
    return Repository(tmp_path, run)


@pytest.fixture
def gated(repository: Repository) -> Repository:
    repository.script("healthy.py", "charlm", 'args = ["--epochs", "1"]')
    repository.script("known.py", "charlm_exploding", 'known = ["RD103"]')
    repository.script("ill.py", "classifier_frozen_encoder", 'expect = ["parameters-not-optimized"]')
    return repository


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_repository_with_three_scripts_in_one_command(gated: Repository) -> None:
    done = gated.check()
    assert done.code == 0, done.err
    assert done.out.count("  slow convergence ") == 3
    summary = words(done.out[done.out.index("Summary of 3 scripts") :])
    assert "healthy.py as expected no findings" in summary
    assert "known.py as expected RD202: not severe or not sure enough to fail known: RD103" in summary
    assert "ill.py as expected RD307 found, as it must be" in summary
    assert summary.endswith("3 as expected.")
    assert "rnn-doctor: ill.py: as expected" in done.err
    assert "(3 of 3)" in done.err
    assert "ARGUMENTS" not in done.err, "what a script writes is told when it failed"


def test_one_combined_report_in_the_order_of_the_file(gated: Repository) -> None:
    done = gated.check("-f", "json", "--jobs", "3")
    reports = json.loads(done.out)
    assert [report["subject"]["script"] for report in reports] == ["healthy.py", "known.py", "ill.py"]
    assert reports[0]["subject"]["arguments"] == ["--epochs", "1"]
    assert "3 as expected." in done.err
    assert isinstance(json.loads(gated.check("-f", "json", "--only", "known.py").out), list), "also of one"


def test_one_sarif_log_of_all_that_is_valid(gated: Repository) -> None:
    gated.script("worse.py", "charlm_exploding")
    done = gated.check("-o", "health.sarif")
    assert done.code == 1
    log = json.loads((gated.folder / "health.sarif").read_text(encoding="utf-8"))
    schema = json.loads((ROOT / "tests" / "schemas" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
    jsonschema.validate(log, schema)
    results = [result for run in log["runs"] for result in run["results"]]
    assert {"RD103", "RD307"} <= {result["ruleId"] for result in results}


def test_a_baseline_is_kept_when_lines_move(repository: Repository) -> None:
    repository.script("healthy.py", "charlm")
    repository.script("ill.py", "charlm_exploding")
    repository.script("other.py", "classifier_frozen_encoder")
    assert repository.check("-o", "baseline.json").code == 1
    for name, plays in (("ill.py", "charlm_exploding"), ("other.py", "classifier_frozen_encoder")):
        (repository.folder / name).write_text(f"# plays {plays} moved\n", encoding="utf-8")
    held = repository.check("-q", "--baseline", "baseline.json")
    assert held.code == 0
    assert "ill.py as expected in the baseline already: RD103 and RD202" in words(held.out)
    (repository.folder / "healthy.py").write_text("# plays seq2seq_double_softmax\n", encoding="utf-8")
    done = repository.check("--baseline", "baseline.json", "--only", "healthy.py")
    assert done.code == 1
    assert "healthy.py FAILED error[RD401]" in words(done.out)


def test_the_worst_of_them_decides(repository: Repository) -> None:
    repository.script("healthy.py", "charlm")
    repository.script("ill.py", "charlm_exploding")
    done = repository.check()
    assert done.code == 1
    assert "ill.py FAILED error[RD103] gradient-spikes at examples/charlm_exploding.py:" in words(done.out)
    assert repository.check("--fail-on", "never").code == 0
    assert repository.check("--only", "healthy.py").code == 0
    repository.script("broken.py", "failure")
    done = repository.check()
    assert done.code == 3
    assert "broken.py failed with exit code 4" in done.err
    assert "  | Traceback: no data" in done.err
    assert "broken.py not judged" in words(done.out)
    assert "1 as expected, 1 failed, 1 not judged." in done.out


def test_what_is_fixed_is_told_and_what_is_missing_fails(repository: Repository) -> None:
    repository.script("better.py", "charlm", 'known = ["RD103", "RD101"]')
    done = repository.check()
    assert done.code == 0
    assert "fixed: RD103; remove it from `known`" in words(done.out)
    assert "RD101 is known, and could not be judged: how far back the task" in words(done.out)
    repository.script("healed.py", "charlm", 'expect = ["RD103"]')
    done = repository.check("--only", "healed.py")
    assert done.code == 1
    assert "healed.py FAILED RD103 must be found, and was not" in words(done.out)


def test_a_script_that_could_not_be_judged_stands_in_the_combined_report(repository: Repository) -> None:
    repository.script("broken.py", "failure", 'args = ["--x"]', 'known = ["RD103"]')
    repository.script("healthy.py", "charlm", 'known = ["RD103"]')
    done = repository.check("-o", "report.json")
    assert done.code == 3
    broken, healthy = json.loads((repository.folder / "report.json").read_text(encoding="utf-8"))
    why = "broken.py failed with exit code 4 before anything of a training was seen"
    assert (broken["subject"]["script"], broken["subject"]["arguments"]) == ("broken.py", ["--x"])
    assert (broken["expected"]["note"], broken["exit"]["code"]) == (why, 3)
    assert {verdict["verdict"] for verdict in broken["conditions"].values()} == {"not_assessed"}
    assert healthy["expected"]["fixed"] == ["RD103"]
    again = repository.run("report", "report.json", "-f", "terminal")
    assert f"broken.py not judged {why}" in words(again.out)
    assert "healthy.py as expected fixed: RD103" in words(again.out)
    again = repository.run("report", "report.json", "-f", "markdown")
    assert f"| broken.py | 🔴 **not judged** | {why} |" in again.out
    assert repository.run("report", "report.json", "-o", "x.xml").code == 0
    assert 'failures="2"' in (repository.folder / "x.xml").read_text(encoding="utf-8").splitlines()[1]
    compared = json.loads(repository.run("compare", "report.json", "report.json", "-f", "json").out)
    assert [each["gone"] for each in compared] == [[], []]


def test_an_entry_goes_before_the_table_and_a_flag_before_the_entry(repository: Repository) -> None:
    repository.script("train.py", "charlm_exploding", 'fail-on = "never"')
    assert repository.check().code == 0
    assert repository.check("--fail-on", "error").code == 1
    repository.script("other.py", "charlm_exploding", 'ignore = ["RD103"]')
    assert repository.check("--only", "other.py").code == 0


def test_the_folder_of_the_file_is_that_of_the_scripts(
    gated: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = gated.folder / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    done = gated.check("-f", "json", "-o", "report.json", "--log", "logs")
    assert done.code == 0, done.err
    assert len(json.loads((inner / "report.json").read_text(encoding="utf-8"))) == 3
    names = {path.name for path in (inner / "logs").iterdir()}
    assert names == {f"{name}.{kind}" for name in ("healthy", "known", "ill") for kind in ("jsonl", "out")}
    assert "ARGUMENTS --epochs 1 THREADS" in (inner / "logs" / "healthy.out").read_text(encoding="utf-8")
    assert Path.cwd() == inner


def test_threads_are_set_where_the_entry_says_so(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    repository.script("one.py", "charlm", "threads = 1")
    repository.script("as_it_is.py", "charlm")
    done = repository.check("-v")
    assert "  | ARGUMENTS THREADS 1\n" in done.err
    assert "  | ARGUMENTS THREADS 7\n" in done.err


def test_each_gets_its_share_of_the_cores_also_where_others_are_left_out(
    gated: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(workers, "cores", lambda: 7)
    for options in ((), ("--only", "ill.py")):
        assert "  | ARGUMENTS THREADS 2\n" in gated.check("-v", *options).err
    assert "  | ARGUMENTS THREADS 7\n" in gated.check("-v", "--jobs", "1").err


def test_nothing_is_left_behind(gated: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = gated.folder / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    gated.check("-q")
    assert list(temporary.iterdir()) == []
    gated.script("broken.py", "failure")
    gated.check("-q", "--only", "broken.py")
    assert list(temporary.iterdir()) == [], "it left no run log to look at"


def test_quiet_leaves_the_report_alone(gated: Repository) -> None:
    assert gated.check("-q").err == ""


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        (['known = ["RD99"]'], [], "no rule 'RD99'"),
        (['known = ["RD103"]'], ["--ignore", "RD1"], "RD103 is listed, but not in use"),
        ([], ["--only", "trian.py"], "no script is called 'trian.py' (did you mean 'train.py'?)"),
        ([], ["--jobs", "0"], "--jobs: '0' is not a whole number"),
        ([], ["--only", "train.py", "train.py"], "--only chooses among the scripts of pyproject.toml"),
        ([], ["--log", "train.py"], "train.py is a file"),
        ([], ["-o", "nowhere/x"], "there is no folder"),
        (["stpes = 3"], [], "no key 'stpes' (did you mean 'steps'?)"),
    ],
)
def test_what_can_be_refused_is_refused_before_anything_runs(
    repository: Repository, lines: list[str], options: list[str], message: str
) -> None:
    repository.script("train.py", "failure", *lines)
    done = repository.check(*options)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "no data" not in done.err


def test_a_script_that_is_not_there_is_told_before_the_others_run(repository: Repository) -> None:
    repository.script("first.py", "failure")
    repository.script("second.py", "charlm")
    (repository.folder / "second.py").unlink()
    done = repository.check()
    assert done.code == 2
    assert "second.py: no such script" in done.err
    assert "no data" not in done.err


def test_scripts_given_as_arguments_are_told(repository: Repository) -> None:
    repository.script("a.py", "charlm")
    repository.script("b.py", "charlm")
    done = repository.check("a.py", "b.py")
    assert "b.py: given to a.py, for what follows SCRIPT is its own" in done.err
    assert "[[tool.rnn-doctor.check]]" in done.err
    assert "given to" not in repository.check("a.py", "b.txt").err
    assert "given to" not in repository.check("-q", "a.py", "b.py").err


@pytest.mark.e2e
def test_ctrl_c_ends_all_and_reports_what_was_seen(gated: Repository) -> None:
    gated.script("slow.py", "charlm hangs")
    gated.script("slower.py", "charlm hangs")
    gated.script("waiting.py", "charlm hangs")
    process = subprocess.Popen(
        [sys.executable, "-m", "rnn_doctor", "check", "-f", "json", "--jobs", "2", "--log", "logs"],
        cwd=gated.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        limit = time.monotonic() + 20
        while (
            process.poll() is None
            and time.monotonic() < limit
            and len(list(gated.folder.glob("logs/*.jsonl"))) < 5
        ):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, err
    scripts = {report["subject"]["script"] for report in json.loads(out)}
    assert scripts == {"healthy.py", "known.py", "ill.py", "slow.py", "slower.py", "waiting.py"}
    assert "slow.py interrupted" in words(err)
    assert "waiting.py interrupted interrupted before it was started" in words(err)
    assert "Traceback" not in err
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        assert str(gated.folder).encode() not in line, "a process was left behind"


TRAINING = """\
import torch
from torch import nn
torch.manual_seed(0)
lstm, head = nn.LSTM(3, 8, batch_first=True), nn.Linear(8, 1)
optimizer = torch.optim.Adam(PARAMETERS, lr=0.01)
for _ in range(100):
    x = torch.randn(16, 6, 3)
    loss = nn.functional.mse_loss(head(lstm(x)[0][:, -1]), x.mean((1, 2)).unsqueeze(1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@pytest.mark.e2e
def test_real_trainings_side_by_side(run: Run, tmp_path: Path) -> None:
    for name, parameters in (
        ("healthy", "[*lstm.parameters(), *head.parameters()]"),
        ("ill", "head.parameters()"),
    ):
        text = TRAINING.replace("PARAMETERS", parameters)
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        "[tool.rnn-doctor]\nsteps = 15\n"
        '[[tool.rnn-doctor.check]]\nscript = "healthy.py"\nthreads = 1\n'
        '[[tool.rnn-doctor.check]]\nscript = "ill.py"\nthreads = 1\nexpect = ["RD307"]\n',
        encoding="utf-8",
    )
    done = run("check", "-f", "json", "--jobs", "2")
    assert done.code == 0, done.err
    reports = json.loads(done.out)
    assert [report["observation"]["steps"] for report in reports] == [15, 15]
    assert {finding["rule"] for finding in reports[1]["findings"]} == {"RD307"}
