"""The trainings whose outcome RD501 is held against: named by keys that make them anew."""

import pytest
import torch

from benchmarks.faults.setting import Setting
from benchmarks.overfitting import networks, trainings
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


@pytest.mark.parametrize(("name", "count"), [("fourth", 42), ("fifth", 54)])
def test_a_set_that_nothing_was_mended_with_shares_no_task_with_another(name: str, count: int) -> None:
    own = {training.task for training in SETS[name]()}
    assert not own & {training.task for other, made in SETS.items() for training in made() if other != name}
    assert len(SETS[name]()) == count


def test_the_fifth_set_shares_no_cell_optimizer_or_schedule_and_validates_on_ordinary_sizes() -> None:
    own = SETS["fifth"]()
    others = [training for name, made in SETS.items() for training in made() if name != "fifth"]
    for field in ("cell", "optimizer"):
        assert not {getattr(t, field) for t in own} & {getattr(t, field) for t in others}
    assert not {t.schedule for t in own} & {t.schedule for t in others}
    assert {t.held_out for t in own} == {200, 300, 500, 1000}


@pytest.mark.parametrize("cell", networks.CELLS)
def test_each_cell_of_the_fifth_set_reads_steps_in_order_and_padding_not_at_all(cell: str) -> None:
    torch.manual_seed(0)
    task = trainings.TASKS["messages"]
    model = networks.Reader(task, Setting("messages", cell, hidden=8, layer_norm=True), locked=0.5).eval()
    x, lengths = torch.randint(1, 40, (3, 9)), torch.tensor([9, 4, 6])
    other = x.where(torch.arange(9) < lengths[:, None], 7)
    assert torch.allclose(model(x, lengths), model(other, lengths))
    assert not torch.allclose(model(x, lengths), model(x.flip(1), lengths))
    model.train()
    assert not torch.equal(model(x, lengths), model(x, lengths))
