"""Whether the training loss is a mean over time or a sum."""

import pytest

from rnn_doctor.schema.runlog import RunLog
from rnn_doctor.schema.wiring import LossSum
from tests.derive.logs import at, batch, log, loss_call, lstm, measure, steps, value_of


def loss_sum(ratio: float, step: int = 1, calls: int = 1, targets: int = 16 * 20) -> LossSum:
    """An update whose loss is so many times the mean loss of a target."""
    return LossSum(record="loss_sum", step=step, calls=calls, targets=targets, mean=2.5, loss=2.5 * ratio)


def run(record: LossSum, time: int = 20, rows: int = 16, calls: int = 1) -> RunLog:
    return log(lstm(), steps([2.5] * 3), batch(time=time, batch=rows, calls=calls), record)


@pytest.mark.parametrize(
    ("run", "steps"),
    [
        (run(loss_sum(1)), 1),  # a mean over all
        (run(loss_sum(20)), 20),  # steps added up, each a mean over the batch
        (run(loss_sum(20, calls=20)), 20),
        (run(loss_sum(320)), 20),  # reduction="sum"
        (run(loss_sum(16)), 1),  # sequences added up, each a mean over time
        (run(loss_sum(20, calls=20), time=1, calls=20), 20),  # a loop of one-step calls
        (run(loss_sum(16, calls=16), time=20, rows=1, calls=16), 1),  # a loop over the sequences
        (run(loss_sum(20, targets=20), rows=20), 1),  # one target a sequence, as many as there are steps
        (run(loss_sum(60, targets=16 * 20 * 3)), 20),  # with three features, of an mse_loss
        (run(loss_sum(3.7)), None),
        (run(loss_sum(float("nan"))), None),
    ],
)
def test_steps_that_are_added_up(run: RunLog, steps: int | None) -> None:
    assert value_of("loss_summed_steps", run) == steps


def test_scale_of_the_loss_does_not_matter() -> None:
    doubled = loss_sum(20).model_copy(update={"mean": 5.0, "loss": 100.0})
    assert value_of("loss_summed_steps", run(doubled)) == 20


def test_lengths_that_differ() -> None:
    batches = [batch(step, time=time) for step, time in ((1, 10), (3, 40))]
    records = [loss_sum(10, 1, targets=160), loss_sum(40, 3, targets=640)]
    both = log(lstm(), steps([2.5] * 3), batches, records, loss_call(location=at(30)))
    assert value_of("loss_summed_steps", both) == 25
    assert value_of("loss_summed_spread", both) == 4
    assert measure("loss_summed_steps", both).location == at(30)
    odd = log(lstm(), steps([2.5] * 3), batches, records[0], loss_sum(39, 3, targets=640))
    assert measure("loss_summed_steps", odd).absent
    assert measure("loss_summed_spread", odd).absent


def test_nothing_was_seen() -> None:
    assert measure("loss_summed_steps", log()).absent == "no training step was seen"
    assert measure("loss_summed_steps", log(lstm(), steps([1.0]))).absent
