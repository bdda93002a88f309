"""Options that commands share. Their values are checked by `settings`, as those of pyproject.toml are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from rnn_doctor.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


def words(metavar: str) -> Callable[..., list[CompletionItem]]:
    """What a shell offers for an option of these words."""
    return lambda _ctx, _param, begun: [
        CompletionItem(word) for word in metavar.split("|") if word.startswith(begun)
    ]


def files(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """A shell offers its own list of files."""
    return [CompletionItem(begun, type="file")]


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
    return click.option(
        "--deep",
        is_flag=True,
        default=None,
        help="Try in a copy of the process whether the network learns one fixed batch.",
    )(command)


def several(command: Command) -> Command:
    """Adds the options on the scripts of the manifest."""
    jobs = click.option(
        "--jobs",
        metavar="N",
        help="Scripts of pyproject.toml to run at once.  [as many as the cores allow]",
    )
    only = click.option(
        "--only", metavar="NAME", multiple=True, help="Of the scripts of pyproject.toml, check these alone."
    )
    return jobs(only(command))


_FORMATS = "terminal|json|markdown|github|gitlab|sarif|junit|html"
_REPORTING = (
    click.option(
        "-f",
        "--format",
        "format",
        metavar=_FORMATS,
        shell_complete=words(_FORMATS),
        help="Form of the report.  "
        "[terminal, or what the name of -o FILE tells: .json, .md, .sarif, .xml, .html]",
    ),
    click.option(
        "-o",
        "--output",
        metavar="FILE",
        shell_complete=files,
        help="Write the report there instead of to stdout.",
    ),
)


def reporting(command: Command) -> Command:
    """Adds the options on the form of a report and where it goes."""
    for option in reversed(_REPORTING):
        command = option(command)
    return command


_FAILING = (
    click.option(
        "--fail-on",
        metavar="error|warning|note|never",
        shell_complete=words("error|warning|note|never"),
        help="Exit with 1 for findings this severe or more.  [error]",
    ),
    click.option(
        "--min-confidence",
        metavar="hint|moderate|high|certain",
        shell_complete=words("hint|moderate|high|certain"),
        help="Do not fail for findings less sure than this.  [hint]",
    ),
)


def failing(command: Command) -> Command:
    """Adds the options on which findings fail."""
    for option in reversed(_FAILING):
        command = option(command)
    return command


def judging(command: Command) -> Command:
    """Adds the options on how to judge a run log and how to report."""
    many: dict[str, Any] = {"multiple": True}
    for option in reversed(
        [
            *_REPORTING,
            *_FAILING,
            click.option(
                "--baseline",
                metavar="FILE",
                shell_complete=files,
                help="Fail only for what is new or worse than in this JSON report.",
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


def trying(command: Command) -> Command:
    """Adds the options on trials of remedies."""
    for option in (
        click.option("--jobs", metavar="N", help="Runs at once.  [as many as the cores allow]"),
        click.option(
            "--remedy",
            "remedy",
            multiple=True,
            metavar="ID",
            help="Try these remedies alone, asked for or not.",
        ),
        click.option("--repeats", metavar="N", help="Runs of each, with other seeds every time.  [3]"),
    ):
        command = option(command)
    return command


def mapping(command: Command) -> Command:
    """Adds the option on which column of a foreign log is what."""
    return click.option(
        "--map",
        "map",
        multiple=True,
        metavar="ROLE=COLUMN",
        help="Of a foreign log, which column is train_loss, val_loss, learning_rate, grad_norm, step or epoch; "
        "several times.  [by the usual names]",
    )(command)


def speaking(command: Command) -> Command:
    """Adds -q and -v."""
    for option in (
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            default=None,
            help="Say more on stderr, and in the terminal's report the reasons.",
        ),
        click.option("-q", "--quiet", is_flag=True, default=None, help="No progress on stderr; errors stay."),
    ):
        command = option(command)
    return command


def script(command: Command) -> Command:
    """Adds -m and SCRIPT [ARGS...]; the command must be a `ScriptCommand`."""
    command = click.argument(
        "words", nargs=-1, type=click.UNPROCESSED, metavar="SCRIPT [ARGS]...", shell_complete=files
    )(command)
    module = click.option(
        "-m", "module", metavar="PKG.MOD", help="Run a module as a script; what follows is its own."
    )
    return module(command)


def settings(
    flags: dict[str, Any], script: str | None = None, *, origins: dict[str, str] | None = None
) -> Settings:
    """The settings that hold for these flags in the current directory, and for the script, once it is known.

    `origins` says of those that are no flags where they were set.
    """
    from rnn_doctor.settings import resolve

    return resolve(flags, Path.cwd(), script, origins=origins)
