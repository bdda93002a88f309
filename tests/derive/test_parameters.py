from typing import Any

import pytest

from rnn_doctor.derive.signals import signals
from rnn_doctor.derive.subjects import HAND_WRITTEN
from rnn_doctor.schema.recurrence import Readout
from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import (
    adam,
    at,
    batch,
    initial,
    log,
    lstm,
    measure,
    readout,
    samples,
    steps,
    value_of,
    weight,
)
from tests.derive.recurrent_logs import loop

RUN = steps([1.0] * 8)
AT = [1, 2, 3, 5, 8]
STILL = samples(AT, lambda k: 0.0)


def test_forgotten_layer() -> None:
    run = log(adam(), lstm(), weight(optimizer=None), RUN, STILL)
    assert value_of("unoptimized_tensors", run, "lstm") == 1
    assert value_of("unoptimized_untrained", run, "lstm") is True
    assert measure("unoptimized_tensors", run, "lstm").location == lstm().location


REVERSED = weight(name="lstm.weight_hh_l0_reverse")


def reads_reverse(share: float) -> list[Readout]:
    return [readout(step, reverse_last_share=share) for step in AT]


def test_the_reverse_direction_alone_stays_where_it_is_read_at_one_step() -> None:
    both = lstm(bidirectional=True)
    run = log(adam(), both, REVERSED, RUN, STILL, reads_reverse(1.0))
    assert value_of("unchanged_tensors", run, "lstm") == 1
    assert value_of("reverse_alone_unchanged", run, "lstm") is True
    for other in (reads_reverse(0.4), [readout(step) for step in AT]):
        elsewhere = measure("reverse_alone_unchanged", log(adam(), both, REVERSED, RUN, STILL, other), "lstm")
        assert elsewhere.value is (False if other[0].reverse_last_share else None)
    forward = log(adam(), both, weight(), RUN, STILL, reads_reverse(1.0))
    assert value_of("reverse_alone_unchanged", forward, "lstm") is False
    early = log(adam(), both, REVERSED, RUN, samples([1], lambda k: 0.0), reads_reverse(1.0))
    assert "needed" in (measure("reverse_alone_unchanged", early, "lstm").absent or "")


def test_forgotten_head_is_named_after_its_module() -> None:
    head = weight(name="net.head.weight", owner="Linear", module=None, optimizer=None, shape=(4, 32))
    run = log(adam(), lstm(), head, RUN, STILL)
    assert value_of("unoptimized_tensors", run, "net.head") == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"trainable": False},
        {"optimizer": 0},
        {"used": False},
        {"used": None},
    ],
)
def test_frozen_optimized_and_unused_tensors_do_not_count(fields: dict[str, Any]) -> None:
    no_gradient = samples(AT, lambda k: 0.0, grad_norm=(None,))
    run = log(adam(), lstm(), weight(**{"optimizer": None, **fields}), RUN, no_gradient)
    assert value_of("unoptimized_tensors", run, "lstm") == 0
    assert value_of("unoptimized_untrained", run, "lstm") is False


@pytest.mark.parametrize(
    ("online", "count"),
    [
        ({}, 0),
        ({"used": None}, 0),  # it has a gradient
        ({"mean": 1e-9}, 1),  # drawn by itself
        ({"shape": (32, 128)}, 1),
        ({"optimizer": None}, 1),  # the copy of what nothing trains either
    ],
)
def test_a_target_network_is_renewed_by_copying(online: dict[str, Any], count: int) -> None:
    target = weight(1, "target.lstm.weight_hh_l0", optimizer=None, module=1)
    still = [s for k in AT for s in samples([k], lambda _: 0.0, (0, 1))]
    run = log(adam(), lstm(), lstm(1, name="target.lstm"), weight(**online), target, RUN, still)
    assert value_of("unoptimized_tensors", run, "target.lstm") == count


def test_the_biases_of_a_copy_are_copies_too() -> None:
    zeros = {"shape": (128,), "mean": 0.0, "std": 0.0, "optimizer": None}
    target = weight(1, "target.lstm.weight_hh_l0", optimizer=None, module=1)
    bias = weight(2, "target.lstm.bias_hh_l0", module=1, **zeros)
    modules = (lstm(), lstm(1, name="target.lstm"))
    for tensors, count in (((target, bias), 0), ((bias,), 1)):
        run = log(adam(), *modules, weight(), *tensors, RUN, samples(AT, lambda _: 0.0, (0, 1, 2)))
        assert value_of("unoptimized_tensors", run, "target.lstm") == count


