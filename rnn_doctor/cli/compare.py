"""`rnn-doctor compare`: what changed from one stored report to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnn_doctor import __version__
from rnn_doctor.cli import exit_codes, judging, options, output
from rnn_doctor.errors import ReportError, SettingsError

if TYPE_CHECKING:
    from rnn_doctor.schema.comparison import Comparison
    from rnn_doctor.schema.report import Report

FORMS = ("terminal", "markdown", "json")


@click.command("compare")
@click.option("-f", "--format", "format", metavar="|".join(FORMS), help="Form of the comparison.  [terminal]")
@click.option("-o", "--output", metavar="FILE", help="Write it there instead of to stdout.")
@options.failing
@click.argument("olds", nargs=-1, required=True, metavar="OLD.json...", shell_complete=options.files)
@click.argument("new", metavar="NEW.json", shell_complete=options.files)
def command(olds: tuple[str, ...], new: str, **flags: Any) -> int:
    """Show what changed from one report to another: findings, verdicts, and numbers that moved beyond their noise.

    All are JSON reports of `check -f json` or `diagnose -f json`. Several OLD are repeats of one run with other
    seeds; from three on they tell how far each number scatters by itself. Of files that hold several reports those
    on the same script are compared, in JSON as a list.

    \b
    Exit codes: 0 nothing new or worse at or above --fail-on, 1 something is, 2 usage or unreadable input.
    """
    from rnn_doctor.compare.reports import compare
    from rnn_doctor.schema import stored

    asked = flags.pop("format")
    settings = options.settings(flags)
    form = _form(asked, settings.format, settings.output)
    output.check_writable(settings.output)
    before, news = [stored.read(Path(old)) for old in olds], stored.read(Path(new))
    pairs = list(_pairs(before, news))
    if not pairs:
        raise ReportError(
            f"{' and '.join(olds)} and {new} hold no reports on the same script",
            "compare reports on one script",
        )
    comparisons = [compare(repeats, after, version=__version__) for repeats, after in pairs]
    several = len(news) > 1 or any(len(reports) > 1 for reports in before)
    text = _rendered(comparisons, form, several=several, to_file=settings.output is not None)
    if settings.output is None:
        output.to_stdout(text, encoding=None if form == "terminal" else "utf-8")
    else:
        output.to_file(text, settings.output)
    failed = [
        judging.failing(comparison.findings, options.settings(flags, comparison.new.script))
        for comparison in comparisons
    ]
    return exit_codes.FINDINGS if any(failed) else exit_codes.OK


def _form(asked: str | None, kept: str, file: Path | None) -> str:
    """The form that was asked for; else that of the settings or of the file's name, where a comparison has it.

    Raises: SettingsError: a comparison has no such form.
    """
    from rnn_doctor.errors import did_you_mean

    if asked is None and kept not in FORMS and file is not None:
        raise SettingsError(
            f"{file}: a comparison has no form {kept!r}", f"give one of {', '.join(FORMS)} with -f"
        )
    if asked is None:
        return kept if kept in FORMS else FORMS[0]
    if asked not in FORMS:
        raise SettingsError(
            f"--format: {asked!r} is not one of {', '.join(FORMS)}{did_you_mean(asked, list(FORMS))}",
            "correct the value",
        )
    return asked


def _pairs(
    files: Sequence[Sequence[Report]], news: Sequence[Report]
) -> Iterator[tuple[list[Report], Report]]:
    """Each new report with the old ones on its script; of single ones whatever they are on."""
    from rnn_doctor.compare.baseline import on_script

    for new in news:
        olds = [
            old
            for reports in files
            for old in (reports if len(reports) == len(news) == 1 else on_script(reports, new))
        ]
        if olds:
            yield olds, new
        else:
            output.say(f"there is no older report on {new.subject.script}: it is left out")


def _rendered(comparisons: Sequence[Comparison], form: str, *, several: bool, to_file: bool) -> str:
    from rnn_doctor.compare.numbers import BASES
    from rnn_doctor.render import comparison, comparison_markdown

    if form == "json":
        texts = [comparison.as_json(each) for each in comparisons]
        return "[\n" + ",\n".join(text.strip() for text in texts) + "\n]\n" if several else texts[0]
    if form == "markdown":
        return "\n".join(comparison_markdown.render(each, BASES) for each in comparisons)
    shape: dict[str, Any] = {} if to_file else {"width": output.width(), "color": output.colored()}
    return "\n".join(comparison.render(each, BASES, **shape) for each in comparisons)
