"""Progress on stderr: a live line below the script's output, or a few plain lines."""

import io
import re

import pytest

from rnn_doctor.capture.launch import Progress
from rnn_doctor.cli import progress


def at(elapsed: float, step: int = 0, *, loss: float | None = None, steps: int | None = 50) -> Progress:
    """Training at some second."""
    return Progress("training" if step else "starting", step, steps, loss, elapsed)


@pytest.fixture
def stderr() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")


def written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (at(3.4), "starting, 3 s"),
        (at(12, 23, loss=2.3078), "step 23 of 50, loss 2.308, 12 s"),
        (at(12, 23, steps=None), "step 23, 12 s"),
        (Progress("stopping", 50, 50, float("nan"), 20), "step 50 of 50, loss nan, 20 s, stopping"),
    ],
)
def test_the_state_in_words(state: Progress, text: str) -> None:
    assert progress.describe(state) == text


def test_plain_lines_come_at_news_and_every_ten_seconds(stderr: io.TextIOWrapper) -> None:
    plain = progress.Plain("train.py", stderr)
    for tenth in range(300):
        plain.update(at(tenth / 10, max(0, tenth - 40)))
    plain.close()
    assert written(stderr).splitlines() == [
        "rnn-doctor: train.py: starting, 0 s",
        "rnn-doctor: train.py: step 1 of 50, 4 s",
        "rnn-doctor: train.py: step 101 of 50, 14 s",
        "rnn-doctor: train.py: step 201 of 50, 24 s",
    ]


def test_quiet_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    silent = progress.reporter("train.py", quiet=True, terminal=False)
    silent.update(at(3, 2))
    silent.close()
    assert capfd.readouterr() == ("", "")


def screen(text: str) -> list[str]:
    """What a terminal shows: colours, and erasing a line, are all that is used."""
    lines = [""]
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    for part in re.split(r"(\r\x1b\[2K|\n)", plain):
        if part == "\n":
            lines.append("")
        else:
            lines[-1] = "" if part.startswith("\r") else lines[-1] + part
    return lines


def live(stderr: io.TextIOWrapper, width: int = 60) -> progress.Live:
    return progress.Live("train.py", stderr, width=width)


def test_the_live_line_stays_below_the_script_s_output(stderr: io.TextIOWrapper) -> None:
    line = live(stderr)
    line.update(at(1))
    line.output(b"epoch 1\nepoch 2\n")
    line.update(at(5, 3, loss=1.5))
    assert screen(written(stderr)) == [
        "epoch 1",
        "epoch 2",
        "rnn-doctor train.py: step 3 of 50, loss 1.5, 5 s",
    ]
    line.close()
    assert screen(written(stderr)) == ["epoch 1", "epoch 2", ""]


def test_the_live_line_leaves_the_script_s_open_line_alone(stderr: io.TextIOWrapper) -> None:
    line = live(stderr)
    line.update(at(1))
    line.output(b"name? ")
    line.update(at(5, 3))
    assert screen(written(stderr)) == ["name? "]
    line.output(b"x\n")
    assert screen(written(stderr)) == ["name? x", "rnn-doctor train.py: step 3 of 50, 5 s"]


def test_the_live_line_never_wraps(stderr: io.TextIOWrapper) -> None:
    line = live(stderr, width=30)
    line.update(at(5, 3, loss=1.25))
    assert len(screen(written(stderr))[-1]) == 29


def test_an_unchanged_line_is_not_drawn_again(stderr: io.TextIOWrapper) -> None:
    line = live(stderr)
    line.update(at(5, 3))
    before = written(stderr)
    line.update(at(5.01, 3))
    assert written(stderr) == before


def test_bytes_pass_as_they_are(stderr: io.TextIOWrapper) -> None:
    line = live(stderr)
    line.output(b"\xff\x1b[31mred\x1b[0m\n")
    stderr.flush()
    assert isinstance(stderr.buffer, io.BytesIO)
    assert stderr.buffer.getvalue() == b"\xff\x1b[31mred\x1b[0m\n"
