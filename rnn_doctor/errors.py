"""What goes wrong, said so that the user knows what to do. Only `cli/__init__.py` catches these."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

_ID = re.compile(r"[A-Z]{2,8}[0-9]{3}")


class DoctorError(Exception):
    """A message (what and where), a hint (what to do), and the exit code it ends in."""

    exit_code = 2

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SettingsError(DoctorError):
    """An option or a key of `[tool.rnn-doctor]` is wrong."""


class RulebookError(DoctorError):
    """A rule or remedy file is wrong."""


class RunLogError(DoctorError):
    """A run log cannot be read."""


class ScriptError(DoctorError):
    """The user's script failed, or trained too little to judge."""

    exit_code = 3


class ReportError(DoctorError):
    """A stored report cannot be read."""


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the closest option, or nothing where none is close.

    The id of a rule is close only to what begins with it, in small letters too: RD419 is no likelier to be meant by
    RD999 than any other.
    """
    ids: list[str] = []
    words: list[str] = []
    for option in options:
        (ids if _ID.fullmatch(option) else words).append(option)
    close = [each for each in ids if word.upper().startswith(each)] or get_close_matches(word, words, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
