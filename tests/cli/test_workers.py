"""How many at once: as many as there are cores for, and always one."""

import threading
import time
from collections.abc import Callable

import pytest

from rnn_doctor.cli import workers
from rnn_doctor.cli.workers import Task, Workers


class Crowd:
    """Counts how many tasks are under way at once; each waits for company that may not come."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.present = 0
        self.most = 0
        self.company = threading.Event()

    def task(self, cores: int, company: int) -> Task[int]:
        def work(_: Callable[[], bool]) -> int:
            with self.lock:
                self.present += 1
                self.most = max(self.most, self.present)
                if self.present == company:
                    self.company.set()
            self.company.wait(10)
            with self.lock:
                self.present -= 1
            return cores

        return Task(work, cores)


@pytest.mark.parametrize(
    ("cores", "needs", "jobs", "at_once"),
    [
        (4, [1, 1, 1, 1, 1], None, 4),
        (4, [4, 4, 4], None, 1),
        (4, [3, 1, 1], None, 2),
        (2, [8, 8], None, 1),
        (4, [4, 4, 4], 3, 3),
        (4, [1, 1, 1], 1, 1),
    ],
)
def test_as_many_as_there_are_cores_for_or_jobs(
    monkeypatch: pytest.MonkeyPatch, cores: int, needs: list[int], jobs: int | None, at_once: int
) -> None:
    monkeypatch.setattr(workers, "cores", lambda: cores)
    crowd = Crowd()
    done = list(Workers([crowd.task(need, at_once) for need in needs], jobs).run())
    assert crowd.most == at_once
    assert {each.number: each.result for each in done} == dict(enumerate(needs))


@pytest.mark.parametrize(("given", "threads"), [("3", 3), ("4,2", 4), ("", 2), ("0", 2), ("many", 2)])
def test_threads_are_those_of_openmp_or_a_share_of_the_cores(
    monkeypatch: pytest.MonkeyPatch, given: str, threads: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    monkeypatch.setattr(workers, "cores", lambda: 8)
    assert workers.threads(4, None) == threads


@pytest.mark.parametrize(
    ("scripts", "jobs", "share"),
    [(1, None, 8), (3, None, 2), (8, None, 1), (20, None, 1), (3, 1, 8), (3, 2, 4), (3, 20, 2), (20, 20, 1)],
)
def test_the_cores_are_shared_among_those_that_run_at_once(
    monkeypatch: pytest.MonkeyPatch, scripts: int, jobs: int | None, share: int
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(workers, "cores", lambda: 8)
    assert workers.threads(scripts, jobs) == share


def test_a_task_that_fails_is_told_and_the_others_go_on() -> None:
    def fail(_: Callable[[], bool]) -> int:
        raise ValueError("no")

    done = {each.number: each.result for each in Workers([Task(fail, 1), Task(lambda _: 5, 1)], 1).run()}
    assert isinstance(done[0], ValueError)
    assert done[1] == 5


def test_an_interruption_ends_what_runs_and_begins_no_other() -> None:
    def until_told(told: Callable[[], bool]) -> int:
        while not told():
            begun.wait(0.01)
        return 1

    begun, interrupted = threading.Event(), threading.Event()
    tasks = [Task(lambda _: 0, 1), Task(until_told, 1), Task(lambda _: 2, 1)]
    results = []
    for done in Workers(tasks, 1, interrupted.is_set).run():
        results.append((done.number, done.result))
        interrupted.set()
    assert results == [(0, 0), (1, None), (2, None)]


def test_an_interruption_ends_what_runs() -> None:
    def until_told(told: Callable[[], bool]) -> int:
        begun.set()
        while not told():
            time.sleep(0.01)
        return 1

    begun = threading.Event()
    assert [each.result for each in Workers([Task(until_told, 1)], 1, begun.is_set).run()] == [1]
