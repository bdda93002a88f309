"""`rnn-doctor schema`: the published formats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

import click

from rnn_doctor.cli import exit_codes, options, output
from rnn_doctor.errors import DoctorError

NAMES = ("report", "comparison", "runlog", "rule", "remedy")
_VERSION = 1
_SHOWN = 10
"""Problems listed of a file; one mistake repeated on every line of a log should not fill the screen."""


@click.command("schema")
@click.argument("name", metavar="|".join(NAMES), default="", shell_complete=options.words("|".join(NAMES)))
@click.option(
    "--check", "file", metavar="FILE", help="Hold a file against the schema instead of printing it."
)
def command(name: str, file: str | None) -> int:
    """Print the JSON Schema of a format, or hold a file against it.

    A run log is checked line by line (its schema describes one record); rules and remedies are TOML.

    \b
    Exit codes: 0 printed or valid, 2 not valid or not readable.
    """
    if name not in NAMES:
        raise _unknown(name)
    text = published(name)
    if file is None:
        output.to_stdout(text)
        return exit_codes.OK
    path = Path(file)
    problems = list(_problems(name, path, json.loads(text)))
    for problem in problems[:_SHOWN]:
        output.say(problem)
    if len(problems) > _SHOWN:
        output.say(f"{path}: {len(problems) - _SHOWN} more problems")
    if problems:
        return exit_codes.USAGE
    output.to_stdout(f"{path}: a valid {name} (schema version {_VERSION})")
    return exit_codes.OK


def _unknown(name: str) -> DoctorError:
    if not name:
        return DoctorError("no format was named", f"name one of {', '.join(NAMES)}")
    close = get_close_matches(name, NAMES, n=1)
    suggestion = f" (did you mean {close[0]!r}?)" if close else ""
    return DoctorError(f"no format {name!r}{suggestion}", f"name one of {', '.join(NAMES)}")


def published(name: str) -> str:
    """The text of a schema that ships with rnn-doctor."""
    return (files("rnn_doctor.schema.published") / f"{name}-{_VERSION}.schema.json").read_text(
        encoding="utf-8"
    )


def _problems(name: str, path: Path, schema: dict[str, Any]) -> Iterator[str]:
    """One sentence for each way in which the file breaks the schema."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match, relevance

    # Of the kinds of record in a log only the one that the line names is worth speaking of.
    kinds = schema.get("discriminator", {}).get("mapping", {})
    validators = {
        kind: Draft202012Validator({"$ref": reference, "$defs": schema["$defs"]})
        for kind, reference in kinds.items()
    }
    whole = Draft202012Validator(schema)
    for where, document in _documents(name, path):
        kind = document.get("record") if isinstance(document, dict) else None
        if validators and kind not in validators:
            yield f"{where}: {kind!r} is no kind of record"
            continue
        for error in sorted(validators.get(kind, whole).iter_errors(document), key=relevance):
            deepest = best_match([error]) or error
            place = deepest.json_path if deepest.json_path != "$" else "the document"
            yield f"{where}: {place}: {' '.join(deepest.message.split())[:300]}"


def _documents(name: str, path: Path) -> Iterator[tuple[str, Any]]:
    """The documents in a file, each with how to refer to it."""
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
        if name in ("rule", "remedy"):
            yield str(path), tomllib.loads(text)
        elif name in ("report", "comparison"):
            yield str(path), json.loads(text)
        else:
            lines = text.splitlines(keepends=True)
            for number, line in enumerate(lines, 1):
                if line.endswith("\n"):  # What a killed process left of its last line is no error.
                    yield f"{path}:{number}", json.loads(line)
    except OSError as error:
        raise DoctorError(f"{path}: {error.strerror or error}", "name a file that exists") from None
    except RecursionError:
        raise DoctorError(f"{path}: nested too deeply", "correct the file") from None
    except ValueError as error:
        kind = "TOML" if name in ("rule", "remedy") else "JSON"
        raise DoctorError(f"{path}: not {kind}: {error}", "correct the file") from None
