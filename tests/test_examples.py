"""Every example through the real command line: the healthy ones pass, of their ill twins the fault is named.

What to type is taken from the table of examples/README.md, so that the page is true.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from tests import warm_python
from tests.generated import ROOT

FOLDER = ROOT / "examples"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
HEALTHY = {"charlm": [], "classifier": [], "seq2seq": [], "brackets": ["--lag", "50"]}
TYPED = ("charlm", "seq2seq_double_softmax")
"""Those whose examination starts from nothing, as it is typed; the others' Python has started before."""


@dataclass(frozen=True)
class Ill:
    """What must be found first, and the source line that it must point to."""

    rule: str
    condition: str
    line: str


ILL = {
    # Where the gradient appears, and what a clip call must follow.
    "charlm_exploding": Ill("RD103", "exploding_gradients", "loss.backward()"),
    # No single line overfits; this is the layer that is too large for its data, and where dropout goes.
    "charlm_overfitting": Ill("RD501", "overfitting", "self.lstm = nn.LSTM("),
    "charlm_tiny_step": Ill("RD302", "slow_convergence", "optimizer = torch.optim.SGD("),
    "classifier_frozen_encoder": Ill(
        "RD307", "slow_convergence", "optimizer = torch.optim.Adam(model.head.parameters()"
    ),
    # The call that the probabilities reach; the message says that a softmax made them.
    "seq2seq_double_softmax": Ill("RD401", "slow_convergence", "loss = criterion(logits"),
    "brackets_vanishing": Ill("RD101", "vanishing_gradients", "self.lstm = nn.LSTM("),
}


def check(name: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON report of `rnn-doctor check`, typed in the folder of the examples."""
    command = ["-m", "rnn_doctor", "check", "-q", "-f", "json", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    if name in TYPED:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=FOLDER,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    else:
        done = warm_python.run(command, cwd=FOLDER, env=environment, timeout=300)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


def typed(name: str) -> list[str]:
    """The arguments of `check` that the page names for an ill twin."""
    row = re.search(rf"^\| `{name}\.py` \|[^|]*\|[^|]*\| `([^`]*)` \|", PAGE, re.MULTILINE)
    assert row, f"examples/README.md has no row for {name}.py"
    return row[1].split()


def test_every_example_is_examined() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == HEALTHY.keys() | ILL.keys()
    for name in HEALTHY:
        assert f"| `{name}.py` |" in PAGE


@pytest.mark.e2e
@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_example_passes(name: str) -> None:
    code, report = check(name, *HEALTHY[name], f"{name}.py")
    assert [f for f in report["findings"] if f["severity"] != "note"] == []
    assert code == 0
    assert report["observation"]["steps"] == 50
    assert report["conditions"]["exploding_gradients"]["verdict"] == "absent"
    assert report["conditions"]["slow_convergence"]["verdict"] == "absent"


@pytest.mark.e2e
@pytest.mark.parametrize("name", ILL)
def test_of_an_ill_twin_the_fault_is_named_first(name: str) -> None:
    ill = ILL[name]
    code, report = check(name, *typed(name))
    assert code == 1
    first = report["findings"][0]
    assert (first["rule"], first["severity"], first["condition"]) == (ill.rule, "error", ill.condition)
    assert first["explained_by"] == []
    verdict = report["conditions"][ill.condition]
    assert verdict["verdict"] == "present"
    assert ill.rule in verdict["findings"]

    location = first["location"]
    assert location["file"] == f"{name}.py"
    source = (FOLDER / location["file"]).read_text(encoding="utf-8").splitlines()
    assert source[location["line"] - 1].strip().startswith(ill.line)
    causes = [f for f in report["findings"] if f["severity"] != "note" and not f["explained_by"]]
    assert {f["rule"] for f in causes} == {ill.rule}
    assert ill.rule in report["remedies"][0]["addresses"]
