"""What the user asked for: flags over `[tool.rnn-doctor]` of the nearest pyproject.toml over defaults.

Of that table, what `[[tool.rnn-doctor.per-script]]` says of the script under examination goes before the rest.
"""

import math
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError

from rnn_doctor.errors import SettingsError, did_you_mean
from rnn_doctor.schema.rule import ConfidenceWord
from rnn_doctor.schema.values import Frozen

Format = Literal["terminal", "json", "markdown", "github", "gitlab", "sarif", "junit", "html"]
FailOn = Literal["error", "warning", "note", "never"]
Validate = Literal["auto", "off"]

MinConfidence = Literal["hint", "moderate", "high", "certain"]
MIN_CONFIDENCES: tuple[ConfidenceWord, ...] = get_args(MinConfidence)
"""From the least sure; findings below the one that is asked for do not fail the gate."""

_CHOICES: dict[str, tuple[str, ...]] = {
    "format": get_args(Format),
    "fail_on": get_args(FailOn),
    "min_confidence": MIN_CONFIDENCES,
    "validate": get_args(Validate),
}
TABLE = "tool.rnn-doctor"
MANIFEST = "check"
"""The list of scripts in our table, which is no setting: `manifest` reads it."""
_PER_SCRIPT = "per_script"
ONCE = ("format", "output", "quiet", "verbose", "jobs")
"""What holds for a whole call, and cannot differ from script to script."""

SUFFIXES: Mapping[str, Format] = {
    ".json": "json",
    ".md": "markdown",
    ".sarif": "sarif",
    ".sarif.json": "sarif",
    ".xml": "junit",
    ".html": "html",
}
"""What the name of an output file says of its format, where no format is given."""


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


def _listed(value: Any) -> Any:
    """A single text as a list of one."""
    return [value] if isinstance(value, str) else value


Whole = Annotated[int, BeforeValidator(_no_bool), Field(ge=1)]
Repeats = Annotated[int, BeforeValidator(_no_bool), Field(ge=2)]
Seconds = Annotated[float, BeforeValidator(_no_bool), Field(gt=0, allow_inf_nan=False)]
Thresholds = dict[str, dict[str, float | tuple[float, float]]]
"""By rule, as id or name, and signal."""
Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Pairs = Annotated[tuple[str, ...], BeforeValidator(_listed)]

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
    min_confidence: MinConfidence = Field("hint", description=f"one of {', '.join(MIN_CONFIDENCES)}")
    baseline: Path | None = Field(None, description="a path")
    select: Names = Field((), description="a list of rule ids, id prefixes or names")
    ignore: Names = Field((), description="a list of rule ids, id prefixes or names")
    rules: tuple[Path, ...] = Field((), description="a folder, or a list of folders, that hold rule files")
    preview: bool = Field(False, description="true or false")
    map: Pairs = Field((), description="a list of texts such as train_loss=COLUMN")
    deep: bool = Field(False, description="true or false")
    lag: Whole | None = Field(None, description="a whole number of at least 1")
    repeats: Repeats = Field(3, description="a whole number of at least 2")
    remedy: Names = Field((), description="a list of ids of remedies")
    python: str | None = Field(None, description="the path of a Python interpreter")
    jobs: Whole | None = Field(None, description="a whole number of at least 1")
    quiet: bool = Field(False, description="true or false")
    verbose: bool = Field(False, description="true or false")
    thresholds: Thresholds = Field({}, description="a table")
    """In the file alone."""
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    def origin(self, key: str) -> str:
        """Where a setting was set, for errors: `--select`, or the file with table and key.

        A threshold is asked for as `thresholds.RD303.clip_share`.
        """
        return self._origins.get(key, f"--{key.partition('.')[0].replace('_', '-')}")

    @property
    def step_limit(self) -> int | None:
        """The number of steps to observe; None for all of them."""
        return None if self.steps == "all" else self.steps


FIELDS = {info.alias or name: info for name, info in Settings.model_fields.items()}
"""The settings by their keys, with underscores."""


