"""Where states come from: cut off, kept, carried over."""

from typing import Any

import pytest

from rnn_doctor.schema.recurrence import StateFlow
from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import adam, at, batch, loader, log, lstm, measure, samples, steps, value_of, weight
from tests.derive.recurrent_logs import flow


def run(*flows: StateFlow, **loaders: Any) -> RunLog:
    seen = ([batch(loader=0)], [loader(0, **loaders)]) if loaders else ((), ())
    return log(lstm(), steps([1.0] * 10), flows, *seen)


def test_the_share_of_states_that_are_cut_off() -> None:
    assert value_of("detached_link_share", run(flow(calls=10, detached=9, length=1)), "lstm") == 1.0
    mixed = run(flow(calls=5, attached=3, detached=1), flow(step=3, calls=5, attached=4))
    assert value_of("detached_link_share", mixed, "lstm") == 1 / 8
    assert value_of("detached_link_share", run(flow()), "lstm") == 0.0
    one = run(flow(calls=2, detached=1))
    assert value_of("detached_link_share", one, "lstm") == 0.0  # a single link shows no habit
    assert measure("detached_link_share", run(), "lstm").absent


def test_how_far_back_gradients_reach() -> None:
    flows = [flow(length=35), flow(step=3, length=70, continued=1)]
    assert value_of("backpropagation_length", run(*flows), "lstm") == 70
    assert measure("backpropagation_length", run(), "lstm").absent


def test_what_a_lag_lacks_where_the_state_is_carried_on() -> None:
    carried = run(flow(length=35), flow(step=3, length=35, continued=1))
    assert value_of("lag_cut_off", carried, "lstm", lag=50) == 16
    assert value_of("lag_cut_off", carried, "lstm", lag=34) == 0
    assert value_of("lag_cut_off", run(flow(length=35)), "lstm", lag=50) == 0  # the sequences end there
    assert measure("lag_cut_off", carried, "lstm").absent
    assert measure("lag_cut_off", run(), "lstm", lag=5).absent


def test_a_state_that_is_kept_with_its_graph() -> None:
    assert value_of("state_kept_with_graph", run(flow(), flow(step=3, kept=1)), "lstm") is True
    assert value_of("state_kept_with_graph", run(flow(), flow(step=3, continued=1)), "lstm") is False
    assert measure("state_kept_with_graph", run(flow()), "lstm").absent


def test_a_finding_points_to_the_call_that_takes_over_the_state() -> None:
    kept = run(flow(), flow(step=3, kept=1, location=at(7)), flow(step=8, kept=1, location=at(9)))
    assert measure("state_kept_with_graph", kept, "lstm").location == at(7)
    cut = run(flow(calls=10, attached=9), flow(step=3, calls=10, detached=9, location=at(8)))
    assert measure("detached_link_share", cut, "lstm").location == at(8)
    assert measure("detached_link_share", run(flow(calls=10, attached=9)), "lstm").location != at(8)


def test_a_finding_points_to_the_line_that_cuts_the_state_off() -> None:
    called, cut = (
        flow(step=3, continued=1, location=at(7)),
        flow(step=8, continued=1, location=at(7), cut_at=at(12)),
    )
    assert measure("lag_cut_off", run(called), "lstm", lag=90).location == at(7)
    assert measure("lag_cut_off", run(called, cut), "lstm", lag=90).location == at(12)
    steps_cut = flow(calls=10, detached=9, location=at(7), cut_at=at(8))
    assert measure("detached_link_share", run(steps_cut), "lstm").location == at(8)
    assert measure("state_carried_over_shuffled", run(cut, shuffled=True), "lstm").location == at(7)


def test_states_carried_over_shuffled_batches() -> None:
    flows = [flow(), flow(step=3, continued=1), flow(step=8, continued=1)]
    assert value_of("state_carried_over_shuffled", run(*flows, shuffled=True), "lstm") is True
    assert value_of("state_carried_over_shuffled", run(*flows, shuffled=False), "lstm") is False
    assert measure("state_carried_over_shuffled", run(*flows, shuffled=None), "lstm").absent
    assert measure("state_carried_over_shuffled", run(*flows), "lstm").absent
    fresh = run(flow(), flow(step=3), shuffled=True)
    assert value_of("state_carried_over_shuffled", fresh, "lstm") is False
    assert measure("state_carried_over_shuffled", run(flow(), shuffled=True), "lstm").absent


def test_a_state_that_goes_from_chunk_to_chunk_of_one_batch_is_none() -> None:
    name = "state_carried_over_shuffled"
    chunks = [flow(step=k, continued=1, same_batch=1) for k in (3, 8)]
    assert value_of(name, run(*chunks, flow(step=21), shuffled=True), "lstm") is False
    assert "within one batch" in (measure(name, run(*chunks, shuffled=True), "lstm").absent or "")
    carried = flow(step=21, continued=1, location=at(9))
    found = measure(name, run(*chunks, carried, shuffled=True), "lstm")
    assert (found.value, found.location) == (True, at(9))
    assert value_of(name, run(*chunks, carried, shuffled=False), "lstm") is False
    half = [carried, flow(step=50)]
    assert value_of(name, run(*chunks, *half, shuffled=True), "lstm") is False  # reset as often as not


@pytest.mark.parametrize(
    ("kind", "flows", "begins"),
    [
        ("LSTMCell", [flow(calls=1, handed_on=1), flow(step=3, calls=1, handed_on=1)], True),
        ("LSTMCell", [flow(calls=1)], False),
        ("LSTMCell", [flow(calls=1, handed_on=1), flow(step=3, calls=1)], False),
        (
            "LSTMCell",
            [flow(calls=8, handed_on=1)],
            False,
        ),  # it drops its state, and its last one starts a decoder
        ("LSTMCell", [flow(calls=2, attached=1, handed_on=2)], False),
        ("LSTMCell", [], False),
        ("LSTM", [flow(calls=1, handed_on=1)], False),  # of an encoder this is what it is for
    ],
)
def test_the_first_of_several_cells_in_a_row(kind: str, flows: list[StateFlow], begins: bool) -> None:
    own = weight(name="lstm.weight_hh", module=0)
    still = log(
        adam(), lstm(kind=kind), own, steps([1.0] * 8), samples([1, 2, 3, 5, 8], lambda k: 0.0), flows
    )
    assert value_of("begins_chain", still, "lstm") is begins
    assert value_of("unchanged_tensors", still, "lstm") == (0 if begins else 1)
