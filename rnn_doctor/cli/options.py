"""Options that commands share. Their values are checked by `settings`, as those of pyproject.toml are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rnn_doctor.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


# No defaults here: None says that a flag was not given, so that the file or the default may decide.
_STEPS = {
    "steps": ("--steps", "N|all", "Parameter updates to observe.  [50]"),
    "time_limit": (
        "--time-limit",
        "SECONDS",
        "Judge what was seen by then, counted from the first step.  [120; none with --steps all]",
    ),
    "start_limit": ("--start-limit", "SECONDS", "Give up when no step comes by then.  [600]"),
    "validate": (
        "--validate",
        "auto|off",
        "Let the script's validation come early by ending its last observed epoch.  [auto]",
    ),
    "python": ("--python", "PATH", "Interpreter that runs the script.  [the one rnn-doctor runs on]"),
}


def observing(command: Command) -> Command:
    """Adds the options on how to run the script."""
    for key, (flag, metavar, text) in reversed(_STEPS.items()):
        command = click.option(flag, key, metavar=metavar, help=text)(command)
    return command


def judging(command: Command) -> Command:
    """Adds the options on how to judge a run log and how to report."""
    many: dict[str, Any] = {"multiple": True}
    for option in reversed(
        [
            click.option(
                "-f", "--format", "format", metavar="terminal|json", help="Form of the report.  [terminal]"
            ),
            click.option(
                "-o", "--output", metavar="FILE", help="Write the report there instead of to stdout."
            ),
            click.option(
                "--fail-on",
                metavar="error|warning|note|never",
                help="Exit with 1 for findings this severe or more.  [error]",
            ),
            click.option(
                "--select", metavar="RULES", help="Use these rules alone: ids, prefixes, names.", **many
            ),
            click.option("--ignore", metavar="RULES", help="Leave these rules out.", **many),
            click.option("--rules", metavar="DIR", help="Add the rules of a folder.", **many),
            click.option("--preview", is_flag=True, default=None, help="Use preview rules too."),
            click.option(
                "--lag",
                metavar="N",
                help="How many time steps back the task needs; judged where it can be measured.",
            ),
        ]
    ):
        command = option(command)
    return command


def speaking(command: Command) -> Command:
    """Adds -q and -v."""
    for option in (
        click.option("-v", "--verbose", is_flag=True, default=None, help="Say more on stderr."),
        click.option("-q", "--quiet", is_flag=True, default=None, help="No progress on stderr; errors stay."),
    ):
        command = option(command)
    return command


def script(command: Command) -> Command:
    """Adds -m and SCRIPT [ARGS...]; the command must be a `ScriptCommand`."""
    command = click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="SCRIPT [ARGS]...")(command)
    module = click.option(
        "-m", "module", metavar="PKG.MOD", help="Run a module as a script; what follows is its own."
    )
    return module(command)


def settings(flags: dict[str, Any]) -> Settings:
    """The settings that hold for these flags in the current directory."""
    from rnn_doctor.settings import resolve

    return resolve(flags, Path.cwd())
