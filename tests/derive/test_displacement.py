import math

import pytest

from rnn_doctor.schema.built import Scheduler
from rnn_doctor.schema.runlog import LossCall
from tests.derive.logs import adam, log, measure, samples, steps, value_of, weight

FIFTY = steps([1.0] * 50)
AT = [1, 2, 3, 5, 8, 13, 21, 34, 50]


def test_displacement_is_that_of_the_last_sample() -> None:
    run = log(adam(), weight(), FIFTY, samples(AT, lambda k: 0.02 * k))
    assert value_of("displacement_relative", run) == 1.0
    assert value_of("displacement_per_step", run) == pytest.approx(0.02)
    assert value_of("displacement_excess", run) == pytest.approx(0.5)


def test_doubling_all_norms_changes_nothing() -> None:
    plain = samples(AT, lambda k: 0.02 * k)
    doubled = samples(AT, lambda k: 0.04 * k, weight_norm=(2.0,), update_norm=(0.02,))
    for name in (
        "displacement_relative",
        "displacement_excess",
        "displacement_per_step",
        "update_ratio_median",
    ):
        assert value_of(name, log(adam(), weight(), FIFTY, doubled)) == pytest.approx(
            value_of(name, log(adam(), weight(), FIFTY, plain))
        )


def test_long_runs_may_move_further() -> None:
    long = log(adam(), weight(), steps([1.0] * 500), samples([50, 500], lambda k: 0.04 * k))
    assert value_of("displacement_excess", long) == pytest.approx(1.0)
    assert value_of("displacement_per_step", long) == pytest.approx(0.04)
    slowing = log(adam(), weight(), steps([1.0] * 500), samples([50, 500], lambda k: 0.5))
    assert value_of("displacement_per_step", slowing) == pytest.approx(0.01)


def test_embeddings_vectors_and_foreign_tensors_are_left_out() -> None:
    others = [
        weight(1, "embed.weight", owner="Embedding", module=None),
        weight(2, "lstm.bias_hh_l0", shape=(128,)),
        weight(3, "frozen.weight", optimizer=None, module=None),
    ]
    wild = samples(AT, parameters=(0, 1, 2, 3), displacement=lambda k: 0.0)
    moved = [
        s.model_copy(update={"displacement": (0.5, 99.0, 99.0, 99.0), "update_norm": (0.1, 9.0, 9.0, 9.0)})
        for s in wild
    ]
    run = log(adam(), weight(), others, FIFTY, moved)
    assert value_of("displacement_relative", run) == 0.5
    assert value_of("update_ratio_median", run) == pytest.approx(0.1)


@pytest.mark.parametrize(("shape", "expected"), [((600, 9000), 0.5), ((9001, 9000), 4.03)])
def test_the_head_of_a_vocabulary_is_left_out_where_most_words_are_in_no_batch(
    shape: tuple[int, int], expected: float
) -> None:
    head = weight(1, "head.weight", shape=(9000, 32), owner="Linear", module=None)
    call = LossCall(
        record="loss", step=1, site=0, function="cross_entropy", input_shape=shape, target_shape=shape[:1]
    )
    moved = [
        s.model_copy(update={"displacement": (0.5, 4.0), "weight_norm": (1.0, 0.001)})
        for s in samples(AT, parameters=(0, 1))
    ]
    run = log(adam(), weight(), head, call, FIFTY, moved)
    assert value_of("displacement_relative", run) == pytest.approx(expected, rel=1e-2)
    assert value_of("displacement_excess", run) == pytest.approx(
        max(d / max(2.0, 0.04 * k) for k, d in zip(AT, [expected] * len(AT), strict=True)), rel=1e-2
    )
    # The smallness of steps is judged with the head: it may be all that moves.
    assert value_of("displacement_per_step", run) == pytest.approx(4.03 / 50, rel=1e-2)


def test_a_head_alone_still_counts() -> None:
    head = weight(0, "head.weight", shape=(9000, 32), owner="Linear", module=None)
    call = LossCall(record="loss", step=1, site=0, function="nll_loss", input_shape=(20, 9000))
    run = log(adam(), head, call, FIFTY, samples(AT, lambda k: 0.02 * k))
    assert value_of("displacement_relative", run) == 1.0


