"""Paths as the run log shows them: relative where possible, never with the name of a home directory."""

from __future__ import annotations

import os
import re

_START = os.getcwd()  # scripts change directory; the user knows the files from where the command was typed
_HOME = os.path.expanduser("~")
_BEFORE, _AFTER = r"(?<![\w.-])", r"(?![\w.-])"
"""/root is no part of /mnt/root, and no beginning of /rootfs."""


def shown(path: str) -> str:
    """The path relative to the directory the script was started in, or with `~` for the home directory."""
    absolute = os.path.abspath(path)
    if absolute.startswith(_START + os.sep):
        return os.path.relpath(absolute, _START)
    return masked(absolute)


def masked(text: str) -> str:
    """The text with the working directory and the home directory shortened."""
    if len(_START) > 1:
        text = re.sub(_BEFORE + re.escape(_START + os.sep), "", text)
    if len(_HOME) > 1:
        text = re.sub(_BEFORE + re.escape(_HOME) + _AFTER, "~", text)
    return text
