"""Learning rates of the group that holds the recurrent weights."""

import pytest

from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import adam, log, lstm, measure, steps, value_of, weight


def run(own: float, others: float, group: int | None = 1) -> RunLog:
    held = [weight(module=None, group=None if group is None else 0), weight(1, group=group)]
    rates = (others,) if group is None else (others, own)
    made = [step.model_copy(update={"lr": rates}) for step in steps([1.0] * 20)]
    return log(lstm(), adam(lr=rates), held, made)


@pytest.mark.parametrize(
    ("own", "others", "share"), [(1e-5, 1e-2, 1e-3), (1e-2, 1e-2, 1.0), (2e-2, 1e-2, 2.0)]
)
def test_the_share_of_the_largest_rate(own: float, others: float, share: float) -> None:
    assert value_of("recurrent_rate_share", run(own, others), "lstm") == pytest.approx(share)


def test_one_group_has_one_rate() -> None:
    assert value_of("recurrent_rate_share", run(1e-2, 1e-2, group=None), "lstm") == 1


def test_a_few_weights_may_have_a_rate_of_their_own() -> None:
    held = [weight(module=None, group=0), weight(1, group=0), weight(2, module=None, group=1, shape=(9, 9))]
    made = [step.model_copy(update={"lr": (1e-4, 0.1)}) for step in steps([1.0] * 20)]
    assert value_of("recurrent_rate_share", log(lstm(), adam(lr=(1e-4, 0.1)), held, made), "lstm") == 1


def test_absent() -> None:
    nobody = log(lstm(), [weight(optimizer=None)], steps([1.0] * 20))
    assert measure("recurrent_rate_share", nobody, "lstm").absent