def test_a_large_front_end_that_is_tuned_gently_does_not_hide_the_recurrent_part() -> None:
    front = weight(1, "cnn.weight", owner="Conv2d", module=None)
    run = log(
        adam(), weight(), front, FIFTY,
        samples(AT, parameters=(0, 1), weight_norm=(1.0, 100.0), displacement=lambda k: 0.01 * k),
    )  # fmt: skip
    assert value_of("displacement_per_step", run) == pytest.approx(0.01)
    assert value_of("displacement_relative", run) == pytest.approx(0.5 * math.sqrt(2) / 100, rel=1e-3)


def test_the_path_is_made_of_single_updates() -> None:
    run = log(adam(), weight(), FIFTY, samples(AT, lambda k: 0.001 * k, update_norm=(0.02,)))
    assert value_of("path_per_step", run) == pytest.approx(0.02)
    assert value_of("displacement_per_step", run) == pytest.approx(0.001)
    front = weight(1, "cnn.weight", owner="Conv2d", module=None)
    two = samples(AT, parameters=(0, 1), weight_norm=(1.0, 9.0), update_norm=(0.02, 0.001))
    assert value_of("path_per_step", log(adam(), weight(), front, FIFTY, two)) == pytest.approx(0.02)


def test_weights_after_nan_are_left_out() -> None:
    broken = samples([50], lambda k: math.nan)
    run = log(adam(), weight(), FIFTY, samples([8, 21], lambda k: 0.1), broken)
    assert value_of("displacement_relative", run) == 0.1


def test_warm_up_is_not_judged_small() -> None:
    rising = [0.001 * (k + 1) for k in range(50)]
    run = log(adam(), weight(), steps([1.0] * 50, lr=rising), samples(AT, lambda k: 1e-9))
    assert "warming up" in (measure("displacement_per_step", run).absent or "")
    short = [min(0.01, 0.001 * (k + 1)) for k in range(50)]
    done = log(adam(), weight(), steps([1.0] * 50, lr=short), samples(AT, lambda k: 1e-9))
    assert value_of("displacement_per_step", done) is not None


@pytest.mark.parametrize(
    ("kind", "judged"), [("LinearLR", False), ("GradualWarmupScheduler", False), ("StepLR", True)]
)
def test_a_warm_up_by_epochs_that_has_not_moved_the_rate_is_not_judged_small(kind: str, judged: bool) -> None:
    schedule = Scheduler(record="scheduler", kind=kind, optimizer=0)
    still = log(adam(), weight(), schedule, FIFTY, samples(AT, lambda k: 1e-9))
    assert (measure("displacement_per_step", still).value is not None) == judged
    falling = steps([1.0] * 50, lr=[0.01 * 0.99**k for k in range(50)])
    begun = log(adam(), weight(), schedule, falling, samples(AT, lambda k: 1e-9))
    assert value_of("displacement_per_step", begun) is not None


def test_hand_written_updates_count() -> None:
    run = log(
        weight(optimizer=None), steps([1.0] * 50, optimizers=(), lr=0.0), samples(AT, lambda k: 0.02 * k)
    )
    assert value_of("displacement_relative", run) == 1.0


@pytest.mark.parametrize(("kind", "excess"), [("SGD", 0.01), ("Adam", 25.0)])
def test_distance_that_a_spike_made_is_the_spikes(kind: str, excess: float) -> None:
    norms, losses = [1.0] * 50, [1.0] * 21 + [9.0] * 29
    norms[20] = 500.0
    thrown = samples(AT, lambda k: 0.02 if k < 21 else 50.0)
    run = log(adam(kind=kind), weight(), steps(losses, norms), thrown)
    assert value_of("displacement_excess", run) == pytest.approx(excess)
    at_once = log(adam(kind="SGD"), weight(), steps(losses, norms), samples([21, 34], lambda k: 50.0))
    assert "spike" in (measure("displacement_excess", at_once).absent or "")


def test_absent() -> None:
    assert measure("displacement_relative", log()).absent == "no training step was seen"
    assert "sampled" in (measure("displacement_relative", log(FIFTY)).absent or "")
    assert "no trained weight" in (measure("displacement_excess", log(FIFTY, samples(AT))).absent or "")
    zero = log(adam(), weight(), FIFTY, samples(AT, weight_norm=(0.0,)))
    assert "start at zero" in (measure("displacement_relative", zero).absent or "")
    assert "start at zero" in (measure("update_ratio_median", zero).absent or "")
    few = log(adam(), weight(), steps([1.0] * 5), samples([1, 2, 3, 5]))
    assert "10 are needed" in (measure("displacement_per_step", few).absent or "")