def test_the_copy_is_trained_and_the_optimizer_holds_the_original() -> None:
    original = weight(0, used=False)
    copy = weight(1, "copy.weight_hh_l0", optimizer=None, module=1)
    alone = samples(AT, lambda _: 0.0, (1,))
    run = log(adam(), lstm(), lstm(1, name="copy"), original, copy, RUN, alone)
    assert value_of("unoptimized_tensors", run, "copy") == 1


def test_a_module_under_no_grad_counts_as_at_work() -> None:
    no_gradient = samples(AT, lambda k: 0.0, grad_norm=(None,))
    for line, count in ((at(31), 1), (None, 0)):
        run = log(adam(), lstm(gradientless=line), weight(used=False), RUN, no_gradient)
        assert value_of("unchanged_tensors", run, "lstm") == count
        assert measure("unchanged_tensors", run, "lstm").location == (line or lstm().location)


def test_the_line_that_cuts_off_an_output() -> None:
    run = log(adam(), lstm(), weight(used=False), RUN, STILL, [batch(step, cut_at=at(32)) for step in AT])
    assert value_of("unchanged_tensors", run, "lstm") == 1
    assert measure("unchanged_tensors", run, "lstm").location == at(32)
    assert measure("output_cut_off", run, "lstm").location == at(32)
    assert value_of("output_cut_off", run, "lstm") is True
    assert value_of("output_cut_off", log(lstm(), batch()), "lstm") is False
    assert measure("output_cut_off", log(lstm()), "lstm").absent


def _unreached(name: str, *parameters: str) -> RunLog:
    """A hand-written recurrence all of whose results are cut off, and the head that goes on learning."""
    own = [weight(k, each, module=None, used=False) for k, each in enumerate(parameters)]
    head = weight(len(own), "head.weight", module=None)
    numbers = tuple(range(len(own) + 1))
    moved = (0.0,) * len(own) + (0.1,)
    still = samples(AT, parameters=numbers, grad_norm=moved)
    still = [each.model_copy(update={"displacement": moved}) for each in still]
    lost = loop(8, steps=20, states=0, absent="cut", unused="output_cut_off", location=at(32))
    return log(adam(), lstm(name=name, kind="custom"), *own, head, RUN, still, lost)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("cell", ("cell.x2h.weight", "cell.h2h.weight")), ("Net", ("i2h.weight", "h2h.weight"))],
)
def test_a_hand_written_recurrence_that_no_loss_reaches(name: str, parameters: tuple[str, ...]) -> None:
    run = _unreached(name, *parameters)
    assert value_of("unchanged_tensors", run, name) == 2
    assert measure("unchanged_tensors", run, name).location == at(32)
    assert value_of("output_cut_off", run, name) is True
    assert value_of("unchanged_names", run, name) == ", ".join(p.removeprefix("cell.") for p in parameters)
    assert value_of("unchanged_tensors", run, "head") == 0


def test_the_weights_of_a_cell_that_starts_anew_at_each_step_are_its_own() -> None:
    run = _unreached("cell", "cell.x2h.weight", "cell.h2h.weight")
    anew = loop(8, steps=1, states=0, absent="anew", unused="state_renewed")
    own = tuple(p.model_copy(update={"used": True}) for p in run.parameters.values())
    run = run.model_copy(update={"loops": (anew,), "parameters": {p.id: p for p in own}})
    assert value_of("unchanged_names", run, "cell") == "x2h.weight, h2h.weight"


def test_a_hand_written_recurrence_that_a_loss_reached_once_is_not_cut_off() -> None:
    run = _unreached("cell", "cell.x2h.weight", "cell.h2h.weight")
    run = run.model_copy(update={"loops": (*run.loops, loop(21))})
    assert measure("output_cut_off", run, "cell").absent == HAND_WRITTEN
    assert value_of("unchanged_tensors", run, "cell.x2h") == 0


def test_an_optimizer_that_never_steps() -> None:
    two = (adam(), adam(1))
    still = samples(AT, lambda _: 0.0, grad_norm=(0.3,))
    for stepping, expected in (((1,), True), ((0,), False)):
        run = log(*two, lstm(), weight(), steps([1.0] * 8, optimizers=stepping), still)
        assert value_of("optimizer_never_steps", run, "lstm") is expected
    moving = log(adam(), lstm(), weight(), RUN, samples(AT, float))
    assert measure("optimizer_never_steps", moving, "lstm").absent


