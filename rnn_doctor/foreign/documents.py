"""Metrics as one JSON document: Hugging Face's trainer_state.json, the history of Keras, lists of objects."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_doctor.errors import RunLogError
from rnn_doctor.foreign.rows import Row, Rows, flat, number


def load(path: Path) -> Any:
    """The document.

    Raises: RunLogError: the file is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise RunLogError(
            f"{path}: not JSON: {error}", "the file is damaged, or was not written to its end"
        ) from None


def trainer_state(path: Path) -> Rows:
    """The log history of a Hugging Face Trainer."""
    yield from (Row(flat(entry)) for entry in load(path)["log_history"] if isinstance(entry, Mapping))
    return False


def history(path: Path) -> Rows:
    """Lists of values by metric, one value an epoch: `json.dump(model.fit(...).history, file)`."""
    document = load(path)
    lists = {name: values for name, values in document.items() if isinstance(values, list)}
    longest = max(map(len, lists.values()), default=0)
    counted = any(name in lists for name in ("epoch", "step"))
    for k in range(longest):
        found = {name: number(values[k]) for name, values in lists.items() if k < len(values)}
        found |= {} if counted else {"epoch": float(k)}
        yield Row({name: value for name, value in found.items() if value is not None})
    return False


def objects(path: Path) -> Rows:
    """A list of objects, one a row."""
    yield from (Row(flat(entry)) for entry in load(path) if isinstance(entry, Mapping))
    return False


def lines(path: Path) -> Rows:
    """JSON Lines: an object a line.

    Raises: RunLogError: a line before the last is no JSON object.
    """
    with path.open(encoding="utf-8-sig") as file:
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
                    f"{path}:{count}: not a JSON object", "a damaged log can be cut before this line"
                )
            yield Row(flat(entry))
    return False
