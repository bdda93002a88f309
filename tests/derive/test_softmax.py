from typing import Any

import pytest

from rnn_doctor.schema.recurrence import Softmax
from rnn_doctor.schema.runlog import Batch, LossCall, Record
from tests.derive.logs import at, batch, log, loss_call, lstm, measure, steps, value_of

B, T, H, C = 16, 20, 32, 4


def softmax(shape: tuple[int, ...], dim: int, step: int = 1, **fields: Any) -> Softmax:
    return Softmax(**{
        "record": "softmax", "step": step, "function": "softmax", "shape": shape, "dim": dim,
        "largest": shape[dim], "location": at(40), **fields,
    })  # fmt: skip


def run(*calls: Softmax, given: tuple[Record, ...] | None = None, loss: LossCall | None = None) -> Any:
    """A run of an LSTM of 32 units on 16 sequences of 20 steps, classified in 4 classes at two sampled steps."""
    batches = given if given is not None else tuple(batch(step, time=T, batch=B) for step in (1, 3))
    judged = [loss or loss_call(step=step, input_shape=(B, C)) for step in (1, 3)]
    return log(steps([1.0] * 3), lstm(), batches, judged, calls)


def wrong(of: Any) -> bool | float | str | None:
    return value_of("softmax_wrong_dimension", of)


@pytest.mark.parametrize(
    ("shape", "dim"),
    [
        pytest.param((B, T), 0, id="attention, batch first"),
        pytest.param((T, B), 1, id="attention, time first"),
        pytest.param((B, T, 1), 0, id="as without a dimension"),
        pytest.param((B, 1, T), 0, id="scores of bmm"),
        pytest.param((B, C), 0, id="classes"),
    ],
)
def test_a_softmax_over_the_batch(shape: tuple[int, ...], dim: int) -> None:
    found = run(softmax(shape, dim), softmax(shape, dim, 3))
    assert wrong(found) is True
    assert measure("softmax_wrong_dimension", found).location == at(40)
    assert f"over dimension {dim}" in str(value_of("softmax_problem", found))
    assert "16 samples" in str(value_of("softmax_problem", found))


def classes(
    share: float | None, shape: tuple[int, ...], function: str = "nll_loss", maximum: float = -0.1
) -> LossCall:
    return loss_call(
        function, input_shape=shape, head="log_softmax", log_simplex_share=share, maximum=maximum
    )


@pytest.mark.parametrize(
    ("shape", "dim", "share", "given", "expected"),
    [
        pytest.param((H, C), 0, 0.0, (H, C), True, id="over samples as many as units"),
        pytest.param((B, T, C), 1, 0.0, (B * T, C), True, id="over time"),
        pytest.param((B, T, C), 1, 0.0, (B, C, T), True, id="over time, classes second"),
        pytest.param((B, T, C), 2, 1.0, (B * T, C), False, id="over the classes"),
        pytest.param((B, T, C), 1, None, (B * T, C), False, id="values not seen"),
        pytest.param((B, T, C + 1), 2, 0.0, (B * T, C), False, id="a class was cut off"),
        pytest.param((B, C), 1, 0.0, (B, C), False, id="over the classes, and weighed"),
    ],
)
@pytest.mark.parametrize("function", ["nll_loss", "cross_entropy"])
def test_a_softmax_not_over_the_classes_of_its_loss(
    function: str,
    shape: tuple[int, ...],
    dim: int,
    share: float | None,
    given: tuple[int, ...],
    expected: bool,
) -> None:
    found = run(softmax(shape, dim, function="log_softmax"), loss=classes(share, given, function))
    assert (wrong(found) is True) is expected
    if expected:
        words = f"over dimension {dim} of a tensor of shape {shape}, and not over the 4 classes that {function} is"
        assert value_of("softmax_problem", found) == f"{words} given"
        assert value_of("activation_repeated", found, f"{function} at train.py:30") is False


def test_rows_that_are_no_numbers_are_not_told_for_it() -> None:
    broken = classes(0.0, (H, C), maximum=float("nan"))
    assert wrong(run(softmax((H, C), 0, function="log_softmax"), loss=broken)) is not True


def test_the_classes_of_ctc_are_last() -> None:
    found = run(softmax((T, B, C), 0, function="log_softmax"), loss=classes(0.0, (T, B, C), "ctc_loss"))
    assert "not over the 4 classes that ctc_loss" in str(value_of("softmax_problem", found))
    sound = run(softmax((T, B, C), 2, function="log_softmax"), loss=classes(0.0, (T, B, C), "ctc_loss"))
    assert wrong(sound) is False


