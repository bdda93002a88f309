"""Files of text, whatever wrote them: UTF-8, UTF-16 with its mark, or eight bits a character; packed by gzip or not."""

import codecs
import gzip
import io
import zlib
from pathlib import Path
from typing import TextIO

_GZIP = b"\x1f\x8b"
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLOCK = 1 << 20
BROKEN_PACK = (EOFError, zlib.error, gzip.BadGzipFile)
"""What a packed file raises that is damaged, or ends before its end."""


def binary(path: Path) -> io.BufferedReader | gzip.GzipFile:
    """The file, unpacked while it is read; `read1` gives all that is whole of one that breaks off."""
    with path.open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
    return gzip.GzipFile(path) if packed else path.open("rb")


def head(path: Path, size: int) -> bytes:
    """Up to so many bytes of its beginning, unpacked; less of a packed file that breaks off before."""
    found = b""
    with binary(path) as file:
        try:
            while len(found) < size and (block := file.read1(size - len(found))):
                found += block
        except BROKEN_PACK:
            if not found:
                raise
    return found


def opened(path: Path, newline: str | None = None) -> TextIO:
    """The file as text. A character that it breaks off within is replaced."""
    return io.TextIOWrapper(binary(path), encoding=encoding(path), errors="replace", newline=newline)


def encoding(path: Path) -> str:
    """How its characters are written: as its mark says; without one as UTF-8, unless it is none.

    What is not UTF-8 has eight bits a character, as Windows writes it in the west; names and numbers are ASCII there.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    with binary(path) as file:
        try:
            block = file.read1(_BLOCK)
            if block.startswith(_WIDE):
                return "utf-16"
            while block:
                decoder.decode(block)
                block = file.read1(_BLOCK)
        except UnicodeDecodeError:
            return "latin-1"
        except BROKEN_PACK:
            pass  # whoever reads it comes to that place too
    return "utf-8-sig"


def breaks_off(path: Path) -> bool:
    """Whether the last line has no end: `0.1` may be what is left of `0.123`."""
    last = b""
    with binary(path) as file:
        while block := file.read1(_BLOCK):
            last = block[-2:]
    return (
        bool(last)
        and last[-1:] not in b"\r\n"
        and last not in ("\n".encode("utf-16-le"), "\r".encode("utf-16-le"))
    )
