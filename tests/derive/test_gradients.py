import math

import pytest

from rnn_doctor.schema.runlog import Place, RunLog
from rnn_doctor.schema.signals import Measurement
from tests.derive.logs import adam, at, log, measure, not_finite, samples, steps, value_of

QUIET = [1.0] * 30
LOSSES = [1.0] * 30


def spiked(norm: float = 50.0, after: float = 5.0, where: int = 20) -> RunLog:
    norms = [*QUIET]
    norms[where] = norm
    losses = LOSSES[: where + 1] + [after] * (29 - where)
    return log(steps(losses, norms))


def test_spike_is_the_ratio_to_the_median_before() -> None:
    assert value_of("grad_norm_spike_max", spiked(50.0)) == 50
    assert value_of("grad_norm_spike_count", spiked(50.0)) == 1


def test_what_clipping_leaves_of_a_spike() -> None:
    assert value_of("grad_norm_spike_applied", spiked(50.0)) == 50
    assert value_of("grad_norm_spike_applied", log(steps(LOSSES, QUIET))) == 1
    clipped = spiked(50.0)
    cut = [
        step.model_copy(update={"clipped_norm": 1.5}) if step.grad_norm == 50 else step
        for step in clipped.steps
    ]
    assert value_of(
        "grad_norm_spike_applied", clipped.model_copy(update={"steps": tuple(cut)})
    ) == pytest.approx(1.5)


def test_scale_of_the_gradient_does_not_matter() -> None:
    doubled = log(steps(LOSSES[:21] + [5.0] * 9, [2 * (50.0 if k == 20 else 1.0) for k in range(30)]))
    assert value_of("grad_norm_spike_max", doubled) == value_of("grad_norm_spike_max", spiked())
    assert value_of("grad_norm_spike_count", doubled) == 1


def test_spike_without_a_rise_of_the_loss_is_harmless() -> None:
    harmless = spiked(50.0, after=1.1)
    assert value_of("grad_norm_spike_max", harmless) == 50
    assert value_of("grad_norm_spike_count", harmless) == 0


def test_one_odd_batch_is_no_explosion() -> None:
    norms, losses = [*QUIET], [*LOSSES]
    norms[20] = losses[20] = 50.0
    assert value_of("grad_norm_spike_count", log(steps(losses, norms))) == 0


def test_noisy_losses_hide_small_rises() -> None:
    losses = [1.0 if k % 2 else 3.0 for k in range(30)]
    norms = [50.0 if k == 20 else 1.0 for k in range(30)]
    assert value_of("grad_norm_spike_count", log(steps(losses, norms))) == 0


def test_spike_of_a_long_sentence_among_short_ones_is_harmless() -> None:
    # One sentence at a time, its loss summed: gradient and loss grow with its length, and long ones may follow.
    losses = [1.0, 2.0, 30.0, 1.0, 3.0] * 4 + [28.0, 26.0, 29.0, 27.0] + [1.0] * 4
    run = log(steps(losses, [2 * loss for loss in losses]))
    assert value_of("grad_norm_spike_max", run) > 10  # type: ignore[operator]
    assert value_of("grad_norm_spike_count", run) == 0
    unheard = [loss if loss < 25 else 2.0 for loss in losses[:20]] + losses[20:]
    assert value_of("grad_norm_spike_count", log(steps(unheard, [2 * loss for loss in unheard]))) == 2


@pytest.mark.parametrize("where", [19, 60])
def test_spike_of_a_converged_run_is_harmless(where: int) -> None:
    """Held against the first loss of all: where a divergence is annealed in, a loss near 0 rises to a new level."""
    norms = [50.0 if k == where else 1.0 for k in range(where + 11)]
    for after, spikes in ((1e-3, 0), (0.2, 1)):
        losses = [1.0] + [1e-4] * where + [after] * 10
        assert value_of("grad_norm_spike_count", log(steps(losses, norms))) == spikes


def test_large_gradients_of_the_first_steps_do_not_count() -> None:
    assert value_of("grad_norm_spike_max", spiked(50.0, where=3)) == pytest.approx(1.0)
    assert value_of("grad_norm_spike_max", spiked(500.0, where=3)) == 500


def test_explosion_at_the_very_first_step() -> None:
    norms = [300.0] + [1.0] * 29
    assert value_of("grad_norm_spike_count", log(steps([1.0] + [5.0] * 29, norms))) == 1
    assert value_of("grad_norm_spike_count", log(steps([1.0] * 30, norms))) == 0
    assert value_of("grad_norm_spike_max", log(steps([1.0] * 30, [50.0] + [1.0] * 29))) == 1


def test_steady_growth_is_an_explosion() -> None:
    growing = log(steps([1.2**k for k in range(30)], [1.4**k for k in range(30)]))
    assert value_of("grad_norm_spike_count", growing) > 1  # type: ignore[operator]


