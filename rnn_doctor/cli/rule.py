"""`rnn-doctor rule`: list or explain rules, run the cases of a folder of rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnn_doctor.cli import exit_codes, options, output
from rnn_doctor.errors import RulebookError, SettingsError, did_you_mean

if TYPE_CHECKING:
    from rnn_doctor.schema.rule import Rule
    from rnn_doctor.schema.rulebook import Rulebook


@click.command("rule")
@click.argument("name", required=False, metavar="[ID|NAME]")
@click.option("-f", "--format", "format", metavar="terminal|json", help="Form of the text.  [terminal]")
@click.option("--rules", metavar="DIR", multiple=True, help="Add the rules of a folder.")
@click.option("--test", "tested", metavar="DIR", help="Run the cases of the rules in a folder.")
def command(name: str | None, tested: str | None, **flags: Any) -> int:
    """List the rules, explain one, or run the cases of your own.

    \b
    Exit codes: 0 shown, or all cases are kept, 1 a case is broken, 2 a rule file is wrong.
    """
    from rnn_doctor import pipeline

    settings = options.settings(flags)
    if flags["format"] not in (None, "terminal", "json"):
        raise SettingsError(f"--format: {settings.format!r} is no form of a rule", "give terminal or json")
    if tested is not None:
        return _test(Path(tested), settings.rules)
    from rnn_doctor.render import explain

    book = pipeline.changed_rulebook(settings)[0]
    one = None if name is None else _find(name, book)
    if settings.format == "json":
        text = explain.rule_json(one, book) if one else explain.table_json(book)
        output.to_stdout(text, encoding="utf-8")
    else:
        shape: dict[str, Any] = {"width": output.width(), "color": output.colored()}
        output.to_stdout(explain.rule(one, book, **shape) if one else explain.table(book, **shape))
    return exit_codes.OK


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _find(name: str, book: Rulebook) -> Rule:
    for rule in book.rules.values():
        if name.lower() in (rule.id.lower(), rule.name):
            return rule
    if name.lower() in book.remedies:
        users = [rule.id for rule in book.rules.values() if any(t.use == name.lower() for t in rule.remedy)]
        raise RulebookError(
            f"{name} is a remedy, and no rule",
            f"it is told with its rules: rnn-doctor rule {users[0]}" if users else "no rule uses it",
        )
    names = [text for rule in book.rules.values() for text in (rule.id, rule.name)]
    alike = [f"{rule.id} {rule.name}" for rule in book.rules.values() if name.lower() in rule.name]
    raise RulebookError(
        f"no rule {name!r}{did_you_mean(name, names)}",
        f"there are {', '.join(alike)}" if alike else "`rnn-doctor rule` lists them",
    )


def _test(folder: Path, others: tuple[Path, ...]) -> int:
    """Run the cases of the rules in a folder; the file name of a rule begins with its id."""
    from rnn_doctor import pipeline

    book = pipeline.rulebook((*others, folder))
    rules = [book.rules[path.name.split("-", 1)[0]] for path in sorted(folder.glob("*.toml"))]
    if not rules:
        raise RulebookError(f"{folder}: no rule files", "a rule is a file ID-name.toml")
    logs = (folder, folder / "sample_logs", folder.parent / "sample_logs")
    count, broken = 0, 0
    for rule in rules:
        breaches = [(case, breach) for _, case, breach in pipeline.cases([rule], logs)]
        failed = [(case, breach) for case, breach in breaches if breach]
        count += len(breaches)
        broken += len(failed) if breaches else 1
        output.to_stdout(_told(rule, len(breaches), len(failed)))
        for case, breach in failed:
            output.to_stdout(f"  case {case.name!r} {breach}")
        missing = sorted({"found", "clear", "unknown"} - {case.expect for case, _ in breaches})
        if breaches and missing:
            output.to_stdout(f"  no case expects {' or '.join(missing)}")
    output.to_stdout(f"{_counted(len(rules), 'rule')}, {_counted(count, 'case')}, {broken or 'none'} broken")
    return exit_codes.FINDINGS if broken else exit_codes.OK


def _told(rule: Rule, cases: int, broken: int) -> str:
    if not cases:
        return f"{rule.id} {rule.name}: BROKEN, it has no case, so nothing shows that it works"
    said = f"BROKEN, {broken} of {_counted(cases, 'case')}" if broken else f"{_counted(cases, 'case')} kept"
    return f"{rule.id} {rule.name}: {said}"
