import math
from collections.abc import Callable
from typing import Any

import pytest

from rnn_doctor.schema.built import Optimizer
from rnn_doctor.schema.runlog import Place, RunLog, Sample
from rnn_doctor.schema.values import Location
from tests.derive.logs import adam, at, log, lstm, measure, steps, value_of, weight

AT = (1, 3, 8, 21, 50)
NAMES = ("recurrent_norm_remaining", "decay_accounts_for", "decay_per_update", "decay_leaves", "decay_memory")


def sampled(norm: Callable[[int], float], gradient: float = 0.5, update: float = 0.01) -> list[Sample]:
    """One recurrent matrix at the sampled steps."""
    return [
        Sample(
            record="sample", step=k, parameters=(0,), grad_norm=(gradient,), weight_norm=(norm(k),),
            update_norm=(update,), displacement=(0.1,),
        )
        for k in AT
    ]  # fmt: skip


def run(optimizer: Optimizer, norm: Callable[[int], float], lr: float = 0.01, **fields: Any) -> RunLog:
    return log(optimizer, lstm(), weight(), steps([1.0] * 50, lr=lr), sampled(norm, **fields))


def shrinks(share: float) -> Callable[[int], float]:
    return lambda step: 5.0 * math.exp(-share * (step - 1))


def test_what_adamw_takes_is_the_product_of_rate_and_decay() -> None:
    found = run(adam(kind="AdamW", weight_decay=(5.0,)), shrinks(0.05))
    assert value_of("recurrent_norm_remaining", found) == pytest.approx(math.exp(-0.05 * 49))
    assert value_of("decay_per_update", found) == pytest.approx(0.05)
    assert value_of("decay_accounts_for", found) == pytest.approx(1)


def test_of_a_hand_written_recurrence_all_weights_count_but_embeddings() -> None:
    cell, matrix = (
        lstm(kind="custom", name="cell"),
        weight(module=None, name="cell.h2h.weight", owner="Linear"),
    )
    embedding = weight(1, "embed.weight", module=None, owner="Embedding")
    optimizer = adam(kind="SGD", weight_decay=(5.0,))
    kept = log(optimizer, cell, matrix, embedding, steps([1.0] * 50, lr=0.01), sampled(shrinks(0.05)))
    assert value_of("decay_per_update", kept) == pytest.approx(0.05)
    assert value_of("recurrent_norm_remaining", kept) == pytest.approx(math.exp(-0.05 * 49))
    alone = log(optimizer, cell, embedding, steps([1.0] * 50, lr=0.01), sampled(shrinks(0.05)))
    assert measure("decay_per_update", alone).absent
    elsewhere = log(optimizer, matrix, steps([1.0] * 50, lr=0.01), sampled(shrinks(0.05)))
    assert measure("decay_per_update", elsewhere).absent


def test_momentum_multiplies_what_sgd_takes() -> None:
    found = run(adam(kind="SGD", momentum=0.9, weight_decay=(0.5,)), shrinks(0.05))
    assert value_of("decay_per_update", found) == pytest.approx(0.05)


def test_of_adam_the_decay_has_its_part_of_the_update() -> None:
    # Pull 0.1 * 5 against a gradient of 0.5: half of its square, a share of 1/sqrt(2) of the update of 0.01 / 5.
    found = run(adam(weight_decay=(0.1,)), lambda step: 5.0)
    assert value_of("decay_per_update", found) == pytest.approx(0.01 / 5 / math.sqrt(2))
    alone = run(adam(weight_decay=(0.1,)), lambda step: 5.0, gradient=0.0)
    assert value_of("decay_per_update", alone) == pytest.approx(0.01 / 5)


def test_adam_may_decay_beside_the_update() -> None:
    found = run(adam(weight_decay=(5.0,), decoupled_decay=True), shrinks(0.05))
    assert value_of("decay_per_update", found) == pytest.approx(0.05)


def test_of_several_groups_the_strongest_counts() -> None:
    found = run(adam(kind="AdamW", lr=(0.01, 0.01), weight_decay=(0.0, 2.0)), shrinks(0.02))
    two = [step.model_copy(update={"lr": (0.01, 0.01)}) for step in found.steps]
    assert value_of("decay_per_update", found.model_copy(update={"steps": tuple(two)})) == pytest.approx(0.02)


def test_weights_that_shrink_for_another_reason() -> None:
    found = run(adam(kind="AdamW", weight_decay=(0.01,)), shrinks(0.05))
    assert value_of("decay_accounts_for", found) == pytest.approx(0.002)


