"""What the user asked for: flags over `[tool.rnn-doctor]` of the nearest pyproject.toml over defaults."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, ValidationError

from rnn_doctor.errors import SettingsError
from rnn_doctor.schema.values import Frozen

Format = Literal["terminal", "json"]
FailOn = Literal["error", "warning", "note", "never"]
Validate = Literal["auto", "off"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "format": get_args(Format),
    "fail_on": get_args(FailOn),
    "validate": get_args(Validate),
}
TABLE = "tool.rnn-doctor"


def _no_bool(value: Any) -> Any:
    """The value; Python would take `steps = true` for the number 1."""
    if isinstance(value, bool):
        raise ValueError("a number, not true or false")
    return value


def _split(value: Any) -> Any:
    """Comma-separated text, or a list of such texts, as a tuple of its parts."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, (list, tuple)) or not all(isinstance(text, str) for text in texts):
        return value
    return tuple(part.strip() for text in texts for part in text.split(",") if part.strip())


Whole = Annotated[int, BeforeValidator(_no_bool), Field(ge=1)]
Seconds = Annotated[float, BeforeValidator(_no_bool), Field(gt=0, allow_inf_nan=False)]
Names = Annotated[tuple[str, ...], BeforeValidator(_split)]

# Each description completes the sentence "... is not", which is the whole message for a bad value.


class Settings(Frozen):
    """Every setting; its key in the file and its flag have the same name, written with dashes."""

    steps: Whole | Literal["all"] = Field(50, description='a whole number of at least 1, or "all"')
    time_limit: Seconds = Field(120.0, description="a number of seconds above 0")
    start_limit: Seconds = Field(600.0, description="a number of seconds above 0")
    validation: Validate = Field(
        "auto", alias="validate", description=f"one of {', '.join(get_args(Validate))}"
    )
    """Its key is `validate`, a name that pydantic's models have taken."""
    format: Format = Field("terminal", description=f"one of {', '.join(get_args(Format))}")
    output: Path | None = Field(None, description="a path")
    fail_on: FailOn = Field("error", description=f"one of {', '.join(get_args(FailOn))}")
    select: Names = Field((), description="a list of rule ids, id prefixes or names")
    ignore: Names = Field((), description="a list of rule ids, id prefixes or names")
    rules: tuple[Path, ...] = Field((), description="a folder, or a list of folders, that hold rule files")
    preview: bool = Field(False, description="true or false")
    lag: Whole | None = Field(None, description="a whole number of at least 1")
    python: str | None = Field(None, description="the path of a Python interpreter")
    quiet: bool = Field(False, description="true or false")
    verbose: bool = Field(False, description="true or false")

    @property
    def step_limit(self) -> int | None:
        """The number of steps to observe; None for all of them."""
        return None if self.steps == "all" else self.steps


FIELDS = {info.alias or name: info for name, info in Settings.model_fields.items()}
"""The settings by their keys, with underscores."""


def resolve(flags: Mapping[str, Any], folder: Path) -> Settings:
    """Settings from the flags that were given (the others are None) and from the file nearest to a folder.

    Raises: SettingsError: a key is unknown or a value is not what its key holds.
    """
    given = {key: value for key, value in flags.items() if value is not None and value != ()}
    file = _nearest_table(folder)
    path, kept = file or (None, {})
    if given.get("quiet") or given.get("verbose"):
        # The one given on the command line replaces the other, should the file set it.
        kept = {key: value for key, value in kept.items() if key not in ("quiet", "verbose")}
    try:
        settings = Settings.model_validate(kept | given)
    except ValidationError as error:
        raise _bad_value(error, given, path) from None
    if settings.quiet and settings.verbose:
        raise SettingsError("quiet and verbose exclude each other", "keep one of them")
    return settings


def _nearest_table(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The first pyproject.toml upward from the folder that has our table, with the table checked for keys."""
    for parent in (folder, *folder.parents):
        path = parent / "pyproject.toml"
        if not path.is_file():
            continue
        table = _read(path).get("tool", {}).get("rnn-doctor")
        if table is not None:
            return path, _known(path, table)
    return None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}", "correct the file") from None


def _known(path: Path, table: Any) -> dict[str, Any]:
    """The table with its keys as fields, and its paths relative to the file's folder."""
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: {TABLE} is not a table", f"write [{TABLE}] and one key a line")
    result: dict[str, Any] = {}
    for key, value in table.items():
        field = key.replace("-", "_")
        if field not in FIELDS:
            options = [name.replace("_", "-") for name in FIELDS]
            raise SettingsError(
                f"{path}: [{TABLE}] has no key {key!r}{did_you_mean(key.replace('_', '-'), options)}",
                f"the keys are {', '.join(options)}",
            )
        if field in result:
            raise SettingsError(f"{path}: [{TABLE}] sets {key!r} twice", "keep one of them")
        result[field] = _relative(path.parent, field, value)
    return result


def _relative(folder: Path, field: str, value: Any) -> Any:
    """Paths of the file are relative to the file; a bare interpreter name is looked up on PATH instead."""
    if field == "rules" and isinstance(value, str):
        value = [value]
    if field == "rules" and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [folder / item for item in value]
    if (field == "output" and isinstance(value, str)) or (
        field == "python" and isinstance(value, str) and "/" in value
    ):
        return str(folder / value)
    return value


def _bad_value(error: ValidationError, given: Mapping[str, Any], path: Path | None) -> SettingsError:
    """The first complaint of pydantic in the user's terms: where, what was given, what belongs there."""
    first = error.errors(include_url=False)[0]
    field = str(first["loc"][0])
    key = field.replace("_", "-")
    value = given.get(field, first["input"])
    info = FIELDS[field]
    where = f"--{key}" if field in given else f"{path}: [{TABLE}] {key}"
    hint = did_you_mean(str(value), list(_CHOICES.get(field, ())))
    return SettingsError(f"{where}: {value!r} is not {info.description}{hint}", "correct the value")


def did_you_mean(word: str, options: list[str]) -> str:
    """` (did you mean 'x'?)` for the closest option, or nothing where none is close."""
    close = get_close_matches(word, options, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
