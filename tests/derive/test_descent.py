import math

import pytest

from tests.derive.logs import adam, log, measure, samples, steps, value_of, weight

AT = [1, 3, 8, 21, 50]
FIFTY = steps([2.0] * 50)


def test_the_bound_is_fifty_times_what_one_update_could_take() -> None:
    # Two parameters, each |u| = 0.01 and |g| = 0.5: 0.01 an update, of a loss of 2.
    head = weight(1, "head.weight", owner="Linear", module=None)
    run = log(adam(), weight(), head, FIFTY, samples(AT, parameters=(0, 1)))
    assert value_of("loss_fall_bound", run) == pytest.approx(50 * 2 * 0.01 * 0.5 / 2.0)


def test_plain_descent_on_a_slope_falls_by_the_bound() -> None:
    # L = 10 - g x with g = 0.2 and a rate of 0.3: each update takes rate * g^2.
    fall = 0.3 * 0.2**2
    run = log(
        adam(kind="SGD"), weight(), steps([10 - fall * k for k in range(50)]),
        samples(AT, grad_norm=(0.2,), update_norm=(0.3 * 0.2,)),
    )  # fmt: skip
    assert value_of("loss_fall_bound", run) == pytest.approx(50 * fall / 10, rel=0.05)


def test_a_scaled_loss_with_steps_that_follow_it_is_another_bound() -> None:
    """Of SGD a loss at a hundredth has a hundredth of the gradient and of the update: a hundredth of the share."""
    small = samples(AT, grad_norm=(0.005,), update_norm=(0.0001,))
    plain = value_of("loss_fall_bound", log(adam(), weight(), FIFTY, samples(AT)))
    scaled = value_of("loss_fall_bound", log(adam(), weight(), steps([0.02] * 50), small))
    assert isinstance(plain, float)
    assert scaled == pytest.approx(plain / 100)


def test_biases_and_embeddings_do_not_count() -> None:
    others = [weight(1, "head.bias", shape=(8,)), weight(2, "embed.weight", owner="Embedding", module=None)]
    plain = value_of("loss_fall_bound", log(adam(), weight(), FIFTY, samples(AT)))
    run = log(adam(), weight(), others, FIFTY, samples(AT, parameters=(0, 1, 2)))
    assert value_of("loss_fall_bound", run) == pytest.approx(plain)


def test_the_gradient_is_that_before_clipping() -> None:
    clipped = log(adam(), weight(), steps([2.0] * 50, [4.0] * 50, clipped_norm=1.0), samples(AT))
    plain = value_of("loss_fall_bound", log(adam(), weight(), FIFTY, samples(AT)))
    assert isinstance(plain, float)
    assert value_of("loss_fall_bound", clipped) == pytest.approx(4 * plain)


def test_it_is_the_median_of_the_early_samples() -> None:
    first = samples([1], update_norm=(1.0,))
    late = samples([100, 200], update_norm=(5.0,))
    run = log(adam(), weight(), steps([2.0] * 200), first, samples(AT[1:]), late)
    assert value_of("loss_fall_bound", run) == pytest.approx(50 * 0.01 * 0.5 / 2.0)


def test_absent() -> None:
    assert measure("loss_fall_bound", log()).absent == "no training step was seen"
    without = log(adam(), weight(), steps([None] * 50), samples(AT))
    assert measure("loss_fall_bound", without).absent == "no training loss was seen"
    negative = log(adam(), weight(), steps([-1.0] * 50), samples(AT))
    assert "not positive" in (measure("loss_fall_bound", negative).absent or "")
    nothing = log(adam(), weight(), FIFTY, samples(AT, grad_norm=(None,)))
    assert "no sampled update" in (measure("loss_fall_bound", nothing).absent or "")
    broken = log(adam(), weight(), FIFTY, samples(AT, grad_norm=(math.inf,)))
    assert "no sampled update" in (measure("loss_fall_bound", broken).absent or "")
    assert "no sampled update" in (measure("loss_fall_bound", log(adam(), weight(), FIFTY)).absent or "")


def test_what_fell_beyond_the_bound_the_biases_gave() -> None:
    falling = steps([2.0 * 0.99**k for k in range(50)])
    small = samples(AT, grad_norm=(0.05,), update_norm=(0.001,))
    run = log(adam(), weight(), falling, small)
    bound, fall = value_of("loss_fall_bound", run), value_of("loss_fall_informed", run)
    assert isinstance(bound, float)
    assert isinstance(fall, float)
    assert bound < 0.01
    assert fall > 0.1
    assert value_of("loss_fall_by_matrices", run) == bound
    rows = weight(1, "embed.weight", owner="Embedding", module=None)
    assert value_of("loss_fall_by_matrices", log(adam(), weight(), rows, falling, small)) == fall
    large = samples(AT, grad_norm=(5.0,), update_norm=(0.1,))
    assert value_of("loss_fall_by_matrices", log(adam(), weight(), falling, large)) == fall
    assert measure("loss_fall_by_matrices", log(adam(), weight(), steps([2.0] * 3), small)).absent
