"""What is known of hand-written recurrences, and why the rest is not."""

from rnn_doctor.derive.subjects import HAND_WRITTEN
from tests.derive.logs import log, lstm, measure, steps, value_of
from tests.derive.recurrent_logs import flow, layer, loop

BY_HAND = lstm(kind="custom")


def test_a_linear_recurrence() -> None:
    assert value_of("recurrence_is_linear", log(BY_HAND, loop(linear=True)), "lstm") is True
    assert value_of("recurrence_is_linear", log(BY_HAND, loop()), "lstm") is False
    # A nonlinearity that was seen once is there.
    assert value_of("recurrence_is_linear", log(BY_HAND, loop(linear=True), loop(21)), "lstm") is False
    assert measure("recurrence_is_linear", log(BY_HAND, loop(linear=None)), "lstm").absent
    assert measure("recurrence_is_linear", log(BY_HAND), "lstm").absent
    assert value_of("recurrence_is_linear", log(lstm()), "lstm") is False


def test_states_tell_whether_they_pass_a_relu() -> None:
    assert value_of("uses_relu", log(BY_HAND, layer(active_share=0.4), layer(21)), "lstm") is True
    assert value_of("uses_relu", log(BY_HAND, layer(), layer(21, active_share=0.4)), "lstm") is False
    assert measure("uses_relu", log(BY_HAND), "lstm").absent == HAND_WRITTEN
    assert value_of("uses_relu", log(lstm(kind="RNN", nonlinearity="relu")), "lstm") is True


def test_a_missing_gain_says_why() -> None:
    run = log(BY_HAND, steps([1.0] * 3), loop(absent="it runs in half precision"))
    for name in ("lag_gain", "usable_horizon", "lag_slope_start", "lag_gain_longest"):
        assert "half precision" in (measure(name, run, "lstm", lag=3).absent or ""), name


def test_of_a_hand_written_cell_little_is_known_between_updates() -> None:
    run = log(BY_HAND, steps([1.0] * 3), flow(calls=20, attached=19), flow(3, calls=20, attached=19))
    assert value_of("state_kept_with_graph", run, "lstm") is False
    assert measure("state_carried_over_shuffled", run, "lstm").absent == HAND_WRITTEN
    assert value_of("lag_cut_off", run, "lstm", lag=19) == 0
    assert measure("lag_cut_off", run, "lstm", lag=20).absent == HAND_WRITTEN
    assert value_of("detached_link_share", run, "lstm") == 0.0


def test_what_calls_alone_would_tell_is_absent_of_it_for_one_reason() -> None:
    for name in ("input_std", "sequence_length_max", "recurrent_weights_unused", "batch_axis_as_time"):
        assert measure(name, log(BY_HAND), "lstm").absent == HAND_WRITTEN, name
        assert measure(name, log(lstm()), "lstm").absent not in (None, HAND_WRITTEN), name


def test_a_cell_that_starts_from_zeros_at_each_step_has_sequences_of_one() -> None:
    anew = loop(steps=1, states=0, absent="its state is made anew", unused="state_renewed")
    run = log(BY_HAND, steps([1.0] * 3), anew, flow(calls=20, length=1))
    assert value_of("sequence_length_max", run, "lstm") == 1
    assert value_of("recurrent_weights_unused", run, "lstm") is True
    assert value_of("is_cell", run, "lstm") is True
    later = log(BY_HAND, steps([1.0] * 3), anew, loop(21), flow(calls=20, length=1))
    assert measure("sequence_length_max", later, "lstm").absent == HAND_WRITTEN
    assert value_of("is_cell", later, "lstm") is False


def test_cells_are_told_from_layers() -> None:
    run = log(lstm(0, "layer"), lstm(1, "cell", kind="LSTMCell"))
    assert value_of("is_cell", run, "layer") is False
    assert value_of("is_cell", run, "cell") is True


def test_dropout_of_one_layer() -> None:
    run = log(lstm(0, "one", dropout=0.5), lstm(1, "two", dropout=0.5, num_layers=2), lstm(2, "none"))
    found = [value_of("dropout_single_layer", run, name) for name in ("one", "two", "none")]
    assert found == [True, False, False]