def test_the_line_that_leaves_a_direction_unread() -> None:
    for direction, line in (("forward", at(33)), (None, lstm().location)):
        read = readout(unread_direction=direction, location=at(33))
        run = log(adam(), lstm(bidirectional=True), weight(), RUN, STILL, read)
        assert value_of("unchanged_tensors", run, "lstm") == 1
        assert measure("unchanged_tensors", run, "lstm").location == line


def test_gradient_shows_that_a_tensor_is_used() -> None:
    for size in (1e-6, 0.5, 5e6):
        seen = samples(AT, lambda k: 0.0, grad_norm=(size,))
        run = log(adam(), lstm(), weight(optimizer=None, used=None), RUN, seen)
        assert value_of("unoptimized_tensors", run, "lstm") == 1


def test_hand_written_updates_move_their_tensors() -> None:
    by_hand = steps([1.0] * 8, optimizers=(), lr=0.0)
    run = log(lstm(), weight(optimizer=None), by_hand, samples(AT))
    assert value_of("unoptimized_tensors", run, "lstm") == 0


@pytest.mark.parametrize(
    ("std", "shape", "fresh"),
    [
        (0.1021, (128, 32), True),  # the default of 32 units
        (0.1118, (128, 32), True),  # Xavier
        (0.1340, (128, 32), False),  # learned
        (0.0800, (128, 32), False),
        (1.0, (500, 32), True),  # an embedding
    ],
)
def test_trained_weights_may_be_left_alone(std: float, shape: tuple[int, int], fresh: bool) -> None:
    run = log(adam(), lstm(), weight(optimizer=None, std=std, shape=shape), RUN, STILL)
    assert value_of("unoptimized_untrained", run, "lstm") is fresh


def test_weights_off_centre_were_trained() -> None:
    run = log(adam(), lstm(), weight(optimizer=None, mean=0.02), RUN, STILL)
    assert value_of("unoptimized_untrained", run, "lstm") is False


def test_unseen_initial_values_are_undecided() -> None:
    run = log(adam(), lstm(), weight(optimizer=None, std=None), RUN, STILL)
    assert measure("unoptimized_untrained", run, "lstm").absent


def test_still_matrices_are_counted() -> None:
    run = log(adam(), lstm(), weight(), RUN, STILL)
    assert value_of("unchanged_tensors", run, "lstm") == 1
    assert value_of("unchanged_tensors", log(adam(), lstm(), weight(), RUN, samples(AT)), "lstm") == 0


def test_an_optimizer_whose_turn_comes_later_leaves_nothing_unchanged() -> None:
    """A module that runs in a first phase, whose loss does not use it, is trained in a second one."""
    no_gradient = samples(AT, lambda k: 0.0, grad_norm=(None,))
    unused = weight(used=False, optimizer=1)
    ran = [batch(step=step) for step in AT]
    waiting = log(adam(), adam(1), lstm(), unused, RUN, no_gradient, ran)
    assert value_of("unchanged_tensors", waiting, "lstm") == 0
    alone = log(adam(1), lstm(), unused, RUN, no_gradient, ran)
    assert value_of("unchanged_tensors", alone, "lstm") == 1, (
        "scheduler.step() where optimizer.step() was meant"
    )


def test_weights_of_a_term_that_is_weighted_by_zero() -> None:
    later = weight(used=False, weightless=True)
    head = weight(1, "lstm.weight_ih_l0")
    for tensors, weightless in (((later,), True), ((later, head), False)):
        still = samples(AT, lambda k: 0.0, tuple(p.id for p in tensors), grad_norm=(0.0,) * len(tensors))
        run = log(adam(), lstm(), *tensors, RUN, still)
        assert value_of("unchanged_tensors", run, "lstm") == len(tensors)
        assert value_of("unchanged_weightless", run, "lstm") is weightless
    moving = log(adam(), lstm(), later, RUN, samples(AT))
    assert value_of("unchanged_weightless", moving, "lstm") is False
    young = log(adam(), lstm(), later, steps([1.0] * 3), samples([1, 2, 3], lambda k: 0.0))
    assert measure("unchanged_weightless", young, "lstm").absent