@pytest.mark.parametrize(
    ("shape", "dim"),
    [
        pytest.param((B, T, 1), 2, id="batch first"),
        pytest.param((T, B, 1), 2, id="time first"),
        pytest.param((B, 1, T), 1, id="scores of bmm"),
    ],
)
def test_a_softmax_over_one(shape: tuple[int, ...], dim: int) -> None:
    found = run(softmax(shape, dim))
    assert wrong(found) is True
    assert "has size 1" in str(value_of("softmax_problem", found))


def test_a_softmax_over_one_class_before_its_loss() -> None:
    loss = loss_call("mse_loss", input_shape=(B, 1), head="softmax")
    assert wrong(run(softmax((B, 1), 1), loss=loss)) is True
    assert wrong(run(softmax((B, 1), 1))) is False


@pytest.mark.parametrize(
    ("shape", "dim", "fields"),
    [
        pytest.param((B, T), 1, {}, id="temporal attention"),
        pytest.param((T, B), 0, {}, id="temporal attention, time first"),
        pytest.param((T, B, 1), 0, {}, id="time first, as without a dimension"),
        pytest.param((B, C), 1, {}, id="classes"),
        pytest.param((B, T, C), 2, {}, id="classes at each step"),
        pytest.param((B, B), 0, {}, id="contrastive, one way"),
        pytest.param((B, B), 1, {}, id="contrastive, other way"),
        pytest.param((B,), 0, {}, id="weights of the samples"),
        pytest.param((3,), 0, {}, id="weights of layers"),
        pytest.param((2, B, H), 0, {}, id="over directions"),
        pytest.param((B, 8, T, T), 3, {}, id="heads"),
        pytest.param((B, 5), 1, {}, id="mixture or beam"),
        pytest.param((B, 1), 1, {}, id="a mixture of one"),
        pytest.param((B, 1, 1), 2, {}, id="memory of the first step alone"),
        pytest.param((B, 1, T), 1, {"largest": 7}, id="a memory that grows"),
    ],
)
def test_sound_ones(shape: tuple[int, ...], dim: int, fields: dict[str, Any]) -> None:
    found = run(softmax(shape, dim, **fields), softmax(shape, dim, 3, **fields))
    assert wrong(found) is False
    assert value_of("softmax_problem", found) == "none"


def test_a_bag_of_samples_that_is_judged_as_one_may_be_weighed() -> None:
    assert wrong(run(softmax((B, 1), 0), loss=loss_call(input_shape=(1, C)))) is False


def test_a_dimension_that_is_the_batch_at_one_step_alone_is_not() -> None:
    given = (batch(1, time=T, batch=B), batch(3, time=T, batch=B - 3))
    assert wrong(run(softmax((B, C), 0), softmax((B, C), 0, 3), given=given)) is False


def test_one_wrong_site_of_two_is_enough() -> None:
    fine = softmax((B, T), 1, location=at(41))
    assert measure("softmax_wrong_dimension", run(fine, softmax((B, T), 0))).location == at(40)


BATCHES: list[tuple[Batch, ...]] = [
    (batch(1, time=B, batch=B),),
    (),
    (batch(1, time=T, batch=B), batch(1, 1, time=T, batch=7)),
    (batch(1, time=1, batch=B, calls=B),),
]


@pytest.mark.parametrize("given", BATCHES, ids=["as many steps", "no module", "two batches", "as many calls"])
def test_a_batch_that_cannot_be_told(given: tuple[Record, ...]) -> None:
    absent = measure("softmax_wrong_dimension", run(softmax((B, 9), 0), given=given)).absent
    assert absent is not None
    assert "could not be told" in absent


def test_a_size_that_units_have_too_is_told_by_the_axis_of_time() -> None:
    given = (batch(1, time=T, batch=H),)
    loss = loss_call(input_shape=(H, C))
    assert wrong(run(softmax((H, T), 0), given=given, loss=loss)) is True
    assert wrong(run(softmax((H, 9), 0), given=given, loss=loss)) is None


def test_without_a_softmax_there_is_no_wrong_one() -> None:
    assert wrong(run()) is False
    assert wrong(log()) is None
