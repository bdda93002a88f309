"""The trainings whose outcome RD501 is held against: named by keys that make them anew."""

from benchmarks.overfitting import trainings
from benchmarks.overfitting.run import SETS
from benchmarks.overfitting.trainings import Training, from_key


def test_a_key_makes_its_training_anew_and_names_no_other() -> None:
    planned = [training for made in SETS.values() for training in made()]
    assert [from_key(training.key) for training in planned] == planned
    assert len({training.key for training in planned}) == len(planned)


def test_fields_that_came_later_leave_older_keys_as_they_are() -> None:
    plain = Training("lines", "GRU", 48)
    assert plain.key.endswith(" held_out=256 seed=0")
    assert Training("lines", "GRU", 48, layers=2).key == f"{plain.key} layers=2"


def test_the_set_that_nothing_was_mended_with_shares_no_task_with_another() -> None:
    last = {training.task for training in trainings.later()}
    assert not last & {
        training.task for name, made in SETS.items() for training in made() if name != "fourth"
    }
    assert len(trainings.later()) == 42
