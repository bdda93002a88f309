"""TensorBoard event files, with the messages and checksums of the package `tensorboard`."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnn_doctor.errors import RunLogError
from rnn_doctor.foreign.rows import Row, Rows

_LENGTH = struct.Struct("<QI")
"""A record begins with its length and the checksum of that, and ends with the checksum of its bytes."""
_CHECKSUM = struct.Struct("<I")
_INSTALL = "pip install 'rnn-doctor[tensorboard]'"


def rows(path: Path) -> Rows:
    """Scalars by tag, an event a row; whatever else is logged is left out.

    The package's own reader opens the file anew for each of four reads of a record, which takes five times as long.

    Raises: RunLogError: the package is missing, or a record before the last is damaged.
    """
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
    except ImportError:
        raise RunLogError(f"{path}: reading TensorBoard's event files needs its package", _INSTALL) from None
    with path.open("rb") as file:
        while start := file.read(_LENGTH.size):
            place = file.tell() - len(start)
            if len(start) < _LENGTH.size:
                return True
            length, checksum = _LENGTH.unpack(start)
            if masked_crc32c(start[:8]) != checksum:
                raise _damaged(path, place)
            body = file.read(length + _CHECKSUM.size)
            if len(body) < length + _CHECKSUM.size:
                return True
            message = body[:length]
            if (masked_crc32c(message),) != _CHECKSUM.unpack(body[length:]):
                raise _damaged(path, place)
            event = Event.FromString(message)
            values = dict(_scalars(event.summary.value))
            if values:
                yield Row(values, event.step, event.wall_time)
    return False


def _damaged(path: Path, place: int) -> RunLogError:
    return RunLogError(
        f"{path}: the record at byte {place} is damaged: its checksum is wrong",
        "a damaged event file can be cut before this byte",
    )


def _scalars(values: Any) -> Iterator[tuple[str, float]]:
    """Tag and number of each scalar, written as such or as a tensor of one number."""
    for value in values:
        kind = value.WhichOneof("value")
        if kind == "simple_value":
            yield value.tag, value.simple_value
        elif kind == "tensor" and (found := _of_tensor(value.tensor)) is not None:
            yield value.tag, found


def _of_tensor(tensor: Any) -> float | None:
    """The number in a tensor that holds a single one."""
    from tensorboard.util.tensor_util import make_ndarray

    if len(tensor.tensor_shape.dim):
        return None
    array = make_ndarray(tensor)
    return float(array) if array.dtype.kind in "fiu" else None
