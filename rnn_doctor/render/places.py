"""Source locations as review tools want them: URIs, lines from 1 on, and a file for every finding."""

import hashlib
import json
import re
import unicodedata
from urllib.parse import quote

from rnn_doctor.schema.report import Finding, Report
from rnn_doctor.schema.values import Location

_LONGEST = 4096
"""Characters of a path, as many as Linux allows."""
_DIGITS = 32
_DRIVE = re.compile(r"[A-Za-z]:/")


def path(file: str) -> str:
    """The path with forward slashes, on whatever machine it was seen, and with nothing that steers a screen."""
    posix = file[:_LONGEST].replace("\\", "/")
    return "".join("?" if unicodedata.category(c).startswith("C") else c for c in posix)


def uri(file: str) -> tuple[str, bool]:
    """The path as a URI, and whether it is relative to the working directory."""
    posix = path(file)
    if posix.startswith("/"):
        return f"file://{_quoted(posix)}", False
    if _DRIVE.match(posix):
        return f"file:///{posix[0]}:{_quoted(posix[2:])}", False
    return _quoted(posix), not posix.startswith("~")


def line(location: Location) -> int | None:
    """The line, where it is one: editors count from 1."""
    return location.line if location.line >= 1 else None


def file_of(finding: Finding, report: Report) -> str | None:
    """The file of the finding, or else the script: review tools drop what belongs to no file.

    None where a module was run by its name, and no layer tells in which file it stands.
    """
    if finding.location and finding.location.file:
        return finding.location.file
    if not report.subject.script.startswith("-m "):
        return report.subject.script or None
    return next((layer.location.file for layer in report.subject.recurrent if layer.location), None)


def _quoted(posix: str) -> str:
    return quote(posix, safe="/~", errors="replace")


def mark(finding: Finding, report: Report) -> str:
    """What the finding is recognized by among those of other scripts, after its line has moved: hexadecimal digits."""
    own = finding.fingerprint or json.dumps([finding.rule, finding.subject, file_of(finding, report)])
    return hashlib.sha256(json.dumps([report.subject.script, own]).encode()).hexdigest()[:_DIGITS]
