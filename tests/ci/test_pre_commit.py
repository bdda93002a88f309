"""The pre-commit hooks: read by pre-commit itself, and their entries are commands that there are."""

import shlex
from typing import Any

import pytest
import yaml
from pre_commit.clientlib import load_manifest

from rnn_doctor.cli import COMMANDS, main
from tests.generated import ROOT

FILE = ROOT / ".pre-commit-hooks.yaml"
HOOKS: list[dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def test_pre_commit_reads_them() -> None:
    read = {hook["id"]: hook for hook in load_manifest(str(FILE))}
    assert set(read) == {"rnn-doctor", "rnn-doctor-rules"}
    assert all(hook["pass_filenames"] is False for hook in read.values()), (
        "what follows SCRIPT is the script's"
    )


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_an_entry_is_a_command_with_its_options(hook: dict[str, Any]) -> None:
    program, name, *options = shlex.split(hook["entry"])
    assert (program, name in COMMANDS) == ("rnn-doctor", True)
    command = main.commands.get(name) or main.get_command(main.make_context("rnn-doctor", ["schema"]), name)
    assert command is not None
    assert set(options) <= {flag for param in command.params for flag in param.opts}


def test_the_page_names_each_hook() -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    assert all(f"- id: {hook['id']}\n" in page for hook in HOOKS)
