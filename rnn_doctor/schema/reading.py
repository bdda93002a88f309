"""Run logs from files: line by line, up to the last whole line, ranks merged."""

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rnn_doctor.errors import RunLogError
from rnn_doctor.schema.runlog import SCHEMA_VERSION, Header, Record, RunLog, Step

_RECORD: TypeAdapter[Record] = TypeAdapter(Record)

_KEYED = {"module": "modules", "optimizer": "optimizers", "loader": "loaders", "parameter": "parameters"}
_LISTED = {
    "initial_weights": "initial_weights",
    "scheduler": "schedulers",
    "step": "steps",
    "sample": "samples",
    "batch": "batches",
    "readout": "readouts",
    "loss": "losses",
    "evaluation": "evaluations",
    "non_finite": "non_finite",
    "lag_gain": "lag_gains",
    "replay": "replays",
    "layer": "layers",
    "state_flow": "state_flows",
    "data_lag": "data_lags",
    "padding": "paddings",
    "mixing": "mixings",
    "mode": "modes",
    "softmax": "softmaxes",
    "batch_order": "batch_orders",
    "loop": "loops",
    "place": "places",
    "sensor_off": "sensors_off",
}
_SINGLE = {"header", "early_validation", "crash", "stop", "exit"}


def assemble(records: Iterable[Record], *, truncated: bool = False) -> RunLog:
    """The run log of these records, in the order they were written.

    Raises: RunLogError: there is no header.
    """
    fields: dict[str, Any] = {name: {} for name in _KEYED.values()}
    fields |= {name: [] for name in _LISTED.values()}
    for record in records:
        kind = record.record
        if kind in _KEYED:
            fields[_KEYED[kind]][record.id] = record  # type: ignore[union-attr]
        elif kind in _LISTED:
            fields[_LISTED[kind]].append(record)
        elif kind in _SINGLE:
            fields[kind] = record
    if "header" not in fields:
        raise RunLogError("the run log has no header", "it is empty or was not made by `rnn-doctor record`")
    return RunLog.model_validate(
        {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()} | {"truncated": truncated}
    )


def read(path: Path) -> RunLog:
    """The run log in a file, merged with those of its sibling ranks (`run.rank1.jsonl` beside `run.jsonl`).

    Raises: RunLogError: the file is missing, is no run log, or is damaged before its last line.
    """
    main = _read_one(path)
    if main.header.world_size < 2:
        return main
    siblings = [
        _read_one(p) for p in sorted(path.parent.glob(f"{path.stem}.rank*{path.suffix}")) if p != path
    ]
    return _merge(main, siblings)


def _read_one(path: Path) -> RunLog:
    truncated = False

    def records() -> Iterator[Record]:
        nonlocal truncated
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    truncated = True
                    return
                yield _parse(path, number, line)

    try:
        found = list(records())
    except OSError as error:
        raise RunLogError(f"{path}: {error.strerror or error}", "name a run log that exists") from error
    try:
        return assemble(found, truncated=truncated)
    except RunLogError as error:
        raise RunLogError(f"{path}: {error.message}", error.hint) from None


def _parse(path: Path, number: int, line: bytes) -> Record:
    try:
        record = _RECORD.validate_json(line)
    except ValidationError as error:
        _reject_newer(path, line)
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RunLogError(
            f"{path}:{number}: not a run-log record: {where + ': ' if where else ''}{first['msg']}",
            "a run log is made by `rnn-doctor record`; a damaged one can be cut before this line",
        ) from None
    if isinstance(record, Header):
        _reject_newer(path, line)
    return record


def _reject_newer(path: Path, line: bytes) -> None:
    try:
        version = json.loads(line).get("schema_version", SCHEMA_VERSION)
    except (ValueError, AttributeError):
        return
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise RunLogError(
            f"{path}: run-log schema version {version}, this rnn-doctor reads up to {SCHEMA_VERSION}",
            "upgrade rnn-doctor",
        )


def _merge(main: RunLog, siblings: list[RunLog]) -> RunLog:
    """Rank 0 with the mean loss over the ranks; norms must agree, since DDP averages the gradients."""
    differ = False
    by_step: dict[int, list[Step]] = {}
    for log in [main, *siblings]:
        for step in log.steps:
            by_step.setdefault(step.step, []).append(step)
    steps = []
    for step in main.steps:
        same = by_step[step.step]
        losses = [s.loss for s in same if s.loss is not None]
        norms = [s.clipped_norm or s.grad_norm for s in same if s.grad_norm is not None]
        differ |= any(not math.isclose(n, norms[0], rel_tol=1e-4) for n in norms if math.isfinite(n))
        steps.append(step.model_copy(update={"loss": fmean(losses)}) if losses else step)
    return main.model_copy(
        update={"steps": tuple(steps), "ranks": 1 + len(siblings), "ranks_differ": differ},
    )
