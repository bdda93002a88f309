"""Run logs made by hand: a small healthy training, and what a test changes of it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from rnn_doctor.schema.reading import assemble
from rnn_doctor.schema.runlog import Record, RunLog

_RECORD: TypeAdapter[Record] = TypeAdapter(Record)

HEADER: dict[str, Any] = {
    "record": "header",
    "schema_version": 1,
    "tool_version": "0.1.0",
    "script": "train.py",
    "arguments": ["--epochs", "3"],
    "python": "3.11.4",
    "torch": "2.13.0",
    "platform": "linux-x86_64",
    "started": "2025-11-22T21:00:00Z",
    "process": 4711,
}
MODULE: dict[str, Any] = {
    "record": "module",
    "id": 1,
    "name": "lstm",
    "kind": "LSTM",
    "input_size": 8,
    "hidden_size": 16,
    "location": {"file": "train.py", "line": 12},
}
OPTIMIZER: dict[str, Any] = {"record": "optimizer", "id": 1, "kind": "Adam", "lr": [0.001], "parameters": 4}
PARAMETERS: tuple[dict[str, Any], ...] = (
    {
        "record": "parameter",
        "id": 1,
        "name": "lstm.weight_hh_l0",
        "shape": [64, 16],
        "module": 1,
        "optimizer": 1,
    },
    {"record": "parameter", "id": 2, "name": "embedding.weight", "shape": [10, 8], "trainable": False},
)
CRASH: dict[str, Any] = {
    "record": "crash",
    "step": 7,
    "error": "ValueError: no such batch",
    "traceback": "Traceback ...",
    "location": {"file": "train.py", "line": 40},
}
BUILT = (HEADER, MODULE, OPTIMIZER, *PARAMETERS)


def steps(count: int) -> list[dict[str, Any]]:
    """Updates of a training whose loss falls slowly and evenly."""
    return [
        {
            "record": "step",
            "step": k,
            "elapsed": k / 10,
            "loss": 2.3 - k / 100,
            "grad_norm": 0.5,
            "lr": [0.001],
        }
        | {"optimizers": [1]}
        for k in range(1, count + 1)
    ]


def stop(reason: str, seconds: float = 5.0, probe_seconds: float = 0.1) -> dict[str, Any]:
    """The probe's last record."""
    return {"record": "stop", "step": 0, "reason": reason, "seconds": seconds, "probe_seconds": probe_seconds}


def exited(code: int | None, reason: str = "ended") -> dict[str, Any]:
    """The parent's last record."""
    return {"record": "exit", "code": code, "reason": reason, "seconds": 9.0}


def run_log(records: Iterable[dict[str, Any]]) -> RunLog:
    """The log that holds these records."""
    return assemble(_RECORD.validate_python(record) for record in records)


def write(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    """The log as a file."""
    lines = [_RECORD.validate_python(record).model_dump_json(exclude_defaults=False) for record in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