def test_weights_that_grow_are_not_accounted_for() -> None:
    assert value_of("decay_accounts_for", run(adam(weight_decay=(0.1,)), shrinks(-0.01))) == 0


def test_without_decay_nothing_is_taken() -> None:
    assert value_of("decay_per_update", run(adam(kind="Strange"), shrinks(0.01))) == 0


def test_a_decay_leaves_what_it_alone_would_however_much_the_loss_builds_up() -> None:
    for optimizer in (
        adam(kind="AdamW", weight_decay=(5.0,)),
        adam(kind="SGD", momentum=0.5, weight_decay=(2.5,)),
    ):
        assert value_of("decay_leaves", run(optimizer, shrinks(-0.01))) == pytest.approx(math.exp(-0.05 * 50))


def test_a_decay_leaves_what_is_left_where_it_is_what_shrinks_them() -> None:
    mild = adam(kind="AdamW", weight_decay=(1.0,))  # 0.01 an update: 0.61 within 50
    assert value_of("decay_leaves", run(mild, shrinks(0.019))) == pytest.approx(math.exp(-0.019 * 49))
    assert value_of("decay_leaves", run(mild, shrinks(0.021))) == pytest.approx(math.exp(-0.5))
    assert value_of("decay_leaves", run(mild, shrinks(0.0))) == pytest.approx(math.exp(-0.5))


def test_what_a_decay_leaves_does_not_depend_on_how_long_was_seen() -> None:
    held = run(adam(kind="AdamW", weight_decay=(1.0,)), lambda step: 5.0)
    longer = tuple(s.model_copy(update={"step": 10 * s.step}) for s in held.samples)
    long = held.model_copy(update={"samples": longer, "steps": tuple(steps([1.0] * 500))})
    assert value_of("decay_leaves", long) == pytest.approx(value_of("decay_leaves", held))


def test_without_decay_all_is_left_and_nothing_forgotten() -> None:
    without = run(adam(kind="Strange"), shrinks(0.05))
    assert value_of("decay_leaves", without) == 1
    assert measure("decay_memory", without).absent == "no recurrent weight decays"


def test_memory_is_one_over_what_an_update_takes() -> None:
    found = run(adam(kind="AdamW", weight_decay=(5.0,)), shrinks(-0.01))
    assert value_of("decay_memory", found) == pytest.approx(20)


@pytest.mark.parametrize("name", NAMES)
def test_absent(name: str) -> None:
    assert measure(name, log()).absent == "no training step was seen"
    assert "no optimizer" in (measure(name, log(steps([1.0] * 50))).absent or "")
    outside = log(adam(), lstm(), weight(optimizer=None), steps([1.0] * 50), sampled(shrinks(0.1)))
    assert "no optimizer" in (measure(name, outside).absent or "")
    short = run(adam(), shrinks(0.1)).model_copy(update={"samples": tuple(sampled(shrinks(0.1))[:3])})
    assert (
        measure(name, short).absent
        == "7 updates were seen between the first sample and the last, 20 are needed"
    )
    assert "zero" in (measure(name, run(adam(), lambda step: 0.0)).absent or "")


def test_decay_of_an_unknown_kind() -> None:
    strange = run(adam(kind="Strange", weight_decay=(0.1,)), shrinks(0.1))
    assert "not known" in (measure("decay_accounts_for", strange).absent or "")


def decaying(**fields: Any) -> RunLog:
    """Two recurrent matrices of AdamW without decay, and what else the samples tell of both."""
    two = [
        Sample(
            record="sample", step=k, parameters=(0, 1), grad_norm=(0.5, 0.5), weight_norm=(5.0, 3.0),
            update_norm=(0.05, 0.03), displacement=(0.1, 0.1),
            **{name: value(k) for name, value in fields.items()},
        )
        for k in AT
    ]  # fmt: skip
    other = weight(1, "lstm.weight_ih_l0")
    return log(adam(kind="SGD", lr=(0.1,)), lstm(), weight(), other, steps([1.0] * 50, lr=0.1), two)


def left_alone(step: int) -> tuple[float | None, ...]:
    return () if step == 1 else (5.0, 3.0)


