import math
from typing import Any

import pytest

from rnn_doctor.schema.runlog import LossCall
from rnn_doctor.schema.wiring import LossSum
from tests.derive.logs import adam, log, loss_call, measure, steps, value_of, weight

FALLING = [2.0 * 0.95**k for k in range(40)]
NAMES = ("loss_rise_max", "loss_end_ratio", "loss_fall", "loss_fall_informed", "loss_halved_steadily")


def test_rise_is_over_the_first_loss() -> None:
    assert value_of("loss_rise_max", log(steps([2.0, 9.0, 1.0]))) == 4.5
    assert value_of("loss_rise_max", log(steps(FALLING))) == 1


def test_end_is_the_last_quarter_over_the_first_loss() -> None:
    assert value_of("loss_end_ratio", log(steps([2.0] * 9 + [1.0] * 3))) == 0.5


def test_end_of_a_run_that_broke_is_infinite() -> None:
    assert value_of("loss_end_ratio", log(steps([2.0, 1.0, math.nan]))) == math.inf


@pytest.mark.parametrize(
    ("losses", "steadily"),
    [
        ([2.0] * 9 + [1.0] * 3, True),
        ([2.0] * 9 + [1.01] * 3, False),
        ([2.0, 19.9] + [2.0] * 7 + [0.1] * 3, True),
        ([2.0, 20.1] + [2.0] * 7 + [0.1] * 3, False),
        ([2.0] * 9 + [0.1] * 2 + [math.nan], False),
    ],
)
def test_halved_steadily_is_halved_without_being_thrown_up_first(losses: list[float], steadily: bool) -> None:
    assert value_of("loss_halved_steadily", log(steps(losses))) is steadily


def test_fall_is_the_share_that_is_gone() -> None:
    assert value_of("loss_fall", log(steps(FALLING))) == pytest.approx(1 - 0.95**30, rel=0.01)


def test_noise_is_no_fall() -> None:
    noisy = [3.0, 2.9, 3.1, 2.8] + [1.0, 3.0, 2.0, 2.5] * 4 + [1.0, 1.2, 2.9, 3.0]
    assert value_of("loss_fall", log(steps(noisy))) == 0


def test_rising_and_broken_losses_have_no_fall() -> None:
    assert value_of("loss_fall", log(steps(FALLING[::-1]))) == 0
    assert value_of("loss_fall", log(steps([*FALLING, math.inf]))) == 0


@pytest.mark.parametrize("name", NAMES)
def test_unit_of_the_loss_does_not_matter(name: str) -> None:
    scaled = log(steps([1000 * loss for loss in FALLING]))
    assert value_of(name, scaled) == pytest.approx(value_of(name, log(steps(FALLING))))


@pytest.mark.parametrize("name", NAMES)
def test_absent(name: str) -> None:
    assert measure(name, log()).absent == "no training step was seen"
    assert measure(name, log(steps([None] * 20))).absent == "no training loss was seen"
    assert "not positive" in (measure(name, log(steps([1.0] * 19 + [-1.0]))).absent or "")
    assert "needed" in (measure(name, log(steps([1.0]))).absent or "")
    assert "never finite" in (measure(name, log(steps([math.nan] * 5))).absent or "")


def test_series_is_that_of_the_most_frequent_optimizers() -> None:
    critic = steps([4.0, 2.0, 1.0] * 5, optimizers=(1,))
    generator = steps([100.0] * 3, optimizers=(0,))
    assert value_of("loss_rise_max", log(adam(0), adam(1), generator, critic)) == 1
    assert measure("loss_rise_max", log(adam(0), adam(1), generator, critic)).n == 15


def test_of_optimizers_that_alternate_the_recurrent_one_leads() -> None:
    both = [step for pair in zip(steps([4.0] * 9, optimizers=(0,)), steps([2.0, 6.0] * 4, optimizers=(1,)),
                                 strict=False) for step in pair]  # fmt: skip
    assert value_of("loss_rise_max", log(adam(0), adam(1), both)) == 1
    recurrent = weight(optimizer=1)
    assert value_of("loss_rise_max", log(adam(0), adam(1), recurrent, both)) == 3


def called(function: str, *values: float | None, **fields: Any) -> list[LossCall]:
    return [loss_call(function, step=k, value=value, **fields) for k, value in enumerate(values, 1)]


@pytest.mark.parametrize(
    ("function", "fields", "uninformed"),
    [
        ("cross_entropy", {"input_shape": (16, 4)}, math.log(4)),
        ("nll_loss", {"input_shape": (2, 9, 35)}, math.log(9)),
        ("binary_cross_entropy", {"input_shape": (16, 1)}, math.log(2)),
        ("binary_cross_entropy_with_logits", {"input_shape": (16,)}, math.log(2)),
        ("mse_loss", {"input_shape": (16, 1), "baseline": 0.25}, 0.25),
        ("smooth_l1_loss", {"input_shape": (16, 1), "baseline": 0.12}, 0.12),
    ],
)
def test_an_answer_that_knows_nothing_has_ratio_1(
    function: str, fields: dict[str, Any], uninformed: float
) -> None:
    values = [0.5 * uninformed, uninformed, 9 * uninformed]
    assert value_of("loss_uninformed_ratio", log(called(function, *values, **fields))) == pytest.approx(1)
    halves = [v / 2 for v in values]
    assert value_of("loss_uninformed_ratio", log(called(function, *halves, **fields))) == pytest.approx(0.5)


