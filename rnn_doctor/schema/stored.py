"""Reports from the JSON files that they were stored in."""

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from rnn_doctor.errors import ReportError
from rnn_doctor.schema.report import SCHEMA_VERSION, Report

_SEVERAL: TypeAdapter[list[Report]] = TypeAdapter(list[Report])
_MADE_BY = "a report is made by `rnn-doctor check -f json -o report.json` or `diagnose -f json`"


def read(path: Path) -> list[Report]:
    """The report in a file, or the reports of the list in it.

    Raises: ReportError: the file is missing, or holds no report that this version can read.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror or error}", "name a report that exists") from None
    try:
        if text.lstrip()[:1] == b"[":
            return _SEVERAL.validate_json(text)
        return [Report.model_validate_json(text)]
    except ValidationError as error:
        if _is_run_log(text):
            raise ReportError(
                f"{path}: no report of rnn-doctor but a run log",
                f"`rnn-doctor diagnose {path}` reports on it",
            ) from None
        raise _refused(path, error) from None


def _is_run_log(text: bytes) -> bool:
    """Whether the first line is a record of a run log."""
    try:
        first = json.loads(text.lstrip().split(b"\n", 1)[0])
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and "record" in first


def _refused(path: Path, error: ValidationError) -> ReportError:
    """What is wrong first, where it is, and whether another version may know better."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["loc"][-1:] == ("schema_version",) and isinstance(first["input"], int):
        return ReportError(
            f"{path}: report schema version {first['input']}, this rnn-doctor reads up to {SCHEMA_VERSION}",
            "upgrade rnn-doctor",
        )
    if first["type"] == "missing" and first["loc"][-1:] == ("tool",):
        return ReportError(f"{path}: no report of rnn-doctor", _MADE_BY)
    if first["type"] == "extra_forbidden":
        return ReportError(
            f"{path}: the report holds {place}, which this rnn-doctor does not know", "upgrade it"
        )
    what = " ".join(first["msg"].split())
    return ReportError(f"{path}: no report: {place + ': ' if place else ''}{what}", _MADE_BY)
