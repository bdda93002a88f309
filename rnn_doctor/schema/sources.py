"""The user's source files, as far as they can be read."""

import tokenize
from collections.abc import Iterable
from pathlib import Path

_LARGEST = 1_000_000
"""Bytes; what is longer was not written by hand, and a log may name any file."""


def read(files: Iterable[str]) -> dict[str, str]:
    """The text of the files, by the names that the run log gives them; those that cannot be read are left out.

    Names are relative to the present directory, or to the home directory behind `~`.
    """
    texts = {file: _text(file) for file in dict.fromkeys(files)}
    return {file: text for file, text in texts.items() if text is not None}


def _text(file: str) -> str | None:
    try:
        path = Path(file).expanduser()
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        with tokenize.open(path) as source:  # in the encoding that the file itself declares
            return source.read()
    except (OSError, ValueError, SyntaxError, RuntimeError):
        return None
