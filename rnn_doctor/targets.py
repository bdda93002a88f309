"""What is to be run, held against what there is: said before it is tried, and when nothing came of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_doctor.errors import DoctorError, ScriptError, SettingsError

if TYPE_CHECKING:
    from rnn_doctor.pipeline import Outcome, Target

_USAGE = 2
"""With which argparse, click and their like end where arguments are wrong or missing."""


def target(
    module: str | None,
    words: tuple[str, ...],
    python: str | None,
    threads: int | None = None,
    *,
    origin: str = "--python",
) -> Target:
    """What to run; `origin` says in an error where the interpreter was set.

    Raises: SettingsError: no script or no interpreter was named. DoctorError: there is no such script.
    """
    from rnn_doctor import pipeline

    interpreter = _interpreter(python, origin)
    if module is not None and Path(module).suffix == ".py" and Path(module).is_file():
        raise DoctorError(
            f"-m: {module} is a file, and no name of a module", f"leave -m out, or type -m {_dotted(module)}"
        )
    if module is not None:
        return pipeline.target(module, is_module=True, arguments=words, python=interpreter, threads=threads)
    if not words:
        raise SettingsError(
            "no script was named",
            "type `rnn-doctor check train.py`, or -m PKG.MOD; several stand in pyproject.toml, "
            "one [[tool.rnn-doctor.check]] each",
        )
    path = Path(words[0])
    if path.is_dir():
        raise DoctorError(f"{path} is a directory", "name the script in it, or use -m PKG.MOD for a package")
    if not path.is_file():
        hint = "our options stand before the script" if words[0].startswith("-") else "check the path"
        raise DoctorError(f"{path}: no such script", hint)
    if path.suffix == ".ipynb":
        raise DoctorError(
            f"{path} is a notebook, which Python alone cannot run",
            f"make a script of it, `jupyter nbconvert --to script {path}`, and check that",
        )
    return pipeline.target(
        words[0], is_module=False, arguments=words[1:], python=interpreter, threads=threads
    )


def _dotted(path: str) -> str:
    return ".".join(part for part in Path(path).with_suffix("").parts if part != ".")


def not_started(target: Target, error: OSError) -> SettingsError:
    """What to say of an interpreter that cannot be run."""
    return SettingsError(f"{target.python}: cannot be started: {error.strerror}", "name a Python")


def nothing_seen(target: Target, outcome: Outcome) -> ScriptError:
    """What to say of a script that left no run log."""
    name = f"-m {target.path}" if target.is_module else target.path
    if outcome.reason == "no_step":
        return ScriptError(
            f"{name} made no update within the start limit, and nothing of a training was seen",
            "raise --start-limit if it prepares its data for longer",
        )
    if outcome.exit_code:
        return ScriptError(
            f"{name} failed with exit code {outcome.exit_code} before anything of a training was seen",
            _advice(target, name, outcome.exit_code),
        )
    return ScriptError(
        f"{name} ended, and nothing of a PyTorch training was seen",
        "pass the arguments that make it train; Python's -I and -E, and a process that starts others with a "
        "cleared environment, hide the training; of gradients by torch.func alone none is seen: call backward()",
    )


def _advice(target: Target, name: str, exit_code: int) -> str:
    if not _has_torch(target.python):
        return f"{target.python} has no PyTorch; name the Python that the script is run with by --python"
    if exit_code == _USAGE:
        return f"see what it wrote; its arguments stand behind it: rnn-doctor check {name} ARGS..."
    return "see what it wrote; run it with Python alone until it trains"


def _has_torch(python: str) -> bool:
    """Whether an interpreter finds torch; so too where it does not tell."""
    look = "import importlib.util, sys; sys.exit(3 if importlib.util.find_spec('torch') is None else 0)"
    try:
        return (
            subprocess.run([python, "-c", look], capture_output=True, timeout=10, check=False).returncode != 3
        )
    except (OSError, subprocess.TimeoutExpired):
        return True


def _interpreter(python: str | None, origin: str) -> str:
    if python is None:
        return sys.executable
    found = shutil.which(python)
    if found is None:
        raise SettingsError(
            f"{origin}: {python!r} is not an executable file",
            "give the path of a Python, e.g. .venv/bin/python",
        )
    return found
