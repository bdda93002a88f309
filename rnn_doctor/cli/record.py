"""`rnn-doctor record`: the run log alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rnn_doctor.cli import exit_codes, options, output, recording
from rnn_doctor.cli.script import ScriptCommand, tell_of_options_given_to_the_script
from rnn_doctor.errors import SettingsError
from rnn_doctor.targets import target


class _RecordCommand(ScriptCommand):
    """`record` needs -o, so when it does not stand before SCRIPT, one at the end of the line is ours.

    `record train.py --epochs 3 -o run.jsonl --steps all` would be refused otherwise; with an -o before
    SCRIPT everything behind it is the script's, as for `check`.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        start = self.start_of_script(ctx, args)
        ours = {"-o", "--output"}
        if start is not None and not any(_names(word, ours) for word in args[:start]):
            ends = [i for i in range(start, len(args)) if _names(args[i], ours)]
            if ends:
                args = [*args[ends[-1] :], *args[: ends[-1]]]
        return super().parse_args(ctx, args)


def _names(word: str, options_: set[str]) -> bool:
    return word in options_ or word.startswith("--output=")


@click.command("record", cls=_RecordCommand)
@click.option("-o", "--output", "log", metavar="FILE", help="The run log to write (JSON Lines); required.")
@options.observing
@options.speaking
@options.script
def command(module: str | None, words: tuple[str, ...], log: str | None, **flags: Any) -> int:
    """Run a training script and write its run log; `rnn-doctor diagnose` makes the report.

    Our options stand before SCRIPT; -o FILE, and options of ours that follow it, may also close the line.
    --steps all observes a whole training.

    \b
    Exit codes: 0 recorded, 2 usage or unreadable input, 3 the script failed or made no update,
    130 interrupted. The log is written in each of the last two cases too, if anything was seen.
    """
    from rnn_doctor import observed
    from rnn_doctor.schema import reading

    settings = options.settings(flags, module or (words[0] if words else None))
    if log is None:
        raise SettingsError(
            "no file for the run log was named", "type `rnn-doctor record -o run.jsonl train.py`"
        )
    what = target(module, words, settings.python, origin=settings.origin("python"))
    if not settings.quiet:
        tell_of_options_given_to_the_script(click.get_current_context(), module, words)
    with recording.place(Path(log)) as place:
        outcome = recording.run(what, place.path, settings)
    if outcome.log is None:
        output.say("interrupted before anything of a training was seen")
        return exit_codes.INTERRUPTED
    found = reading.read(outcome.log)
    if not settings.quiet:
        output.say(f"{outcome.log}: {observed.seen(found)}; {observed.observation(found).stopped}")
    if outcome.reason == "interrupted":
        return exit_codes.INTERRUPTED
    return exit_codes.SCRIPT if observed.failure(found) or not found.steps else exit_codes.OK
