"""Runs a function in a forked copy of the process, within a time limit, and tells what it returned.

The copy shares no memory with the script, writes to none of its files, computes in one thread (those of the script are
not copied) and ends with the script, or before. What it returns is plain data.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import sys
import time
import warnings
from typing import Any, Callable, NoReturn

import torch

from .. import lifeline

_LARGEST = 1 << 20
_SIGNALS = ("SIGINT", "SIGTERM", "SIGCHLD", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGUSR2")


class NoAnswer(Exception):
    """The copy did not return; the message says why, as a clause."""


def in_copy(function: Callable[[], dict[str, Any]], seconds: float) -> dict[str, Any]:
    """What the function returns in a forked copy of this process.

    Raises: NoAnswer: it took longer than `seconds`, raised, or died.
    """
    reader, writer = os.pipe()
    parent = os.getpid()
    # A Ctrl-C within os.fork would be lost: what handlers after a fork raise, or let a signal raise, is ignored.
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        copy = _fork()
    except OSError:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        raise
    if copy == 0:
        _answer(function, writer, parent, held)
    try:
        os.close(writer)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        text = _read(reader, time.monotonic() + seconds)
    finally:  # also where Ctrl-C comes in between
        os.close(reader)
        _end(copy)
    if text is None:
        raise NoAnswer(f"it was not done within {seconds:.0f} s")
    try:
        answer: dict[str, Any] = json.loads(text)
    except ValueError:
        raise NoAnswer("the copy of the process died") from None
    if "error" in answer:
        raise NoAnswer(str(answer["error"]))
    return answer


def _fork() -> int:
    if sys.version_info < (3, 12):
        return os.fork()
    with warnings.catch_warnings():  # it warns of the threads of the script, which the copy does not need
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _answer(function: Callable[[], dict[str, Any]], writer: int, parent: int, mask: set[int]) -> NoReturn:
    """The life of the copy. mask: the signals that the script blocks."""
    try:
        for name in _SIGNALS:  # none of the script's own handlers
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        lifeline.tie(parent)
        warnings.simplefilter("ignore")  # the script may have made errors of them
        gc.disable()  # what the script left to the collector is not ours to finalize
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        torch.set_num_threads(1)  # those of the script's pool exist in the script alone
        try:
            answer = function()
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        data = json.dumps(answer).encode()
        while data:
            data = data[os.write(writer, data) :]
    finally:
        os._exit(0)


def _read(reader: int, deadline: float) -> bytes | None:
    """All that comes until the other side is closed; None where the deadline is first."""
    text = b""
    while len(text) < _LARGEST:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reader], [], [], left)[0]:
            return None
        data = os.read(reader, 1 << 16)
        if not data:
            break
        text += data
    return text


def _end(copy: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(copy, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # the script waits for any child of its own
        os.waitpid(copy, 0)
