"""Flags, settings and documentation name the same things."""

from typing import get_args

import click
import pytest
from click.shell_completion import ShellComplete

from rnn_doctor.cli import COMMANDS, main
from rnn_doctor.render import FORMATS
from rnn_doctor.settings import FIELDS, FailOn, Format, MinConfidence, Validate
from tests.generated import ROOT

_NOT_SETTINGS = {"log", "only", "module", "words", "runs", "name", "file", "tested", "help", "old", "new"}
"""What names an input or the log of one call, and has no place in a file of settings."""
_FILE_ALONE = {"thresholds"}
"""Settings that have no flag."""


def options(name: str) -> dict[str, click.Option]:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    return {p.name: p for p in command.params if isinstance(p, click.Option) and p.name}


def test_every_setting_has_a_flag() -> None:
    """That of `check`; what tells of foreign logs alone, that of `diagnose`, and of trials that of `try`."""
    of_trials = {"repeats", "remedy"}
    assert set(options("check")) - _NOT_SETTINGS == set(FIELDS) - _FILE_ALONE - {"map"} - of_trials
    assert "map" in options("diagnose")
    assert of_trials <= set(options("try"))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_is_a_setting_under_its_own_name(name: str) -> None:
    for key, option in options(name).items():
        if key not in _NOT_SETTINGS:
            assert key in FIELDS
            assert f"--{key.replace('_', '-')}" in option.opts
            assert option.default in (None, ()) or "UNSET" in repr(option.default), "the file decides"


def test_the_formats_are_those_that_can_be_rendered() -> None:
    assert get_args(Format) == tuple(FORMATS)


@pytest.mark.parametrize(
    ("key", "choices"),
    [
        ("format", get_args(Format)),
        ("fail_on", get_args(FailOn)),
        ("min_confidence", get_args(MinConfidence)),
        ("validate", get_args(Validate)),
    ],
)
def test_help_names_the_choices(key: str, choices: tuple[str, ...]) -> None:
    assert options("check")[key].metavar == "|".join(choices)


@pytest.mark.parametrize(
    "key", ["steps", "time_limit", "start_limit", "validate", "format", "fail_on", "min_confidence"]
)
def test_help_names_the_default(key: str) -> None:
    default = FIELDS[key].default
    shown = f"{default:g}" if isinstance(default, float) else str(default)
    text = options("check")[key].help or ""
    assert f"[{shown}" in text


def test_the_guide_explains_every_setting() -> None:
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    for key, field in FIELDS.items():
        row = next(
            (line for line in guide.splitlines() if line.startswith(f"| `{key.replace('_', '-')}` |")), None
        )
        assert row, f"docs/guide.md has no row for {key}"
        default = field.default
        if default not in (None, (), False, {}):
            shown = f"{default:g}" if isinstance(default, float) else str(default)
            assert f"| {shown} |" in row


@pytest.mark.parametrize(
    ("words", "begun", "offered"),
    [
        (["check", "-f"], "m", [("plain", "markdown")]),
        (["check", "--steps", "5", "--fail-on"], "ne", [("plain", "never")]),
        (["check"], "tr", [("file", "tr")]),
        (["check", "train.py", "--data"], "da", [("file", "da")]),
        (["diagnose", "-o", "a.md"], "ru", [("file", "ru")]),
        (["report"], "he", [("file", "he")]),
        (["schema"], "ru", [("plain", "runlog"), ("plain", "rule")]),
        ([], "dia", [("plain", "diagnose")]),
    ],
)
def test_what_a_shell_offers(words: list[str], begun: str, offered: list[tuple[str, str]]) -> None:
    found = ShellComplete(main, {}, "rnn-doctor", "_RNN_DOCTOR_COMPLETE").get_completions(words, begun)
    assert [(item.type, item.value) for item in found] == offered
