"""Ctrl-C and SIGTERM are counted where an exception would come at a wrong moment."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from rnn_doctor.capture.interrupts import counted

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interruption_is_counted_and_not_raised(number: signal.Signals) -> None:
    with counted() as interrupts:
        assert not interrupts
        os.kill(os.getpid(), number)
        assert interrupts
        os.kill(os.getpid(), number)
    assert interrupts.count == 2


def test_whoever_insists_is_heard() -> None:
    with counted() as interrupts:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert interrupts.count == 3


def test_the_handlers_of_before_come_back() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with counted():
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_an_interruption_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with counted() as interrupts:
        os.kill(os.getpid(), signal.SIGINT)
    assert not interrupts


def test_another_thread_than_the_main_one_is_never_interrupted() -> None:
    def block() -> int:
        with counted() as interrupts:
            return interrupts.count

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(block).result() == 0
