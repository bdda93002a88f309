"""At which training batches the losses of single examples are looked at, as evaluations go by."""

import pytest
import torch

from rnn_doctor.capture.probe.sensors.loaders import Loaders
from rnn_doctor.capture.probe.sensors.trained import Trained
from tests.capture.records import Records

EVERY = 10


@pytest.fixture(name="watched")
def _watched() -> list[bool]:
    """Of 60 evaluations, ten updates apart, whether the batches just before had their losses looked at."""
    trained = Trained(Loaders(Records()), None)
    found = []
    losses, output = torch.ones(32), torch.ones(32, 1)
    for step in range(1, 60 * EVERY + 1):
        trained.step = step
        if trained.wanted:
            trained.add(losses, output, torch.zeros(32, 1), step)
        if step % EVERY == 0:
            found.append(trained.summary(step) is not None)
            trained.used(step)
    return found


def test_the_first_evaluations_all_have_their_training_batches(watched: list[bool]) -> None:
    assert watched[:20] == [False, *[True] * 19], "the first of them was not foreseen"


def test_after_twenty_they_are_looked_at_ever_less_often_but_never_no_more(watched: list[bool]) -> None:
    assert [k for k, seen in enumerate(watched) if seen and k >= 20] == [20, 26, 34, 45, 59]
