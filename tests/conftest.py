"""What all tests share: reference texts in tests/gold, rewritten by `pytest --update-gold`; and no test leaves
a process behind.
"""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import leftovers, warm_python

# Before torch is imported: two workers and their scripts with two threads each get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

_GOLD = Path(__file__).parent / "gold"


def pytest_configure() -> None:
    """Undoes what `nohup` and a shell's background jobs ignore: the children of tests about signals would, too."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
    leftovers.adopt()


def pytest_collection_finish() -> None:
    """What is imported by now stays to the end: not to look through it again halves the cost of each collection."""
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-gold", action="store_true", help="rewrite tests/gold; review the diff")


@pytest.fixture(autouse=True)
def _no_process_outlives_its_test() -> Iterator[None]:
    before = leftovers.children()
    yield
    left = leftovers.end(leftovers.children() - before - warm_python.started)
    assert not left, f"left behind, and killed: {left}"


@pytest.fixture
def gold(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with the file of that name in tests/gold, or rewrites it."""

    def check(name: str, text: str) -> None:
        file = _GOLD / name
        if request.config.getoption("--update-gold"):
            file.write_text(text, encoding="utf-8")
        assert file.exists(), f"tests/gold/{name} is missing: run `pytest --update-gold` and review it"
        assert text == file.read_text(encoding="utf-8")

    return check