def test_a_script_that_takes_the_same_share_of_all_weights_makes_them_decay() -> None:
    found = decaying(left_norm=lambda k: () if k == 1 else (5.0 / 0.9, 3.0 / 0.9))
    assert value_of("decay_per_update", found) == pytest.approx(0.1)
    assert value_of("decay_leaves", found) == pytest.approx(math.exp(-5))
    assert "between two updates" in str(value_of("decay_origin", found))


@pytest.mark.parametrize(
    "left",
    [
        left_alone,
        lambda k: () if k == 1 else (5.5, 3.01),  # what exceeds a limit of the norm
        lambda k: () if k == 1 else (4.5, 2.7),  # it grew: weights of another time were put back
        lambda k: (5.0 / 0.6, 3.0 / 0.6) if k == 21 else left_alone(k),  # once in a while
    ],
)
def test_what_else_a_script_does_to_the_weights_is_no_decay(
    left: Callable[[int], tuple[float | None, ...]],
) -> None:
    assert value_of("decay_per_update", decaying(left_norm=left)) == 0


def test_one_matrix_alone_decays_where_the_share_is_the_same_at_all_samples() -> None:
    def alone(share: Callable[[int], float]) -> RunLog:
        one = [
            sample.model_copy(
                update={"left_norm": () if sample.step == 1 else (5.0 / (1 - share(sample.step)),)}
            )
            for sample in sampled(lambda step: 5.0)
        ]
        return log(adam(), lstm(), weight(), steps([1.0] * 50), one)

    assert value_of("decay_per_update", alone(lambda step: 0.05)) == pytest.approx(0.05)
    assert value_of("decay_per_update", alone(lambda step: 0.001 * step)) == 0


def test_a_penalty_in_the_loss_decays_through_plain_gradients() -> None:
    found = decaying(penalty_pull=lambda k: (0.2 * 5.0, 0.2 * 3.0))  # a factor of 0.1 times the squares
    assert value_of("decay_per_update", found) == pytest.approx(0.1 * 0.2)
    assert "penalty" in str(value_of("decay_origin", found))


def test_a_decay_is_placed_where_it_is_made() -> None:
    def placed(**fields: Any) -> Location | None:
        places = [
            Place(record="place", step=1, role="backward", location=at(41)),
            Place(record="place", step=1, role="step", location=at(42)),
        ]
        found = decaying(**fields)
        return measure("decay_leaves", found.model_copy(update={"places": tuple(places)})).location

    assert placed(penalty_pull=lambda k: (1.0, 0.6)) == at(41)
    assert placed(left_norm=lambda k: () if k == 1 else (5.0 / 0.9, 3.0 / 0.9)) == at(42)
    assert placed() == adam().location


def test_clipping_shortens_what_a_penalty_pulls() -> None:
    found = decaying(penalty_pull=lambda k: (1.0, 0.6))
    halved = [step.model_copy(update={"grad_norm": 4.0, "clipped_norm": 2.0}) for step in found.steps]
    clipped = found.model_copy(update={"steps": tuple(halved)})
    assert value_of("decay_per_update", clipped) == pytest.approx(0.1 * 0.2 / 2)


def test_of_adam_a_penalty_has_its_part_of_the_update() -> None:
    pulled = [sample.model_copy(update={"penalty_pull": (0.25,)}) for sample in sampled(lambda step: 5.0)]
    found = log(adam(), lstm(), weight(), steps([1.0] * 50), pulled)
    assert value_of("decay_per_update", found) == pytest.approx(0.01 / 5 * 0.25 / 0.5)
    beside = log(
        adam(kind="AdamW", weight_decay=(1.0,)), lstm(), weight(), steps([1.0] * 50, lr=0.01), pulled
    )
    assert value_of("decay_per_update", beside) == pytest.approx(0.01 + 0.01 / 5 * 0.25 / 0.5)
    assert value_of("decay_origin", beside) == "The weight decay"


def test_a_term_of_the_loss_that_pulls_away_from_zero_is_no_decay() -> None:
    assert value_of("decay_per_update", decaying(penalty_pull=lambda k: (-1.0, -0.6))) == 0


def test_a_decay_that_gathers_pace_leaves_what_it_leaves_at_its_last() -> None:
    late = [
        sample.model_copy(
            update={"penalty_pull": (0.5 if sample.step == 50 else 0.0,), "update_norm": (0.1,)}
        )
        for sample in sampled(lambda step: 5.0)
    ]
    found = log(adam(), lstm(), weight(), steps([1.0] * 50), late)
    assert value_of("decay_leaves", found) == pytest.approx(math.exp(-0.02 * 50))