def resolve(
    flags: Mapping[str, Any],
    folder: Path,
    script: str | None = None,
    *,
    origins: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from the flags that were given (the others are None) and from the file nearest to a folder.

    With a script, the path or the module name that is examined, also from the file's tables for such scripts.
    `origins` says of flags that are none where they were set.

    Raises: SettingsError: a key is unknown or a value is not what its key holds.
    """
    given = {key: value for key, value in flags.items() if value is not None and value != ()}
    table, told = _from_file(folder, script)
    given, kept = _with_format(given), _with_format(table)
    if given.get("quiet") or given.get("verbose"):
        # The one given on the command line replaces the other, should the file set it.
        kept = {key: value for key, value in kept.items() if key not in ("quiet", "verbose")}
    _check(given, lambda key: f"--{key}")
    settings = Settings.model_validate(kept | given)
    if settings.quiet and settings.verbose:
        raise SettingsError("quiet and verbose exclude each other", "keep one of them")
    settings._origins.update(
        {key: where for key, where in told.items() if key not in given} | dict(origins or {})
    )
    return settings


def _with_format(values: dict[str, Any]) -> dict[str, Any]:
    """The values with the format that the output file's name tells, where they name a file and no format.

    So a file named on the command line decides over a format in pyproject.toml.
    """
    name = Path(str(values.get("output", ""))).name.lower()
    suffix = max((suffix for suffix in SUFFIXES if name.endswith(suffix)), key=len, default=None)
    return values if suffix is None or "format" in values else values | {"format": SUFFIXES[suffix]}


def nearest_table(folder: Path) -> tuple[Path, Any] | None:
    """The first pyproject.toml upward from the folder that has our table, and the table as it stands there.

    Raises: SettingsError: a file on the way cannot be read.
    """
    for parent in (folder, *folder.parents):
        path = parent / "pyproject.toml"
        if not path.is_file():
            continue
        table = _read(path).get("tool", {}).get("rnn-doctor")
        if table is not None:
            return path, table
    return None


def _from_file(folder: Path, script: str | None) -> tuple[dict[str, Any], dict[str, str]]:
    """What the nearest table says, by the names of the fields, and where it says it."""
    path, table = nearest_table(folder) or (None, {})
    return _of_table(path, table, folder, script) if path else ({}, {})


def _of_table(
    path: Path, table: Any, folder: Path, script: str | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """The table with what it says of the script; all of it is checked, also what belongs to other scripts."""
    kept = _known(path, f"[{TABLE}]", table, [_PER_SCRIPT, *FIELDS])
    several = kept.pop(_PER_SCRIPT, [])
    _check(kept, lambda key: f"{path}: [{TABLE}] {key}")
    origins = dict(_origins(f"{path}: [{TABLE}]", kept))
    if not isinstance(several, list):
        raise SettingsError(f"{path}: [{TABLE}.per-script] is one table", f"write [[{TABLE}.per-script]]")
    fields = ["match", *(field for field in FIELDS if field not in ONCE)]
    for number, each in enumerate(several, 1):
        where = f"[[{TABLE}.per-script]] {number}"
        own = _known(path, where, each, fields)
        patterns = _patterns(own.pop("match", None), f"{path}: {where}")
        _check(own, lambda key, where=where: f"{path}: {where} {key}")  # type: ignore[misc]
        if script is not None and any(_matches(pattern, script, folder, path.parent) for pattern in patterns):
            thresholds = kept.get("thresholds", {})
            kept |= own
            kept["thresholds"] = _merged(thresholds, own.get("thresholds", {}))
            origins |= _origins(f"{path}: {where}", own)
    return kept, origins


def _origins(where: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Where each value stands, by its key; thresholds one by one."""
    for field, value in values.items():
        yield field, f"{where} {field.replace('_', '-')}"
        if field == "thresholds":
            for rule, bounds in value.items():
                yield f"thresholds.{rule}", f"{where} thresholds.{rule}"
                yield from ((f"thresholds.{rule}.{s}", f"{where} thresholds.{rule}.{s}") for s in bounds)


def _merged(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Thresholds of two tables, the newer over the older one by one."""
    return {rule: {**old.get(rule, {}), **new.get(rule, {})} for rule in [*old, *new]}


def _patterns(match: Any, where: str) -> list[str]:
    patterns = [match] if isinstance(match, str) else match
    if not isinstance(patterns, list) or not patterns or not all(isinstance(p, str) and p for p in patterns):
        said = "has no match" if match is None else f"match: {match!r} is not a pattern or a list of patterns"
        raise SettingsError(f"{where} {said}", 'name the scripts, e.g. match = "experiments/*.py"')
    return patterns


def _matches(pattern: str, script: str, folder: Path, home: Path) -> bool:
    """Whether a script is meant: its path from the file's folder, or where the pattern has no slash, its name alone.

    `*` stands for any text, slashes too. A module is meant by its dotted name.
    """
    below = Path.home() / script[2:] if script.startswith("~/") else folder / script
    path = Path(os.path.normpath(below))
    shown = path.relative_to(home).as_posix() if path.is_relative_to(home) else path.as_posix()
    names = (shown, path.as_posix()) if "/" in pattern else (path.name, script.removeprefix("-m "))
    return any(fnmatchcase(name, pattern.removeprefix("./")) for name in names)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise SettingsError(f"{path}: cannot be read: nested too deeply", "correct the file") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}", "correct the file") from None


def _known(path: Path, where: str, table: Any, fields: list[str]) -> dict[str, Any]:
    """The table with its keys as fields, and its paths relative to the file's folder."""
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: {where} is not a table", f"write {where} and one key a line")
    result: dict[str, Any] = {}
    for key, value in table.items():
        if key == MANIFEST and where == f"[{TABLE}]":
            continue
        field = key.replace("-", "_")
        if field not in fields:
            options = [name.replace("_", "-") for name in fields]
            raise SettingsError(
                f"{path}: {where} has no key {key!r}{did_you_mean(key.replace('_', '-'), options)}",
                f"the keys are {', '.join(options)}",
            )
        if field in result:
            raise SettingsError(f"{path}: {where} sets {key!r} twice", "keep one of them")
        result[field] = _relative(path.parent, field, value)
        if field == "thresholds":
            result[field] = _thresholds(value, f"{path}: {where} thresholds")
    return result


def _thresholds(table: Any, where: str) -> dict[str, dict[str, Any]]:
    """The table by rule and signal; `"RD303.clip_share" = 0.5` is `RD303.clip_share = 0.5`."""
    hint = "write one a line, e.g. RD303.clip_ratio_median = 0.05"
    if not isinstance(table, dict):
        raise SettingsError(f"{where}: {table!r} is not a table", hint)
    result: dict[str, dict[str, Any]] = {}
    for key, value in table.items():
        rule, _, signal = key.partition(".")
        bounds = {signal: value} if signal else value
        if not isinstance(bounds, dict):
            raise SettingsError(f"{where}: {key}: {value!r} is not a table of signals", hint)
        for name, bound in bounds.items():
            if not _is_bound(bound):
                raise SettingsError(
                    f"{where}: {rule}.{name}: {bound!r} is not a number, or two as [low, high]", hint
                )
            result.setdefault(rule, {})[name] = tuple(bound) if isinstance(bound, list) else bound
    return result


def _is_bound(value: Any) -> bool:
    numbers = value if isinstance(value, list) and len(value) == 2 else [value]
    return all(type(n) in (int, float) and math.isfinite(n) for n in numbers)


def _relative(folder: Path, field: str, value: Any) -> Any:
    """Paths of the file are relative to the file; a bare interpreter name is looked up on PATH instead."""
    if field == "rules" and isinstance(value, str):
        value = [value]
    if field == "rules" and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [folder / item for item in value]
    if (field in ("output", "baseline") and isinstance(value, str)) or (
        field == "python" and isinstance(value, str) and "/" in value
    ):
        return str(folder / value)
    return value


def _check(values: Mapping[str, Any], where: Callable[[str], str]) -> None:
    """Nothing, where each value is what its key holds.

    Raises: SettingsError: one is not; in the user's terms: where, what was given, what belongs there.
    """
    try:
        Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0])
        value = first["input"]
        hint = did_you_mean(str(value), list(_CHOICES.get(field, ())))
        wanted = FIELDS[field].description
        raise SettingsError(
            f"{where(field.replace('_', '-'))}: {value!r} is not {wanted}{hint}", "correct the value"
        ) from None
