"""A folder with a script in it, and what becomes of it under the probe."""

import gc
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
import torch

from rnn_doctor.capture import launch as launching
from rnn_doctor.capture.launch import Outcome, Target

TRAINING = """\
import os, sys, time, torch
from torch import nn
torch.manual_seed(0)
torch.set_num_threads(1)
lstm, head = nn.LSTM(3, 8, batch_first=True), nn.Linear(8, 1)
optimizer = torch.optim.Adam([*lstm.parameters(), *head.parameters()], lr=0.01)
def update():
    optimizer.zero_grad()
    x = torch.randn(16, 6, 3)
    loss = nn.functional.mse_loss(head(lstm(x)[0][:, -1]), x.mean((1, 2)).unsqueeze(1))
    loss.backward()
    optimizer.step()
def leave_id():
    open(os.path.join("ids", str(os.getpid())), "w").close()
"""

Launch = Callable[..., Outcome]


@pytest.fixture(autouse=True, scope="session")
def _prepared_torch() -> None:
    """Two workers with two threads each get in each other's way, and rounding depends on the number.

    The first optimizer would import the largest part of torch, and leave it to the garbage collections of all tests.
    """
    torch.set_num_threads(1)
    import_module("torch._dynamo")
    gc.collect()
    gc.freeze()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with room for process ids."""
    (tmp_path / "ids").mkdir()
    monkeypatch.chdir(tmp_path)
    # The launched process must find neither the sources nor what else this run was given.
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return tmp_path


@pytest.fixture
def launch(folder: Path) -> Launch:
    """Launches a script of this text in the folder."""

    def call(text: str, **options: object) -> Outcome:
        (folder / "script.py").write_text(text, encoding="utf-8")
        given: dict[str, object] = {
            "steps": None,
            "time_limit": 120.0,
            "start_limit": 120.0,
            "tool_version": "0",
            "terminal": False,
            "on_progress": lambda progress: None,
        }
        log = folder / str(options.pop("log", "run.jsonl"))
        log.parent.mkdir(exist_ok=True)
        python = options.pop("python", None)
        target = Target("script.py", False, (), str(python)) if python else Target("script.py", False, ())
        return launching.launch(target, log, **(given | options))  # type: ignore[arg-type]

    return call


def environment() -> dict[str, str]:
    """For a command line that runs our sources, installed or not."""
    root = str(Path(__file__).parents[2])
    return os.environ | {"PYTHONPATH": root, "COLUMNS": "80"}
