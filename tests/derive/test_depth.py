"""What is left of the gradient at the lowest of several layers."""

import math
from typing import Any

import pytest

from rnn_doctor.schema.recurrence import Layer
from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import log, lstm, measure, steps, value_of
from tests.derive.recurrent_logs import layer

FALLING = [2.0 * 0.95**k for k in range(50)]


def stack(*decades: float, step: int = 1, **fields: Any) -> list[Layer]:
    """Layers from the bottom up, each with this gradient at all of three times."""
    return [
        layer(step, k, times=(0, 1, 2), hidden_gradient=(d,) * 3, hidden_norm=(), cell_norm=(), **fields)
        for k, d in enumerate(decades)
    ]


def run(*layers: list[Layer], num_layers: int = 3) -> RunLog:
    return log(lstm(num_layers=num_layers), steps([1.0] * 10), *layers)


def test_the_gain_from_the_top_to_the_bottom_at_first_and_last() -> None:
    of = run(stack(-5.0, -3.0, -1.0), stack(-2.5, -1.0, -1.0, step=50))
    assert value_of("depth_gain_start", of, "lstm") == pytest.approx(-4.0)
    assert value_of("depth_gain", of, "lstm") == pytest.approx(-1.5)


def test_a_gradient_twice_as_large_everywhere_has_the_same_gain() -> None:
    more = math.log10(2)
    of = run(stack(-5.0 + more, -3.0 + more, -1.0 + more))
    assert value_of("depth_gain_start", of, "lstm") == pytest.approx(-4.0)


def test_the_median_over_times_and_their_range() -> None:
    bottom = layer(1, 0, hidden_gradient=(-9.0, -4.0, -3.0), times=(0, 1, 2))
    top = layer(1, 1, hidden_gradient=(-1.0, -1.0, -1.0), times=(0, 1, 2))
    found = measure("depth_gain_start", run([bottom, top], num_layers=2), "lstm")
    assert found.value == pytest.approx(-3.0)
    assert found.n == 3
    assert found.interval == pytest.approx((-8.0, -2.0))


def test_directions_count_together() -> None:
    both = [*stack(-4.0, -1.0), *stack(-2.0, -1.0, reverse=True)]
    expected = (math.log10(1e-8 + 1e-4) - math.log10(2e-2)) / 2
    assert value_of("depth_gain_start", run(both, num_layers=2), "lstm") == pytest.approx(expected)


def test_a_gradient_of_exactly_nothing() -> None:
    found = measure("depth_gain_start", run(stack(-math.inf, -1.0), num_layers=2), "lstm")
    assert found.value == -45.0
    assert measure("depth_gain_start", run(stack(-1.0, -math.inf), num_layers=2), "lstm").absent


def test_what_cannot_be_told() -> None:
    assert measure("depth_gain", run(stack(-4.0, -2.0), num_layers=2), "lstm").absent  # one update alone
    assert measure("depth_gain_start", run(stack(-4.0, -2.0, step=50), num_layers=2), "lstm").absent
    assert "one layer" in (measure("depth_gain", run(stack(-4.0), num_layers=1), "lstm").absent or "")
    assert measure("depth_gain", run(num_layers=2), "lstm").absent


@pytest.mark.parametrize(
    ("layers", "first", "last", "lost", "learns"),
    [
        (12, -1.1, 0.3, True, False),  # so many that it takes long to begin
        (12, -0.9, 0.3, False, True),  # as with skips
        (11, -1.1, 0.3, True, True),
        (7, -1.1, 0.3, True, True),
        (6, -1.1, 0.3, False, True),
        (6, -1.3, 0.3, True, True),
        (5, -1.3, 0.3, True, True),
        (4, -1.3, 0.3, False, True),
        (7, -0.9, -1.9, True, True),  # lost in the first updates
        (6, -0.9, -1.9, False, True),
        (7, -0.9, -1.7, False, True),
    ],
)
def test_many_layers(layers: int, first: float, last: float, lost: bool, learns: bool) -> None:
    of = log(
        lstm(num_layers=layers),
        steps(FALLING),
        stack(first - 1, *[-1.0] * (layers - 1)),
        stack(last - 1, *[-1.0] * (layers - 1), step=50),
    )
    assert value_of("depth_loses_gradient", of, "lstm") is lost
    assert value_of("stack_learns", of, "lstm") is learns


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (-3.1, 0.0, True),  # whatever comes back
        (-2.9, -1.9, True),
        (-2.9, -1.7, False),
        (-1.9, -2.4, True),
        (-1.7, -2.4, False),
        (-1.3, -2.9, False),
        (-0.4, -3.1, True),  # lost in the first updates
    ],
)
def test_whether_the_gradient_is_lost_over_depth(first: float, last: float, expected: bool) -> None:
    of = run(stack(first - 1, -1.0), stack(last - 1, -1.0, step=50), num_layers=2)
    assert value_of("depth_loses_gradient", of, "lstm") is expected


def test_one_look_tells_of_a_thousandth_and_of_what_is_hardly_lost() -> None:
    assert value_of("depth_loses_gradient", run(stack(-4.1, -1.0), num_layers=2), "lstm") is True
    assert value_of("depth_loses_gradient", run(stack(-2.5, -1.0), num_layers=2), "lstm") is False
    between = measure("depth_loses_gradient", run(stack(-3.5, -1.0), num_layers=2), "lstm")
    assert "after the first update" in (between.absent or "")
    never = measure("depth_loses_gradient", run(stack(-3.5, -1.0, step=50), num_layers=2), "lstm")
    assert "not seen" in (never.absent or "")


def test_the_number_of_layers() -> None:
    assert value_of("stacked_layers", run(), "lstm") == 3
    assert value_of("cell_kind", run(), "lstm") == "LSTM"


def fallen(*layers: list[Layer]) -> RunLog:
    return log(lstm(num_layers=2), steps(FALLING), *layers)


@pytest.mark.parametrize(("first", "last"), [(-2.7, -9.0), (-9.0, -2.7), (-3.9, -3.9)])
def test_a_fall_counts_where_the_lowest_layer_was_reached_once(first: float, last: float) -> None:
    of = fallen(stack(first, -1.0), stack(last, -1.0, step=50))
    assert value_of("loss_fall_with_lowest", of, "lstm") == value_of("loss_fall", of) > 0.5  # type: ignore[operator]


def test_a_fall_in_which_the_lowest_layer_had_no_part() -> None:
    of = fallen(stack(-2.9, -1.0), stack(-4.1, -1.0, step=50))
    assert value_of("loss_fall_with_lowest", of, "lstm") == 0
    assert value_of("stack_learns", of, "lstm") is False
    assert "needed" in (measure("loss_fall_with_lowest", run(stack(-9.0, -1.0)), "lstm").absent or "")


def test_no_fall_is_told_of_losses_below_zero_and_none_is_needed() -> None:
    negative = steps([0.5 - 0.1 * (k % 7) for k in range(20)])
    lost = log(lstm(num_layers=2), negative, stack(-5.0, -1.0), stack(-5.0, -1.0, step=20))
    assert value_of("loss_fall_with_lowest", lost, "lstm") == 0
    reached = log(lstm(num_layers=2), negative, stack(-2.0, -1.0), stack(-2.0, -1.0, step=20))
    assert "positive" in (measure("loss_fall_with_lowest", reached, "lstm").absent or "")
    assert "positive" in (measure("stack_learns", reached, "lstm").absent or "")
