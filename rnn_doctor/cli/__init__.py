"""The command line. `run` is the only place that turns an error into an exit code."""

import importlib
import os
import traceback
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import click

from rnn_doctor import __version__
from rnn_doctor.cli import exit_codes, output
from rnn_doctor.errors import DoctorError

COMMANDS = ("check", "try", "record", "diagnose", "report", "compare", "rule", "schema")
_MODULES = {"try": "trying"}
"""Where a command's name is a word of Python's."""


class _Lazy(click.Group):
    """A group whose commands are imported when they are named; none of them imports a stage by itself."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of a first use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"rnn_doctor.cli.{_MODULES.get(cmd_name, cmd_name)}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command; a script in its place is met with the line to type."""
        name = args[0]
        if name not in COMMANDS and Path(name).suffix == ".py":
            ctx.fail(f"{name!r} is a script, not a command; type `rnn-doctor check {name}`")
        if name not in COMMANDS and (close := get_close_matches(name, COMMANDS, n=1)):
            ctx.fail(f"no command {name!r} (did you mean {close[0]!r}?)")
        return super().resolve_command(ctx, args)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="rnn-doctor", message="%(prog)s %(version)s")
def main() -> None:
    """A training doctor for PyTorch recurrent networks.

    It runs a training script, unchanged, for some steps, and says what keeps the network from learning,
    where in the code, how sure that is, and what helps.

    \b
    Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage or unreadable input,
    3 the script failed or ended too early to judge it, 130 interrupted.
    """


def run(args: Sequence[str] | None = None) -> int:
    """The exit code of a command line; whatever went wrong has been said on stderr."""
    try:
        code = main.main(args=args, prog_name="rnn-doctor", standalone_mode=False)
        return code if isinstance(code, int) else exit_codes.OK
    except (Exception, KeyboardInterrupt) as error:
        return _failed(error)


def _failed(error: BaseException) -> int:
    """The exit code of an error, which is told on stderr."""
    match error:
        case DoctorError():
            output.say(error.message, error.hint)
            return error.exit_code
        case click.exceptions.NoArgsIsHelpError():
            click.echo(error.format_message(), err=True)
        case click.UsageError():
            path = error.ctx.command_path if error.ctx else "rnn-doctor"
            output.say(error.format_message(), f"`{path} --help` shows how it is used")
        case click.ClickException():
            output.say(error.format_message())
        case click.Abort() | KeyboardInterrupt():
            output.say("interrupted")
            return exit_codes.INTERRUPTED
        case _:
            _tell_bug(error)
    return exit_codes.USAGE


def _tell_bug(error: BaseException) -> None:
    if os.environ.get("RNN_DOCTOR_DEBUG") == "1":
        traceback.print_exception(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    what = " ".join(f"{type(error).__name__}: {error}".split())
    output.say(
        f"internal error, a bug of rnn-doctor and not of your script: {what} "
        f"({Path(last.filename).name}:{last.lineno})",
        "to report it, run the command again with RNN_DOCTOR_DEBUG=1 and send the traceback and "
        f"`rnn-doctor --version` (this is {__version__}) to its issue tracker",
    )
