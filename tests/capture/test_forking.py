"""A copy of the process answers or does not; either way nothing of it is left, and the script is as it was."""

# mypy: disable-error-code="no-untyped-call"

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from rnn_doctor.capture.probe.trials.forking import NoAnswer, in_copy
from tests.capture.watching import eventually, running


def descriptors() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir()) if sys.platform == "linux" else []


def test_what_it_returns_comes_back_and_what_it_does_stays_there() -> None:
    tensor, before = torch.zeros(3), descriptors()

    def answer() -> dict[str, Any]:
        tensor.add_(1)
        torch.manual_seed(5)
        print("from the copy", flush=True)
        return {"sum": float(tensor.sum()), "threads": torch.get_num_threads(), "process": os.getpid()}

    state = torch.get_rng_state()
    found = in_copy(answer, 60)
    assert (found["sum"], found["threads"]) == (3.0, 1)
    assert found["process"] != os.getpid()
    assert not running(found["process"])
    assert tensor.sum() == 0
    assert torch.equal(torch.get_rng_state(), state)
    assert descriptors() == before


def test_it_says_nothing_on_the_streams_of_the_script(capfd: pytest.CaptureFixture[str]) -> None:
    in_copy(lambda: {"written": os.write(1, b"out") + os.write(2, b"err")}, 60)
    assert capfd.readouterr() == ("", "")


def test_products_in_many_threads_before_do_not_hang_it() -> None:
    """A copy has none of the threads that wait for work in the script."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        big = torch.ones(400, 400)
        float((big @ big).sum())
        assert in_copy(lambda: {"sum": float((big @ big).exp().sum())}, 60)["sum"] > 0
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def fails() -> dict[str, Any]:
    raise ValueError("no loss")


def dies() -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def leaves() -> dict[str, Any]:
    os._exit(0)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (fails, "ValueError: no loss"),
        (dies, "the copy of the process died"),
        (leaves, "the copy of the process died"),
    ],
)
def test_one_that_fails_gives_a_reason(function: Any, reason: str) -> None:
    before = descriptors()
    with pytest.raises(NoAnswer, match=reason):
        in_copy(function, 60)
    assert descriptors() == before


def test_one_that_hangs_is_killed(tmp_path: Path) -> None:
    place = tmp_path / "process"

    def hangs() -> dict[str, Any]:
        place.write_text(str(os.getpid()), encoding="utf-8")
        time.sleep(1000)
        return {}

    with pytest.raises(NoAnswer, match="not done within 0 s"):
        in_copy(hangs, 0.3)
    assert not place.exists() or not running(int(place.read_text(encoding="utf-8")))


def test_ctrl_c_in_the_script_ends_it_too(tmp_path: Path) -> None:
    place = tmp_path / "process"

    def hangs() -> dict[str, Any]:
        (tmp_path / "part").write_text(str(os.getpid()), encoding="utf-8")
        (tmp_path / "part").rename(place)
        os.kill(os.getppid(), signal.SIGINT)
        time.sleep(1000)
        return {}

    with pytest.raises(KeyboardInterrupt):
        in_copy(hangs, 60)
    process = int(place.read_text(encoding="utf-8"))
    eventually(lambda: not running(process), "the copy ends")


def ends_itself() -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGTERM)
    return {}


def test_the_scripts_own_handlers_do_not_run_in_it() -> None:
    ran = []
    previous = signal.signal(signal.SIGTERM, lambda *_: ran.append(1))
    try:
        with pytest.raises(NoAnswer, match="died"):
            in_copy(ends_itself, 60)
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert ran == []
