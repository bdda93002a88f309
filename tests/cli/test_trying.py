"""`rnn-doctor try` from the command line to the report."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run

SCRIPT = """\
import sys, torch
from torch import nn
torch.manual_seed(0)
rnn, head = nn.GRU(4, 16, batch_first=True), nn.Linear(16, 2)
optimizer = torch.optim.SGD([*rnn.parameters(), *head.parameters()], lr=1e-3)
data = torch.Generator().manual_seed(1)
x = torch.randn(400, 12, 4, generator=data)
y = (x[:, -3:, 0].sum(1) > 0).long()
for epoch in range(10):
    for rows in torch.randperm(400).split(20):
        optimizer.zero_grad()
        score = head(rnn(x[rows])[0][:, -1])
        loss = nn.functional.cross_entropy(score.softmax(1) if "softmax" in sys.argv else score, y[rows])
        loss.backward()
        optimizer.step()
"""


def tried(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "train.py").write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, "-m", "rnn_doctor", "try", *words]  # several at once, from threads: no forks
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.e2e
def test_what_helped_this_very_training_stands_in_front(tmp_path: Path) -> None:
    done = tried(
        tmp_path,
        "--validate",
        "off",
        "-f",
        "json",
        "--remedy",
        "adam-optimizer,remove-weight-decay",
        "train.py",
    )
    assert done.returncode == 1, done.stderr
    assert "trying 2 changes, each 3 times: 9 runs" in done.stderr
    report = json.loads(done.stdout)
    first, second = report["remedies"][:2]
    assert (first["id"], first["basis"]) == ("adam-optimizer", "trial")
    assert (second["id"], second["basis"]) == ("raise-learning-rate", "literature"), "it was in front before"
    trial = first["trial"]
    assert (trial["verdict"], trial["gone"], trial["arms"]) == ("helps", ["RD302"], ["Adam at 0.001"])
    assert (trial["steps"], trial["repeats"]) == (50, 3)
    low, high = trial["interval"]
    assert low < trial["effect"] < high < 0
    reasons = {each["what"]: each["reason"] for each in report["not_assessed"]}
    assert reasons["trial of remove-weight-decay"] == "no weight decay: there was nothing to apply it to"


@pytest.mark.e2e
def test_nothing_is_tried_beside_a_fault_that_is_certain(tmp_path: Path) -> None:
    done = tried(tmp_path, "--steps", "30", "-f", "json", "train.py", "softmax")
    assert done.returncode == 1
    assert "nothing was tried: a fault that is certain keeps train.py from learning" in done.stderr
    assert "pass raw logits to the loss, then try again" in done.stderr
    assert json.loads(done.stdout)["findings"][0]["rule"] == "RD401"


def test_few_updates_say_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("", encoding="utf-8")
    done = run("try", "--steps", "10", "train.py")
    assert done.code == 2
    assert "trials compare runs of a number of updates, at least 20" in done.err


def test_one_repeat_tells_no_scatter(run: Run, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("", encoding="utf-8")
    done = run("try", "--repeats", "1", "train.py")
    assert done.code == 2
    assert "'1' is not a whole number of at least 2" in done.err


@pytest.mark.parametrize(
    ("remedy", "why"),
    [
        ("dropout", "its effect shows in validation"),
        ("rais-learning-rate", "did you mean 'raise-learning-rate'?"),
    ],
)
def test_a_remedy_that_no_trial_applies_is_refused_with_the_reason(
    run: Run, tmp_path: Path, remedy: str, why: str
) -> None:
    (tmp_path / "train.py").write_text("", encoding="utf-8")
    done = run("try", "--remedy", remedy, "train.py")
    assert done.code == 2
    assert f"no trial can apply '{remedy}'" in done.err
    assert why in done.err
