"""What is known of the lag that the task needs, and the curves that show it."""

from rnn_doctor.derive.profiles import profiles
from tests.derive.logs import lag_profile, log, lstm, measure, readout, value_of
from tests.derive.recurrent_logs import flow, layer


def test_the_user_knows_best() -> None:
    assert value_of("needed_lag", log([lstm()]), "lstm", lag=12) == 12
    assert "--lag" in (measure("needed_lag", log([lstm()]), "lstm").absent or "")


def test_a_loss_that_reads_the_last_step_bounds_the_lag() -> None:
    last = log([lstm()], [readout(), readout(step=3)])
    assert value_of("lag_bound", last, "lstm") == 19
    assert value_of("read_out", last, "lstm") == "the last step"
    every = log([lstm()], [readout(), readout(step=3, last_share=0.05)])
    assert measure("lag_bound", every, "lstm").absent
    assert value_of("read_out", every, "lstm") == "many steps"
    assert measure("lag_bound", log([lstm()]), "lstm").absent
    assert measure("read_out", log([lstm()]), "lstm").absent


def test_the_first_of_several_calls_for_a_sequence_does_not_tell_how_all_are_read() -> None:
    """A module that is called step by step gives its only step each time; the loss may read every one of them."""
    for time, calls in ((1, 30), (20, 3)):
        joined = log(
            [lstm()], [readout(time=time)], [flow(calls=calls, attached=calls - 1, length=time * calls)]
        )
        assert "several times for a sequence" in (measure("lag_bound", joined, "lstm").absent or "")
        assert "several times for a sequence" in (measure("read_out", joined, "lstm").absent or "")
    chunks = log([lstm()], [readout(last_share=0.1)], [flow(calls=3, attached=2, length=60)])
    assert value_of("read_out", chunks, "lstm") == "many steps"


def test_profiles_are_the_last_ones_whole_modules_first() -> None:
    run = log(
        [lstm()], [readout()],
        [lag_profile(-0.1, layer=1), lag_profile(-0.2), lag_profile(-0.3, step=50), lag_profile(-0.1, layer=0)],
        [layer(), layer(step=50, layer=1)],
    )  # fmt: skip
    found = profiles(run)
    assert [(p.layer, p.step) for p in found.by_lag] == [(None, 50), (0, 1), (1, 1)]
    assert {(p.needed_lag, p.needed_lag_basis) for p in found.by_lag} == {
        (19, "at most: the loss reads the last step alone")
    }
    assert {(p.needed_lag, p.needed_lag_basis) for p in profiles(run, lag=7).by_lag} == {
        (7, "you said so with --lag")
    }
    assert [(p.layer, p.step) for p in found.by_time] == [(0, 1), (1, 50)]
    assert profiles(log([lstm()])).by_lag == ()
