"""Offline runs of W&B (run-*.wandb), with the messages of the package `wandb`."""

import json
import struct
import zlib
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, BinaryIO

from rnn_doctor.errors import RunLogError
from rnn_doctor.foreign.rows import Row, Rows, flat, number

_FILE = 7
"""Bytes of the file's own header: `:W&B`, a magic number, a version."""
_BLOCK = 32_768
"""No piece of a record crosses a multiple of this; the file is made as LevelDB's log is."""
_PIECE = struct.Struct("<IHB")
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_INSTALL = "pip install 'rnn-doctor[wandb]'"


def rows(path: Path) -> Rows:
    """The history of a run: what each call of `log` was given.

    Raises: RunLogError: the package is missing, or a record before the last is damaged.
    """
    try:
        from wandb.proto.wandb_internal_pb2 import Record
    except ImportError:
        raise RunLogError(f"{path}: reading W&B's offline runs needs its package", _INSTALL) from None
    with path.open("rb") as file:
        file.seek(_FILE)
        records = _records(path, file)
        while True:
            try:
                record = Record.FromString(next(records))
            except StopIteration as end:
                return bool(end.value)
            if record.HasField("history"):
                values = _values(record.history.item)
                yield Row(values, time=values.get("_timestamp"))


def _values(items: Iterable[Any]) -> dict[str, float]:
    """The numbers of a call, by key; media and histograms are left out."""
    found: dict[str, float] = {}
    for item in items:
        name = item.key or "/".join(item.nested_key)
        try:
            value = json.loads(item.value_json)
        except ValueError:
            continue
        if isinstance(value, dict):
            found |= {} if "_type" in value else flat(value, f"{name}/")
        elif (read := number(value)) is not None:
            found[name] = read
    return found


def _records(path: Path, file: BinaryIO) -> Generator[bytes, None, bool]:
    """The records, put together of their pieces; whether the file ends within one is returned at the end."""
    parts: list[bytes] = []
    while True:
        place = file.tell()
        if _BLOCK - place % _BLOCK < _PIECE.size:
            place = file.seek((place // _BLOCK + 1) * _BLOCK)
        start = file.read(_PIECE.size)
        if len(start) < _PIECE.size:
            return bool(start or parts)
        checksum, length, kind = _PIECE.unpack(start)
        piece = file.read(length)
        if len(piece) < length:
            return True
        if (
            kind not in (_WHOLE, _FIRST, _MIDDLE, _LAST)
            or zlib.crc32(piece, zlib.crc32(start[6:])) != checksum
        ):
            raise RunLogError(
                f"{path}: the record at byte {place} is damaged: its checksum is wrong",
                "`wandb sync` may still read what is whole of it",
            )
        parts = [piece] if kind in (_WHOLE, _FIRST) else [*parts, piece]
        if kind in (_WHOLE, _LAST):
            yield b"".join(parts)
            parts = []
