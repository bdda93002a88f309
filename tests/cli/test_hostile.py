"""Files that are out to harm: a clear sentence or a report, never a traceback, never a screen full."""

import json
import re
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from rnn_doctor.render import FORMATS
from tests import stored
from tests.cli.conftest import Run
from tests.recorded import BUILT, HEADER, MODULE, OPTIMIZER, exited, steps, stop, write
from tests.render.test_hostile import ATTACKS

HUGE = "A" * 10_000_000


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        '{"record":' * 100_000,
        '{"record": "header", "arguments": ' + "[" * 100_000,
        '{"record": "header", "x": ' + "[" * 900 + "]" * 900 + "}",
        json.dumps(HUGE),
        json.dumps({"record": HUGE}),
        json.dumps({"record": "header", HUGE: 1}),
        json.dumps(HEADER | {"schema_version": HUGE}),
        json.dumps(HEADER | {"schema_version": 10**200}),
        '{"record": "step", "step": ' + "9" * 10_000 + "}",
        '{"record": "\\ud800"}',
        '{"record": "\x1b[2J\\u001b[2J"}',
        "NaN",
    ],
    ids=range(13),
)
def test_a_damaged_log_is_told_in_a_sentence(run: Run, tmp_path: Path, line: str) -> None:
    (tmp_path / "run.jsonl").write_text(line + "\n", encoding="utf-8")
    for command in (("diagnose", "run.jsonl"), ("schema", "runlog", "--check", "run.jsonl")):
        result = run(*command)
        if (
            "schema_version" not in line or command[0] == "diagnose"
        ):  # a later version is valid, and not readable
            assert (result.code, result.out) == (2, "")
            assert result.err.startswith("rnn-doctor: run.jsonl")
        assert "internal error" not in result.err
        assert "Traceback" not in result.err
        assert "\x1b" not in result.err
        assert len(result.err) < 5000


def infected_log(texts: Sequence[str]) -> list[dict[str, Any]]:
    """A run log whose names are chosen by somebody else, with numbers that are none."""
    text = cycle(texts)
    place = {"file": next(text), "line": 12, "function": next(text), "code": next(text)}
    records = [
        HEADER | {"script": next(text), "arguments": [next(text)]},
        MODULE | {"name": next(text), "location": place},
        OPTIMIZER | {"kind": next(text)},
        *BUILT[3:],
        *steps(30),
        {"record": "crash", "step": 30, "error": next(text), "traceback": next(text), "location": place},
        stop("crash"),
        exited(1),
    ]
    for record in records:
        if record["record"] == "step" and record["step"] > 20:
            record |= {"loss": "NaN", "grad_norm": "Infinity"}
    return records


GROUPS = [[*ATTACKS[start::7]] for start in range(7)]


@pytest.mark.parametrize("texts", [*GROUPS, [HUGE, "A" * 1_000_000]], ids=range(8))
def test_a_log_with_hostile_names_gives_a_report_in_every_format(
    run: Run, tmp_path: Path, texts: list[str]
) -> None:
    write(tmp_path / "run.jsonl", infected_log(texts))
    result = run("diagnose", "-f", "json", "-o", "report.json", "run.jsonl")
    assert result.code == 1, result.err
    assert "RD104" in (tmp_path / "report.json").read_text(encoding="utf-8")
    harmless("stderr", result.err)
    every_format_is_harmless(run)
    every_comparison_is_harmless(run)


def every_format_is_harmless(run: Run) -> None:
    """Alone, and beside another in one document."""
    run("diagnose", "-q", "-f", "json", "-o", "several.json", "run.jsonl", "run.jsonl")
    for file in ("report.json", "several.json"):
        if not Path(file).exists():
            continue
        for name in FORMATS:
            again = run("report", file, "-f", name)
            assert (again.code, again.err) == (0, "")
            harmless(name, again.out)


def every_comparison_is_harmless(run: Run) -> None:
    """With a report that is like it, and with a healthy one that is not: everything of it is new, or gone."""
    Path("healthy.json").write_text(stored.text("charlm"), encoding="utf-8")
    for old, new in (("report", "report"), ("healthy", "report"), ("report", "healthy")):
        for name in ("terminal", "markdown", "json"):
            held = run("compare", "--fail-on", "never", "-f", name, *[f"{old}.json"] * 3, f"{new}.json")
            assert (held.code, held.err) == (0, "")
            harmless(name, held.out)


NESTED = ["[" * 100_000, '{"signals": ' + "[" * 900 + "]" * 900 + "}", '[{"tool": ' * 50_000, "[[]]", '"x"']


@pytest.mark.parametrize("text", [*NESTED, '{"tool": {"version": "' + HUGE + '"}}'], ids=range(6))
def test_a_stored_report_that_is_none_is_told_in_a_sentence(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    (tmp_path / "train.py").write_text("raise SystemExit('must not run')", encoding="utf-8")
    for command in (
        ("report", "x.json"),
        ("compare", "x.json", "x.json"),
        ("check", "--baseline", "x.json", "train.py"),
    ):
        result = run(*command)
        assert (result.code, result.out) == (2, "")
        assert "x.json: no report" in result.err
        assert "internal error" not in result.err
        assert len(result.err) < 5000


def harmless(name: str, output: str) -> None:
    """Nothing in it steers a terminal or commands a CI runner, and nobody has to scroll for hours."""
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", output)
    assert len(output) < (10_000_000 if name == "json" else 1_000_000)
    assert name == "github" or not re.search(r"^\s*::|##\[", output, re.MULTILINE)


SCRIPT = """
import torch
from torch import nn

EVIL = "\\x1b[31m<script>alert(1)</script>`]]>\\n::error::x|##[add-mask]y\\u202e" + "A" * 300_000


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.add_module(EVIL, nn.LSTM(4, 8, batch_first=True))
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return torch.softmax(self.head(getattr(self, EVIL)(x)[0][:, -1]), -1)


torch.manual_seed(0)
net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(12):
    opt.zero_grad()
    nn.functional.cross_entropy(net(torch.randn(8, 12, 4) * 300), torch.randint(0, 2, (8,))).backward()
    opt.step()
"""


@pytest.mark.e2e
def test_a_script_with_hostile_names_gives_a_report_in_every_format(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "a<b>`x`]]>::error::%0A.py"
    script.write_text(SCRIPT, encoding="utf-8")
    result = run("check", "-q", "-f", "json", "-o", "report.json", script.name)
    assert result.code == 1, result.err
    rules = [finding["rule"] for finding in json.loads((tmp_path / "report.json").read_bytes())["findings"]]
    assert {"RD401", "RD403"} <= set(rules)
    every_format_is_harmless(run)


def test_deep_settings_and_rules_are_told_in_a_sentence(run: Run, tmp_path: Path) -> None:
    deep = "x = " + "[" * 10_000 + "]" * 10_000
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "OWN101-x.toml").write_text(deep, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    results = [run("rule", "--rules", "mine"), run("schema", "rule", "--check", "mine/OWN101-x.toml")]
    (tmp_path / "pyproject.toml").write_text(deep, encoding="utf-8")
    for result in (*results, run("rule")):
        assert result.code == 2
        assert "internal error" not in result.err
        assert len(result.err) < 1000
