"""A writer that keeps its records, and an observation of a training loop within this process."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from rnn_doctor.capture.probe import hooks
from rnn_doctor.capture.probe.config import Config
from rnn_doctor.capture.probe.observer import Observer
from rnn_doctor.capture.probe.patches import Patches
from rnn_doctor.capture.probe.writer import Writer


class Records(Writer):
    """Records in memory."""

    def __init__(self) -> None:
        super().__init__("")
        self.all: list[dict[str, Any]] = []

    @property
    def is_open(self) -> bool:
        return True

    def write(self, record: str, **fields: Any) -> None:
        self.all.append({"record": record, **{k: v for k, v in fields.items() if v is not None}})

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [record for record in self.all if record["record"] == kind]


class Observation(Records):
    """What the probe wrote of the training within `observed`."""

    observer: Observer

    @property
    def steps(self) -> list[dict[str, Any]]:
        return self.of("step")


@contextlib.contextmanager
def observed(deep: float = 0.0, steps: int | None = None, validate: bool = False) -> Iterator[Observation]:
    """Installs the probe for the body. deep: seconds that `--deep` may take."""
    config = Config("", steps, 1e9, "0", "train.py", [], os.getpid(), validate, deep)
    observer, patches, records = Observer(config), Patches(), Observation()
    records.observer = observer
    _redirect(observer, records)
    hooks.install(observer, patches)
    try:
        yield records
        observer.end_of_script()
    finally:
        patches.undo()


def _redirect(holder: object, records: Records, seen: set[int] | None = None) -> None:
    """Puts the records in the place of every writer that the observer or its parts hold."""
    seen = {id(holder)} if seen is None else seen | {id(holder)}
    for name, part in list(vars(holder).items()):
        ours = type(part).__module__.startswith("rnn_doctor.capture.probe") and hasattr(part, "__dict__")
        if isinstance(part, Writer):
            setattr(holder, name, records)
        elif ours and id(part) not in seen:
            _redirect(part, records, seen)
