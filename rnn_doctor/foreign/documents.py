"""Metrics as one JSON document: Hugging Face's trainer_state.json, the history of Keras, lists of objects."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rnn_doctor.errors import RunLogError
from rnn_doctor.foreign import columns, texts
from rnn_doctor.foreign.long_form import told_apart
from rnn_doctor.foreign.rows import Row, Rows, flat, number


def load(path: Path) -> Any:
    """The document.

    Raises: RunLogError: the file is not JSON.
    """
    try:
        with texts.opened(path) as file:
            return json.load(file)
    except ValueError as error:
        raise RunLogError(
            f"{path}: not JSON: {error}", "the file is damaged, or was not written to its end"
        ) from None


def trainer_state(path: Path) -> Rows:
    """The log history of a Hugging Face Trainer."""
    yield from (Row(flat(entry)) for entry in load(path)["log_history"] if isinstance(entry, Mapping))
    return False


def history(path: Path) -> Rows:
    """Lists of values by metric, one value an epoch: `json.dump(model.fit(...).history, file)`; or lists of objects.

    Where lists of values differ in length, such as losses of batches beside those of epochs, the values of the shorter
    ones are spread evenly over the longest.
    """
    document = indexed(load(path))
    found, listed = lists(document), dict(records(document))
    if listed and not any(map(columns.guess, found)):
        for name, entries in listed.items():
            part = {"part": name.rpartition("/")[2]}
            yield from (Row(told_apart(part, told_apart(entry, flat(entry)))) for entry in entries)
        return False
    longest = max(map(len, found.values()))
    counted = any(name.rpartition("/")[2] in ("epoch", "epochs", "step", "steps") for name in found)
    rows: list[dict[str, float]] = [{} for _ in range(longest)]
    for name, values in found.items():
        for k, value in enumerate(values, 1):
            if (read := number(value)) is not None:
                rows[round(k * longest / len(values)) - 1][name] = read
    by_epoch = not counted and all(len(values) == longest for values in found.values())
    yield from (Row(row | ({"epoch": float(k)} if by_epoch else {})) for k, row in enumerate(rows))
    return False


def indexed(document: Any) -> Any:
    """The document with lists for objects whose keys count: `{"0": 0.7, "1": 0.6}`, as pandas writes columns."""
    if not isinstance(document, Mapping):
        return document
    if len(document) > 1 and all(key.isdecimal() for key in document):
        return [indexed(document[key]) for key in sorted(document, key=int)]
    return {key: indexed(value) for key, value in document.items()}


def is_history(document: Any) -> bool:
    """Whether there are lists of values or of objects in it."""
    found = indexed(document)
    return bool(lists(found)) or any(True for _ in records(found))


def records(document: Any, prefix: str = "") -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """The lists of objects with numbers, by their keys joined with `/`."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield from records(value, f"{prefix}/{key}" if prefix else key)
    elif isinstance(document, list):
        entries = [entry for entry in document if isinstance(entry, Mapping) and flat(entry)]
        if entries:
            yield prefix, entries


def lists(document: Any, prefix: str = "") -> dict[str, list[Any]]:
    """The lists of numbers in nested objects, by their keys joined with `/`."""
    found: dict[str, list[Any]] = {}
    for key, value in document.items() if isinstance(document, Mapping) else ():
        if isinstance(value, Mapping):
            found |= lists(value, f"{prefix}{key}/")
        elif isinstance(value, list) and any(number(each) is not None for each in value):
            found[f"{prefix}{key}"] = value
    return found


def objects(path: Path) -> Rows:
    """A list of objects, one a row."""
    yield from (Row(told_apart(entry, flat(entry))) for entry in load(path) if isinstance(entry, Mapping))
    return False


def lines(path: Path) -> Rows:
    """JSON Lines: an object a line.

    Raises: RunLogError: a line before the last is no JSON object.
    """
    with texts.opened(path) as file:
        for count, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
            except ValueError:
                if not line.endswith("\n"):
                    return True
                entry = None
            if not isinstance(entry, Mapping):
                raise RunLogError(
                    f"{path}:{count}: not a JSON object", "take the line out, or cut the log before it"
                )
            yield Row(told_apart(entry, flat(entry)))
    return False
