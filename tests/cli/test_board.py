"""Progress of several scripts at once."""

import io
import sys
import threading

import pytest
from rich.console import Console

from rnn_doctor.capture.launch import Progress
from rnn_doctor.cli import progress
from rnn_doctor.cli.board import Board


def at(step: int) -> Progress:
    return Progress("training" if step else "starting", step, 50, None, step / 10)


def test_lines_of_several_threads_do_not_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(io.StringIO):
        """Where every piece of a line could be overtaken by another thread's."""

        def write(self, text: str) -> int:
            turn.wait(0.001)
            return super().write(text)

    turn, stream = threading.Event(), Slow()
    monkeypatch.setattr(sys, "stderr", stream)
    board = Board(quiet=False)
    threads = [
        threading.Thread(target=board.reporter(name).update, args=[at(step)])
        for name in "abc"
        for step in (0, 7)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = stream.getvalue().splitlines()
    assert sorted(lines) == sorted(
        f"rnn-doctor: {name}: {text}" for name in "abc" for text in ("starting, 0 s", "step 7 of 50, 1 s")
    )


def test_a_terminal_has_one_line_for_each_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "on_terminal", lambda: True)
    board = Board(quiet=False)
    first, second = board.reporter("a.py"), board.reporter("b.py")
    first.update(at(0))
    second.update(at(7))
    assert shown(board) == ["rnn-doctor a.py: starting, 0 s", "rnn-doctor b.py: step 7 of 50, 1 s"]
    first.close()
    assert shown(board) == ["rnn-doctor b.py: step 7 of 50, 1 s"]


def shown(board: Board) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=80).print(board.table())
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_quiet_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    board = Board(quiet=True)
    with board.shown():
        board.reporter("a.py").update(at(3))
    assert capsys.readouterr() == ("", "")