def test_of_several_losses_the_one_that_knows_most_counts() -> None:
    both = log(called("mse_loss", 1.5, baseline=1.0), called("mse_loss", 0.3, baseline=1.0, site=1))
    assert value_of("loss_uninformed_ratio", both) == pytest.approx(0.3)


@pytest.mark.parametrize(
    "call",
    [
        called("l1_loss", 1.0, input_shape=(16, 1)),
        called("mse_loss", 1.0, input_shape=(16, 1), baseline=None),
        called("mse_loss", 1.0, input_shape=(16, 1), baseline=0.0),
        called("cross_entropy", 1.0, input_shape=(4,)),
        called("cross_entropy", 0.0, input_shape=(16, 1)),
        called("cross_entropy", None),
        called("cross_entropy", math.nan),
    ],
)
def test_no_ratio_without_both_losses(call: list[LossCall]) -> None:
    found = measure("loss_uninformed_ratio", log(steps(FALLING), call))
    assert "knows nothing" in (found.absent or "")


def summed(factor: float, at_steps: tuple[int, ...] = (1, 3, 8), mean: float = 1.0) -> list[LossSum]:
    """The training loss is so many times the mean loss of one target."""
    return [
        LossSum(record="loss_sum", step=k, calls=1, targets=64, mean=mean, loss=factor * mean)
        for k in at_steps
    ]


def test_of_a_summed_loss_the_mean_is_held_against_it() -> None:
    of = log(called("mse_loss", 64.0, baseline=1.0), summed(64.0, (1,)))
    assert value_of("loss_uninformed_ratio", of) == pytest.approx(1)


@pytest.mark.parametrize("factor", [1.0, 64.0, 0.01])
def test_a_fall_to_what_one_answer_gets_is_none_of_the_network(factor: float) -> None:
    """The mean of the targets is 4 of their standard deviations away, and nothing else is learned."""
    losses = [factor * (1.0 + 16 * 0.9**k) for k in range(60)]
    of = log(steps(losses), called("mse_loss", 1.0, baseline=1.0), summed(factor))
    assert value_of("loss_fall", of) > 0.8  # type: ignore[operator]
    assert value_of("loss_fall_informed", of) == 0


def test_a_fall_below_it_is() -> None:
    of = log(steps([1.0 + 16 * 0.8**k - k / 120 for k in range(60)]), called("mse_loss", 1.0, baseline=1.0))
    assert value_of("loss_fall_informed", of) == pytest.approx(0.43, abs=0.02)
    unknown_level = log(steps(FALLING), called("ctc_loss", 1.0))
    assert value_of("loss_fall_informed", unknown_level) == value_of("loss_fall", unknown_level)


def test_how_frequent_each_label_is_the_output_layer_learns_alone() -> None:
    falling = [1.0 + 0.386 * 0.8**k for k in range(40)]
    shapes = {"input_shape": (640, 4), "target_shape": (640,)}
    frequent = log(steps(falling), called("cross_entropy", 1.386, baseline=1.0, **shapes))
    assert value_of("loss_fall_informed", frequent) == pytest.approx(0, abs=0.01)
    shapes = {"input_shape": (32, 4), "target_shape": (32,)}  # too few labels to tell their frequencies
    few = log(steps(falling), called("cross_entropy", 1.386, baseline=1.0, **shapes))
    assert value_of("loss_fall_informed", few) == value_of("loss_fall", few)


def test_half_of_the_loss_is_gone() -> None:
    assert value_of("loss_halved", log(steps(FALLING))) is (value_of("loss_fall", log(steps(FALLING))) >= 0.5)  # type: ignore[operator]
    assert value_of("loss_halved", log(steps([1.0, *[0.4] * 40]))) is False  # no trend
    assert value_of("loss_halved", log(steps([1 - 0.02 * k for k in range(45)]))) is True


def test_a_loss_below_zero_has_not_halved_where_its_rate_is_gone_at_once() -> None:
    falling = [0.5 - 0.02 * k for k in range(40)]
    for factor, halved in ((0.6, False), (0.79, False), (0.81, None), (1.0, None)):
        rates = [1e-3 * factor**k for k in range(40)]
        assert value_of("loss_halved", log(steps(falling, lr=rates))) is halved
    returning = [1e-3 * 0.6 ** min(k, 39 - k) for k in range(40)]
    assert value_of("loss_halved", log(steps(falling, lr=returning))) is None


def test_a_loss_below_zero_has_not_halved_where_it_does_not_fall_at_first() -> None:
    flat = [(-1.0) ** k * 0.3 for k in range(40)]
    assert value_of("loss_halved", log(steps(flat))) is False
    assert value_of("loss_fall", log(steps(flat))) is None
    for untold in (flat * 6, flat[:11], [0.5 - 0.02 * k for k in range(40)], [*flat, math.nan]):
        assert value_of("loss_halved", log(steps(untold))) is None
