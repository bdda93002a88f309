"""The examples of docs/configuration.md are settings that hold."""

import re
from pathlib import Path

import pytest

from rnn_doctor import pipeline
from rnn_doctor.settings import resolve
from tests.generated import ROOT

PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_is_accepted(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    wanted = {"experiments/a.py": 20, "train_lm.py": 50, "project.train": 50}
    for script, steps in wanted.items():
        settings = resolve({}, tmp_path, script)
        pipeline.rules_in_use(settings)
        if "per-script" in text:
            assert settings.steps == steps
            assert settings.lag == (None if script == "experiments/a.py" else 30)


def test_the_thresholds_of_the_page_are_no_shipped_ones(tmp_path: Path) -> None:
    text = next(text for text in EXAMPLES if "[tool.rnn-doctor.thresholds]" in text)
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert len(pipeline.rules_in_use(resolve({}, tmp_path)).thresholds) == 2


def test_the_comment_of_the_page_names_a_rule() -> None:
    code = re.search(r"rnn-doctor: ignore\[(\w+)\]", PAGE)
    assert code
    assert code[1] in pipeline.rulebook().rules