def recovered(*losses: float, norm: float = 50.0) -> Measurement:
    """One spike behind twenty losses of about 1, then these losses."""
    before = [1.0 + 0.1 * (k % 2) for k in range(20)]
    return measure(
        "grad_norm_spike_recovered",
        log(steps([*before, 1.0, *losses], [1.0] * 20 + [norm] + [1.0] * len(losses))),
    )


def test_a_loss_that_comes_back_from_its_rise() -> None:
    assert recovered(*[3.0] * 3, *[0.9] * 5).value is True
    assert recovered(*[3.0] * 3, *[1.2] * 5).value is False
    assert recovered(*[3.0] * 3, *[0.9] * 4).value is False  # too few to tell
    assert recovered(*[3.0] * 3, *[0.9] * 5, math.nan).value is False
    assert "did harm" in (recovered(*[1.0] * 8).absent or "")
    assert "did harm" in (recovered(*[3.0] * 8, norm=5.0).absent or "")
    assert "6 are needed" in (measure("grad_norm_spike_recovered", log(steps([1.0] * 4))).absent or "")


def test_losses_all_larger_come_back_alike() -> None:
    for scale in (1.0, 7.0):
        losses = [scale * v for v in [1.0] * 21 + [3.0] * 3 + [0.9] * 6]
        run = log(steps(losses, [1.0] * 20 + [50.0] + [1.0] * 9))
        assert value_of("grad_norm_spike_recovered", run) is True


def test_spikes_of_two_sides_that_take_turns_are_undecided() -> None:
    """The loss of a discriminator rises when the generator has learned; what one side makes of NaN is plain."""

    def by(order: list[int], last: float) -> RunLog:
        after = [5.0] * 8 + [last]
        losses, norms = [*LOSSES[:21], *after], [50.0 if k == 20 else 1.0 for k in range(30)]
        own = iter(steps(losses, norms))
        rows = [next(own) if o == 0 else steps([9.0], [1.0])[0] for o in order]
        return log(
            [
                row.model_copy(update={"step": k, "optimizers": (o,)})
                for k, (o, row) in enumerate(zip(order, rows, strict=True), 1)
            ]
        )

    turns, anew = [0, 1] * 30, [0] * 30 + [1] * 20
    assert "take turns" in (measure("grad_norm_spike_count", by(turns, 5.0)).absent or "")
    assert value_of("grad_norm_spike_count", by(anew, 5.0)) == 1
    assert value_of("grad_norm_spike_count", by(turns, math.nan)) == 1


def test_spike_before_nan_counts() -> None:
    norms = [1.0] * 10 + [500.0, 1.0]
    broken = log(steps([1.0] * 11 + [math.nan], norms))
    assert value_of("grad_norm_spike_count", broken) == 1


def test_falling_norm_has_no_spike() -> None:
    falling = log(steps(LOSSES, [0.8**k for k in range(30)]))
    assert value_of("grad_norm_spike_max", falling) < 1  # type: ignore[operator]
    assert value_of("grad_norm_spike_count", falling) == 0


def test_spikes_are_absent_without_norms_or_with_too_few() -> None:
    assert measure("grad_norm_spike_max", log()).absent == "no training step was seen"
    assert (
        measure("grad_norm_spike_max", log(steps([1.0] * 9, [None] * 9))).absent
        == "no gradient norm was seen"
    )
    assert "6 are needed" in (measure("grad_norm_spike_count", log(steps([1.0] * 4))).absent or "")


def test_spikes_without_losses_are_undecided() -> None:
    norms = [50.0 if k == 20 else 1.0 for k in range(30)]
    found = measure("grad_norm_spike_count", log(steps([None] * 30, norms)))
    assert "no loss was seen" in (found.absent or "")
    assert value_of("grad_norm_spike_count", log(steps([None] * 30, QUIET))) == 0


@pytest.mark.parametrize(
    ("step", "what", "kind"),
    [
        (1, "operation", "operation"),
        (1, "loss", "operation"),
        (2, "operation", "training"),
        (1, "input", "data"),
        (7, "input", "data"),
        (1, "output", "training"),
        (7, "weight", "training"),
    ],
)
def test_what_is_to_blame_for_the_first_that_is_not_finite(step: int, what: str, kind: str) -> None:
    assert value_of("non_finite_kind", log(steps([1.0] * 8), not_finite(step, what))) == kind
    assert measure("non_finite_kind", log(steps([1.0] * 8))).absent


