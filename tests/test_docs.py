"""Documentation names what there is, and links lead somewhere."""

import re
from pathlib import Path
from typing import get_args

import pytest

from rnn_doctor.cli import COMMANDS
from rnn_doctor.schema.runlog import Record
from tests.generated import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def records() -> set[str]:
    union = get_args(Record)[0]
    return {get_args(kind.model_fields["record"].annotation)[0] for kind in get_args(union)}


def test_the_run_log_page_has_every_record() -> None:
    text = (ROOT / "docs" / "runlog.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == records()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_command_lines_in_the_pages_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"```console\n(.*?)```", text, re.DOTALL))
    inline = re.findall(r"`rnn-doctor (\w+)", text)
    for command in re.findall(r"^rnn-doctor (\S+)", blocks, re.MULTILINE) + inline:
        assert command in COMMANDS


@pytest.mark.parametrize("name", ["demo", "test", "quick", "lint", "generate"])
def test_targets_in_the_readme_exist(name: str) -> None:
    assert re.search(rf"^{name}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert f"make {name}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_screen_in_the_readme_is_real() -> None:
    report = (ROOT / "tests" / "gold" / "sample-seq2seq_double_softmax.txt").read_text(encoding="utf-8")
    assert f"check examples/seq2seq_double_softmax.py\n{report.rstrip()}\n```" in (
        ROOT / "README.md"
    ).read_text(encoding="utf-8")
