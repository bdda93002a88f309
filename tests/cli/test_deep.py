"""`check --deep` from the command line to the report."""

import json
import sys
from pathlib import Path

import pytest

from tests import warm_python

SCRIPT = """\
import os, torch
from torch import nn
torch.manual_seed(0)
lstm, head = nn.LSTM(2, 16, batch_first=True), nn.Linear(16, 1)
optimizer = torch.optim.SGD([*lstm.parameters(), *head.parameters()], lr=1e-7)
with open("log.txt", "w") as file:
    for update in range(30):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(head(lstm(torch.randn(8, 5, 2))[0][:, -1]), torch.ones(8, 1))
        loss.backward()
        optimizer.step()
        print(loss.item().hex(), file=file)
        print("update", update)
"""


def run(folder: Path, *arguments: str) -> str:
    (folder / "train.py").write_text(SCRIPT, encoding="utf-8")
    done = warm_python.run(["-m", "rnn_doctor", *arguments, "train.py"], cwd=folder)
    assert done.returncode in (0, 1), done.stderr
    assert done.stderr.count("update 29") <= 1, "no copy runs a line of the script"
    return done.stdout


@pytest.mark.e2e
@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_rate_that_is_far_too_small_is_told_apart_by_copies(tmp_path: Path) -> None:
    plain = json.loads(run(tmp_path, "check", "--steps", "30", "-f", "json"))
    losses = (tmp_path / "log.txt").read_bytes()
    assert plain["observation"]["one_batch"] is None
    report = json.loads(run(tmp_path, "check", "--deep", "--steps", "30", "-f", "json"))
    assert (tmp_path / "log.txt").read_bytes() == losses, "bit by bit, and written once"
    assert report["observation"]["one_batch"].startswith("one fixed batch: loss ")
    (finding,) = [each for each in report["findings"] if each["rule"] == "RD702"]
    assert "Another step size learns it from the same weights" in finding["message"]
    assert finding["explained_by"] == ["RD302"]
    evidence = {each["signal"]: each["value"] for each in finding["evidence"]}
    assert evidence["batch_cause"] == "step_size"
