"""Schedulers that are told the loss of every batch."""

from typing import Any

import pytest

from rnn_doctor.schema.built import Loader, Plateau
from rnn_doctor.schema.runlog import RunLog
from rnn_doctor.schema.wiring import BatchOrder
from tests.derive.logs import adam, log, measure, steps, value_of

BATCHES = Loader(record="loader", id=0, samples=640, batch_size=32, trains=True)


def told(calls: int = 50, loader: Loader | None = BATCHES, **fields: Any) -> RunLog:
    plan = {"patience": 10, "factor": 0.1, "floor": 0.0} | fields
    last = Plateau(record="plateau", step=50, scheduler=0, optimizer=0, calls=calls, **plan)
    first = last.model_copy(update={"step": 3, "calls": min(calls, 3)})
    run = log(adam(), steps([1.0] * 50)).model_copy(update={"plateaus": (first, last)})
    return run if loader is None else run.model_copy(update={"loaders": {0: loader}})


@pytest.mark.parametrize(
    ("patience", "factor", "updates"), [(10, 0.1, 22), (0, 0.1, 2), (10, 0.5, 77), (60, 0.5, 427)]
)
def test_how_long_a_standing_loss_takes_to_end_the_training(
    patience: int, factor: float, updates: int
) -> None:
    assert value_of("plateau_updates", told(patience=patience, factor=factor), "Adam") == updates


def test_absent() -> None:
    assert "every batch" in (measure("plateau_updates", told(calls=2), "Adam").absent or "")
    assert "keeps" in (measure("plateau_updates", told(floor=0.02), "Adam").absent or "")
    whole = BATCHES.model_copy(update={"batch_size": 640})
    assert "all training data" in (measure("plateau_updates", told(loader=whole), "Adam").absent or "")


@pytest.mark.parametrize(
    ("order", "found"),
    [
        (None, False),
        ({"same": 5}, False),
        ({"distance": 0.3}, True),
        ({"distance": 0.0, "looked": 160, "different": 32}, False),
        ({"looked": 160, "different": 155}, True),
    ],
)
def test_batches_by_hand_have_to_differ(order: dict[str, Any] | None, found: bool) -> None:
    orders = () if order is None else (BatchOrder(record="batch_order", step=50, **order),)
    run = told(loader=None).model_copy(update={"batch_orders": orders})
    assert (measure("plateau_updates", run, "Adam").value is not None) is found
