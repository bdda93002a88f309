"""The script that gives CI a browser: it changes nothing where it may not, and never fails the build."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.generated import ROOT
from tests.render.html import browser

SCRIPT = ROOT / ".ci" / "chromium"
TOOLS = ("id", "mktemp", "rm", "tail")


def run(folder: Path, programs: dict[str, str], **variables: str) -> subprocess.CompletedProcess[str]:
    """The script on a machine that has these programs, as shell lines, beside the few tools that it uses."""
    for name in TOOLS:
        folder.joinpath(name).symlink_to(
            next(p for p in (Path("/usr/bin"), Path("/bin")) if (p / name).exists()) / name
        )
    for name, line in programs.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return subprocess.run(
        ["/bin/bash", str(SCRIPT)],
        env={"PATH": str(folder)} | variables,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


APT = 'echo "$@" >>"$CALLS"; '


@pytest.mark.parametrize(
    ("programs", "calls", "said"),
    [
        ({"chromium": "exit 1", "apt-get": APT}, 0, ""),
        ({}, 0, "there is no apt-get"),
        ({"id": "echo 1000", "apt-get": APT}, 0, "only root may install it"),
        ({"id": "echo 0", "apt-get": APT}, 1, "installing Chromium"),
        (
            {"id": "echo 0", "apt-get": APT + "[ -s $CALLS.again ] || { echo x >$CALLS.again; exit 1; }"},
            3,
            "installing",
        ),
        (
            {"id": "echo 0", "apt-get": APT + "echo no network >&2; exit 100"},
            2,
            "no network\nno Chromium: apt-get",
        ),
    ],
    ids=["present", "no apt", "not root", "installed", "after an update", "refused"],
)
def test_it_installs_where_it_can_and_says_where_it_cannot(
    tmp_path: Path, programs: dict[str, str], calls: int, said: str
) -> None:
    asked = tmp_path / "calls"
    done = run(tmp_path, programs, CALLS=str(asked))
    assert (done.returncode, done.stdout) == (0, "")
    assert said in done.stderr
    assert bool(said) == bool(done.stderr)
    assert len(asked.read_text(encoding="utf-8").splitlines() if asked.exists() else []) == calls


def test_it_looks_for_the_browsers_that_the_tests_look_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.delenv("RNN_DOCTOR_CHROMIUM", raising=False)
    monkeypatch.setattr("shutil.which", asked.append)
    assert browser.found() is None
    assert f"for name in {' '.join(asked)}; do" in SCRIPT.read_text(encoding="utf-8")


def test_one_that_is_named_is_enough(tmp_path: Path) -> None:
    assert run(tmp_path, {"apt-get": "exit 1"}, RNN_DOCTOR_CHROMIUM=os.devnull).stderr == ""
