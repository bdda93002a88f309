"""The pre-commit hooks: read by pre-commit itself, and their entries are commands that there are."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pre_commit.clientlib import load_manifest

from rnn_doctor.cli import COMMANDS, main
from tests.generated import ROOT
from tests.players import write_player

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


def git(folder: Path, *words: str) -> str:
    name = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    done = subprocess.run(
        ["git", *name, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def committed(folder: Path) -> str:
    """The commit of everything in the folder."""
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--no-verify", "-m", "x")
    return git(folder, "rev-parse", "HEAD")


@pytest.mark.e2e
@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_pre_commit_runs_them(tmp_path: Path) -> None:
    """With the hooks as a repository of their own, and a project whose runs are played."""
    hooks, project, programs = (tmp_path / name for name in ("hooks", "project", "programs"))
    for folder in (hooks, project / "our_rules", programs):
        folder.mkdir(parents=True)
    shutil.copy(FILE, hooks)
    revision = committed(hooks)
    player = write_player(programs)
    (programs / "rnn-doctor").write_text(
        f'#!/bin/sh\nexec {sys.executable} -m rnn_doctor "$@"\n', encoding="utf-8"
    )
    (programs / "rnn-doctor").chmod(0o755)
    (project / "ill.py").write_text("# plays charlm_exploding\n", encoding="utf-8")
    (project / "pyproject.toml").write_text(
        f'[tool.rnn-doctor]\npython = "{player}"\n[[tool.rnn-doctor.check]]\nscript = "ill.py"\n',
        encoding="utf-8",
    )
    shutil.copy(ROOT / "rules" / "RD417-recurrence-without-nonlinearity.toml", project / "our_rules")
    (project / "our_rules" / "sample_logs").mkdir()
    shutil.copy(ROOT / "sample_logs" / "charlm.jsonl", project / "our_rules" / "sample_logs")
    (project / ".pre-commit-config.yaml").write_text(
        yaml.safe_dump(
            {
                "repos": [
                    {
                        "repo": str(hooks),
                        "rev": revision,
                        "hooks": [{"id": "rnn-doctor"}, {"id": "rnn-doctor-rules", "args": ["our_rules"]}],
                    }
                ]
            }
        ),
        encoding="utf-8",
    )
    committed(project)
    done = {
        stage: subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", "--all-files", "--verbose", "--hook-stage", stage],
            cwd=project,
            env=os.environ
            | {
                "PRE_COMMIT_HOME": str(tmp_path / "home"),
                "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        for stage in ("pre-commit", "pre-push")
    }
    commit, push = done["pre-commit"], done["pre-push"]
    assert commit.returncode == 0, commit.stdout
    assert "1 rule, " in commit.stdout
    assert "Summary of 1 script" not in commit.stdout, "a training is too long for every commit"
    assert push.returncode == 1
    assert "ill.py FAILED error[RD103]" in " ".join(push.stdout.split())