def test_first_record_is_the_origin() -> None:
    broken = log(
        steps([1.0, math.nan]),
        not_finite(2, "weight", "lstm.weight_hh_l0", location=at(7)),
        not_finite(2, "loss"),
    )
    assert value_of("non_finite_found", broken) is True
    assert measure("non_finite_found", broken).location == at(7)
    assert value_of("non_finite_origin", broken) == "the weight of lstm.weight_hh_l0"
    assert value_of("non_finite_step", broken) == 2
    inner = {"layer": 1, "reverse": True, "time": 81, "gate": "h", "overflow": True}
    overflown = log(steps([1.0, 1.0]), not_finite(2, "output", "lstm", location=at(31), **inner))
    words = "the output of lstm (layer 1, backwards, time step 81, the state h overflows)"
    assert value_of("non_finite_origin", overflown) == words
    assert measure("non_finite_found", overflown).location == at(31)
    again = [not_finite(2, "operation", "Log", location=line) for line in (None, at(33))]
    undefined = log(steps([1.0, math.nan]), again[0], not_finite(2, "loss", location=at(44)), again[1])
    assert value_of("non_finite_origin", undefined) == "the operation Log on the way to the loss"
    assert measure("non_finite_found", undefined).location == at(33)
    taken = not_finite(2, "state", "cell", location=at(35), time=7)
    between = log(
        steps([1.0, math.nan]),
        again[0],
        taken,
        Place(record="place", step=1, role="backward", location=at(44)),
    )
    assert measure("non_finite_found", between).location == at(35)
    updated = Place(record="place", step=1, role="step", location=at(45))
    weight = log(steps([1.0, math.nan]), updated, not_finite(2, "weight", "lstm.weight_hh_l0"))
    assert measure("non_finite_found", weight).location == at(45)
    gate = log(
        steps([1.0, 1.0], [1.0, math.inf]), not_finite(2, "gradient", "lstm.weight_hh_l0", layer=0, gate="f")
    )
    assert value_of("non_finite_origin", gate) == "the gradient of lstm.weight_hh_l0 (layer 0, gate f)"


def test_nan_loss_is_found_without_a_record() -> None:
    place = Place(record="place", step=1, role="backward", location=at(44))
    broken = log(steps([1.0, math.nan, math.nan]), place)
    assert value_of("non_finite_found", broken) is True
    assert value_of("non_finite_origin", broken) == "the loss"
    assert measure("non_finite_found", broken).location == at(44)


def test_overflow_that_loss_scaling_skips_is_healthy() -> None:
    scaled = log(steps(LOSSES), not_finite(1, "gradient", "lstm.weight_hh_l0"))
    assert value_of("non_finite_found", scaled) is False
    assert measure("non_finite_origin", scaled).absent


def test_overflow_that_was_used_counts() -> None:
    used = log(steps([1.0, 1.0], [1.0, math.inf]), not_finite(2, "gradient", "lstm.weight_hh_l0"))
    assert value_of("non_finite_found", used) is True
    last_word = log(steps([1.0, 1.0]), not_finite(3, "gradient", "lstm.weight_hh_l0"))
    assert value_of("non_finite_found", last_word) is True


def test_finite_run_and_no_run() -> None:
    assert value_of("non_finite_found", log(steps(LOSSES))) is False
    assert measure("non_finite_found", log()).absent


def test_stale_gradients_are_a_share_of_the_samples_after_the_first() -> None:
    stale = [*samples([1, 2]), *samples([3, 5, 8], stale_norm=0.7)]
    assert value_of("stale_gradients", log(adam(), steps(LOSSES), stale)) == pytest.approx(3 / 4)
    first_only = [*samples([1], stale_norm=0.7), *samples([2, 3])]
    assert value_of("stale_gradients", log(adam(), steps(LOSSES), first_only)) == 0


def test_stale_gradients_do_not_depend_on_their_size() -> None:
    for size in (1e-9, 1.0, 1e9):
        assert value_of("stale_gradients", log(steps(LOSSES), samples([2, 3], stale_norm=size))) == 1


def test_stale_gradients_that_are_nan_were_not_cleared() -> None:
    broken = [*samples([3], stale_norm=0.7), *samples([8, 21], stale_norm=math.nan)]
    assert value_of("stale_gradients", log(steps(LOSSES), broken)) == 1


def test_stale_gradients_count_where_optimizers_take_turns() -> None:
    gan = [*steps(LOSSES), *steps(LOSSES, optimizers=(1,))]
    found = measure("stale_gradients", log(adam(0), adam(1), gan, samples([2, 3], stale_norm=1.0)))
    assert found.value == 1.0


def test_when_a_value_was_first_not_finite_is_told_in_words() -> None:
    assert value_of("non_finite_when", log(steps([1.0, 2.0, math.nan]))) == "update 3"
    assert measure("non_finite_when", log(steps([1.0, 2.0]))).absent == "nothing but finite values was seen"


@pytest.mark.parametrize(("start", "spikes"), [(2.0, 0), (0.5, 2)])
def test_an_odd_batch_of_a_network_that_has_learned_is_no_spike(start: float, spikes: int) -> None:
    """Once the loss is nearly gone, gradients of 15 times the usual are smaller than those of the beginning."""
    norms = [start] * 6 + [0.05] * 30 + [0.8, 0.05, 0.05, 0.05, 0.9, 0.05, 0.05, 0.05]
    losses = [1.0] * 6 + [0.01] * 30 + [0.2] * 8
    assert value_of("grad_norm_spike_count", log(steps(losses, norms))) == spikes
