import pytest

from rnn_doctor.derive.target_scale import Scale, way
from rnn_doctor.schema.built import Scheduler
from rnn_doctor.schema.runlog import LossCall
from tests.derive.logs import LOSS, log, loss_call, measure, steps, value_of

SUBJECT = LOSS.format("mse_loss")
NUMBERS = ("target_updates_needed", "target_distance_closed", "target_magnitude")


def call(
    step: int, mean: float, std: float, target: tuple[float, float] = (1000.0, 300.0), /, **fields: object
) -> LossCall:
    """One sampled call of mse_loss: what its outputs and targets are."""
    numbers = {"mean": mean, "std": std, "target_mean": target[0], "target_std": target[1]}
    return loss_call("mse_loss", step, **{**numbers, **fields})


def test_a_level_far_away_takes_as_long_as_its_pace_says() -> None:
    run = log(steps([1e6] * 51), call(1, 0.0, 0.1), call(51, 5.0, 0.6))
    # 1000 - 300 - 5 are left, at 5 in 50 updates
    assert value_of("target_updates_needed", run, SUBJECT) == pytest.approx(6950)
    assert value_of("target_distance_closed", run, SUBJECT) == pytest.approx(5 / 700)
    assert value_of("target_magnitude", run, SUBJECT) == pytest.approx(1e3 * 1.09**0.5)
    words = value_of("target_scales", run, SUBJECT)
    assert words == (
        "outputs of mean 5 and standard deviation 0.6 against targets of mean 1e+03 and standard deviation 300"
    )


def test_differences_written_by_hand_are_told_the_same() -> None:
    run = log(
        steps([1e6] * 51),
        *(c.model_copy(update={"function": "expression"}) for c in (call(1, 0.0, 0.1), call(51, 5.0, 0.6))),
    )
    assert value_of("target_updates_needed", run, LOSS.format("expression")) == pytest.approx(6950)


def test_a_spread_far_away_counts_by_its_own_pace() -> None:
    run = log(steps([9e4] * 51), call(1, 0.0, 0.1, (0.0, 300.0)), call(51, 0.0, 1.1, (0.0, 300.0)))
    # a tenth of 300 is sought, 1.1 is there, 1 came in 50 updates
    assert value_of("target_updates_needed", run, SUBJECT) == pytest.approx((30 - 1.1) * 50)


def test_the_fastest_stretch_counts() -> None:
    slow_at_the_end = [
        Scale(0, 0.0, 0.1, 500.0, 1.0),
        Scale(2, 4.0, 0.1, 500.0, 1.0),
        Scale(50, 4.0, 0.1, 500.0, 1.0),
    ]
    assert way(slow_at_the_end).updates == pytest.approx((500 - 1 - 4) / 2)


@pytest.mark.parametrize("scale", [1.0, 7.0, 1000.0])
def test_the_unit_of_outputs_and_targets_is_no_matter(scale: float) -> None:
    scales = [Scale(0, 0.0, scale, 40 * scale, scale), Scale(50, scale, scale, 40 * scale, scale)]
    assert way(scales) == pytest.approx((38 * 50, 1 / 39))


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param(call(1, 998.0, 20.0), call(51, 1001.0, 250.0), id="a bias that starts at the mean"),
        pytest.param(call(1, 700.0, 31.0), call(51, 720.0, 31.0), id="just within a standard deviation"),
        pytest.param(call(1, 0.1, 0.2, (0.0, 1.0)), call(51, 0.1, 0.2, (0.0, 1.0)), id="standardized noise"),
    ],
)
def test_outputs_at_the_scale_of_their_targets_need_nothing(first: LossCall, last: LossCall) -> None:
    run = log(steps([1.0] * 51), first, last)
    assert value_of("target_updates_needed", run, SUBJECT) == 0
    assert value_of("target_distance_closed", run, SUBJECT) == 1


def test_other_losses_are_no_subject() -> None:
    run = log(steps([1.0] * 51), loss_call(step=1), loss_call(step=51))
    for name in NUMBERS:
        with pytest.raises(KeyError):
            measure(name, run, LOSS.format("cross_entropy"))


WARMING = [0.001 * (k + 1) for k in range(51)]


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([steps([1.0]), call(1, 0.0, 0.1)], "1 floating-point call was"),
        ([steps([1.0] * 51), call(1, 0.0, 0.1, mean=None), call(51, 0.0, 0.1)], "0 floating-point calls"),
        (
            [steps([1.0] * 51), call(1, 0.0, 0.1), call(3, float("inf"), 0.1), call(51, 1.0, 0.1)],
            "1 floating",
        ),
        ([steps([1.0] * 51), call(1, 0.0, 0.1, broadcast=True), call(51, 0.0, 0.1)], "differ in shape"),
        ([steps([1.0] * 51), call(1, 0.0, 0.1), call(51, 0.0, 0.1)], "did not move"),
        ([steps([1.0] * 51, lr=WARMING), call(1, 0.0, 0.1), call(51, 0.1, 0.1)], "warming up"),
        (
            [
                steps([1.0] * 51),
                Scheduler(record="scheduler", kind="OneCycleLR", optimizer=0),
                call(1, 0.0, 0.1),
                call(51, 0.1, 0.1),
            ],
            "OneCycleLR",
        ),
    ],
)
def test_what_does_not_follow_is_not_told(records: list[object], reason: str) -> None:
    absent = measure("target_updates_needed", log(*records), SUBJECT).absent  # type: ignore[arg-type]
    assert absent is not None
    assert reason in absent


def test_batches_whose_targets_lie_elsewhere_by_chance_move_nothing() -> None:
    run = log(steps([1e10] * 51), call(1, 0.0, 0.1, (1200.0, 300.0)), call(51, 5.0, 0.6, (800.0, 300.0)))
    assert value_of("target_updates_needed", run, SUBJECT) == pytest.approx(6950)
    assert value_of("target_distance_closed", run, SUBJECT) == pytest.approx(5 / 700)