def test_the_smallest_change_counts() -> None:
    for distance in (1e-38, 1e-3, 1e3):
        moved = samples(AT, lambda k, d=distance: d)  # type: ignore[misc]
        assert value_of("unchanged_tensors", log(adam(), lstm(), weight(), RUN, moved), "lstm") == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"used": False},
        {"used": None},
        {"trainable": False},
        {"optimizer": None},
        {"shape": (128,)},
        {"optimizer": 9},
    ],
)
def test_still_by_nature(fields: dict[str, Any]) -> None:
    no_gradient = samples(AT, lambda k: 0.0, grad_norm=(0.0,))
    run = log(adam(), lstm(), weight(**fields), RUN, no_gradient)
    assert value_of("unchanged_tensors", run, "lstm") == 0


def test_groups_at_rate_zero_are_frozen_on_purpose() -> None:
    frozen = [s.model_copy(update={"lr": (0.0, 0.1)}) for s in RUN]
    run = log(adam(lr=(0.0, 0.1)), lstm(), weight(), frozen, STILL)
    assert value_of("unchanged_tensors", run, "lstm") == 0


def test_optimizer_that_never_steps() -> None:
    run = log(adam(0), adam(1), lstm(), weight(optimizer=1), RUN, STILL)
    assert value_of("unchanged_tensors", run, "lstm") == 1


def test_absent_before_enough_updates() -> None:
    young = log(adam(), lstm(), weight(), steps([1.0] * 3), samples([1, 2, 3], lambda k: 0.0))
    assert "5 are needed" in (measure("unchanged_tensors", young, "lstm").absent or "")
    assert measure("unoptimized_tensors", log(adam(), lstm(), weight(), RUN), "lstm").absent
    assert measure("unchanged_tensors", log(lstm(), weight()), "lstm").absent == "no training step was seen"


def test_modules_of_one_name_are_told_apart_by_their_line() -> None:
    run = log(adam(), lstm(0, "gru"), lstm(1, "gru"), weight(0), weight(1, module=1), RUN, STILL)
    names = set(signals(run).signals["unchanged_tensors"].measurements)
    assert names == {"gru (train.py:20)", "gru (train.py:21)"}


def test_most_uniform_layer_decides() -> None:
    run = log(lstm(), initial(0.98), initial(0.1, layer=1), initial(0.0, module=7))
    assert value_of("unit_asymmetry_min", run, "lstm") == 0.1
    same_again = log(lstm(), initial(0.1, layer=1), initial(0.98))
    assert value_of("unit_asymmetry_min", same_again, "lstm") == 0.1
    assert measure("unit_asymmetry_min", log(lstm()), "lstm").absent


def test_unchanged_tensors_are_named() -> None:
    names = ("weight_hh_l0", "weight_hh_l0_reverse", "weight_ih_l1", "weight_hh_l1")
    still = [weight(k, f"encoder.lstm.{name}") for k, name in enumerate(names)]
    one = log(adam(), lstm(), still[1], RUN, samples(AT, lambda k: 0.0, parameters=(1,)))
    assert value_of("unchanged_names", one, "lstm") == "weight_hh_l0_reverse"
    all_of_them = log(adam(), lstm(), still, RUN, samples(AT, lambda k: 0.0, parameters=(0, 1, 2, 3)))
    assert (
        value_of("unchanged_names", all_of_them, "lstm")
        == "weight_hh_l0, weight_hh_l0_reverse, weight_ih_l1 and 1 more"
    )
    moving = log(adam(), lstm(), weight(), RUN, samples(AT))
    assert measure("unchanged_names", moving, "lstm").absent == "every weight matrix has changed"


def test_a_module_at_work_that_the_loss_never_reaches_counts() -> None:
    cut_off = samples(AT, lambda k: 0.0, grad_norm=(None,))
    for called, count in ((AT, 1), (AT[:2], 0), ([], 0)):
        run = log(adam(), lstm(), weight(used=False), RUN, cut_off, [batch(k) for k in called])
        assert value_of("unchanged_tensors", run, "lstm") == count


def test_a_gradient_that_changes_no_bit_is_told_from_none() -> None:
    for gradient, reached in ((1e-18, True), (0.0, False)):
        still = samples(AT, lambda k: 0.0, grad_norm=(gradient,))
        run = log(adam(), lstm(), weight(), RUN, still)
        assert value_of("unchanged_tensors", run, "lstm") == 1
        assert value_of("unchanged_by_digits", run, "lstm") is reached
    moving = log(adam(), lstm(), weight(), RUN, samples(AT))
    assert "has changed" in (measure("unchanged_by_digits", moving, "lstm").absent or "")
