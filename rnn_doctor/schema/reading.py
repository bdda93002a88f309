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
from rnn_doctor.schema.thinning import LongSeries, Sudden

_RECORD: TypeAdapter[Record] = TypeAdapter(Record)

_KEYED = {"module": "modules", "optimizer": "optimizers", "loader": "loaders", "parameter": "parameters"}
_LISTED = {
    "initial_weights": "initial_weights",
    "scheduler": "schedulers",
    "plateau": "plateaus",
    "step": "steps",
    "sample": "samples",
    "batch": "batches",
    "readout": "readouts",
    "step_readout": "step_readouts",
    "sample_steps": "sample_steps",
    "loss": "losses",
    "loss_sum": "loss_sums",
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
    "batch_fit": "batch_fits",
    "axis_dependence": "axis_dependences",
    "copied_targets": "copied_targets",
    "tokens": "tokens",
    "shared_examples": "shared_examples",
    "loop": "loops",
    "loop_input": "loop_inputs",
    "activation": "activations",
    "place": "places",
    "sensor_off": "sensors_off",
}
_QUOTED = 200
"""Characters of what a damaged file holds that a message repeats."""
_LONG_LINE = 20_000
"""Bytes from which on a line is looked at for texts that no script has: none of the recorded runs comes near."""
_LONGEST_TEXT = 10_000
_SINGLE = {"header", "imported", "intervention", "early_validation", "withheld", "crash", "stop", "exit"}


_SAMPLED = frozenset(("sample", "batch", "readout", "loss", "non_finite"))
"""Records of single updates, few in a log, that are read together with the step itself."""


def assemble(records: Iterable[Record], *, truncated: bool = False, steps_seen: int | None = None) -> RunLog:
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
        {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        | {"truncated": truncated, "steps_seen": steps_seen}
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
        others, steps = _apart(records())
    except OSError as error:
        raise RunLogError(f"{path}: {error.strerror or error}", "name a run log that exists") from error
    kept = [step for _, step in steps.items()]
    seen = steps.seen if steps.thinned else None
    try:
        return assemble([*others, *kept], truncated=truncated, steps_seen=seen)
    except RunLogError as error:
        raise RunLogError(f"{path}: {error.message}", error.hint) from None


def _apart(records: Iterable[Record]) -> tuple[list[Record], LongSeries[Step]]:
    """All records but the steps, and the steps, of which a long log keeps a part.

    The other kinds follow a geometric schedule or come once; evaluations are few beside the steps.
    """
    others: list[Record] = []
    steps: LongSeries[Step] = LongSeries()
    loss, norm = Sudden(), Sudden()
    for record in records:
        if record.record != "step":
            others.append(record)
            if record.record in _SAMPLED:
                steps.keep(record.step)  # type: ignore[union-attr]
            continue
        steps.add(record.step, record)
        if loss(record.loss) | norm(record.grad_norm):
            steps.mark()
    return others, steps


def _parse(path: Path, number: int, line: bytes) -> Record:
    if len(line) > _LONG_LINE:
        line = _bounded(line)
    try:
        record = _RECORD.validate_json(line)
    except ValidationError as error:
        _reject_newer(path, line)
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part)[:_QUOTED] for part in first["loc"])
        what = first["msg"][:_QUOTED]
        raise RunLogError(
            f"{path}:{number}: not a run-log record: {where + ': ' if where else ''}{what}",
            "a run log is made by `rnn-doctor record`; a damaged one can be cut before this line",
        ) from None
    if isinstance(record, Header):
        _reject_newer(path, line)
    return record


def _bounded(line: bytes) -> bytes:
    """The record with its texts cut: a name of megabytes would be repeated by every signal of its layer."""
    try:
        return json.dumps(_cut(json.loads(line))).encode()
    except (ValueError, RecursionError):
        return line  # no record; what is wrong with it is told where it is validated


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[:_LONGEST_TEXT]: _cut(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_cut(inner) for inner in value]
    return value[:_LONGEST_TEXT] if isinstance(value, str) else value


def _reject_newer(path: Path, line: bytes) -> None:
    try:
        version = json.loads(line).get("schema_version", SCHEMA_VERSION)
    except (ValueError, AttributeError, RecursionError):
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
