"""What the loss reads: padding, the reverse direction, mixed samples."""

from typing import Any

from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import at, batch, log, lstm, measure, readout, value_of
from tests.derive.recurrent_logs import mixing, padding


def test_padding_that_is_read() -> None:
    run = log(
        lstm(), padding(padded_share=0.8, read_share=0.9), padding(step=3, padded_share=0.6, read_share=0.7)
    )
    assert value_of("padded_rows_share", run, "lstm") == 0.7
    assert value_of("padding_misread_share", run, "lstm") == 0.7  # what holds at every sample
    packed = log(lstm(), padding(packed=True, read_share=None, unread_share=0.6))
    assert value_of("padding_misread_share", packed, "lstm") == 0.6
    shares = log(lstm(), [padding(step=k, padding=p) for k, p in ((1, 0.1), (3, 0.4), (8, 0.3))])
    assert value_of("padding_share", shares, "lstm") == 0.3
    assert measure("padding_share", log(lstm()), "lstm").absent
    timed = log(
        lstm(), padding(padding=0.25), batch(time=40), padding(step=3, padding=0.5), batch(3, time=24)
    )
    assert value_of("padding_steps", timed, "lstm") == 11.0
    assert measure("padding_steps", shares, "lstm").absent
    blind = log(lstm(), padding(read_share=None))
    assert measure("padding_misread_share", blind, "lstm").absent
    assert measure("padded_rows_share", log(lstm()), "lstm").absent


def test_what_the_padding_leaves_of_the_state() -> None:
    run = log(lstm(), [padding(step=k, state_left=left) for k, left in ((1, 0.9), (21, 0.2), (50, None))])
    assert value_of("padding_state_left", run, "lstm") == 0.2  # the latest that was measured
    assert "was not seen" in (measure("padding_state_left", log(lstm(), padding()), "lstm").absent or "")


def harm(time: int = 40, **fields: Any) -> tuple[object, object]:
    """Whether the padding reaches the state, and whether it spares it."""
    run = log(lstm(), padding(**fields), batch(time=time))
    return value_of("padding_reaches_state", run, "lstm"), value_of("padding_spares_state", run, "lstm")


UNDOES, SPARES, WITHSTOOD = (True, False), (True, True), (False, False)


def test_much_padding_undoes_the_state() -> None:
    assert harm(padding=0.16) == UNDOES  # 6.4 steps
    assert harm(padding=0.05) == WITHSTOOD  # 2 steps
    assert harm(padding=0.14) == SPARES
    assert harm(padding=0.2, time=30) == SPARES  # 6 steps
    packed: dict[str, Any] = {
        "packed": True,
        "read_share": None,
        "unread_share": 0.6,
    }  # its rows end where they end
    assert harm(padding=0.2, time=30, **packed) == WITHSTOOD
    assert harm(padding=0.9, time=30, **packed) == UNDOES
    zeros = packed | {
        "padded_share": 0.6
    }  # just those that end early are unread: zeros stand there, of any length
    assert harm(padding=0.03, time=30, **zeros) == UNDOES
    samples = [padding(step=k, **zeros | more) for k, more in ((1, {}), (3, {"padded_share": 0.7}))]
    assert value_of("padding_reads_zeros", log(lstm(), samples[:1]), "lstm") is True
    assert value_of("padding_reads_zeros", log(lstm(), samples), "lstm") is False
    assert measure("padding_reads_zeros", log(lstm()), "lstm").absent
    # what is left may be left where it cannot be read
    assert harm(padding=0.9, state_left=0.9) == UNDOES
    for name in ("padding_reaches_state", "padding_spares_state"):
        assert "was not seen" in (measure(name, log(lstm()), "lstm").absent or "")
        untimed = log(lstm(), padding(padding=0.2))
        assert measure(name, untimed, "lstm").absent


def test_some_padding_undoes_the_state_where_little_of_it_is_left() -> None:
    assert harm(padding=0.05, state_left=0.19) == UNDOES
    assert harm(padding=0.05, state_left=0.2) == WITHSTOOD
    assert harm(padding=0.1, state_left=0.2) == SPARES
    again = [padding(step=k, padding=0.05, state_left=left) for k, left in ((1, 0.1), (21, 0.5))]
    learned = log(lstm(), again, [batch(step, time=20) for step in (1, 21)])
    assert value_of("padding_reaches_state", learned, "lstm") is False  # the latest decides


def test_lengths_that_take_in_padding() -> None:
    within: dict[str, Any] = {"packed": True, "read_share": 0.8, "unread_share": 0.0}
    assert harm(padding=0.14, **within) == SPARES
    assert harm(padding=0.2, time=30, state_left=0.1, **within) == UNDOES
    assert value_of("padding_misread_share", log(lstm(), padding(**within)), "lstm") == 0.8


def both(*shares: float | None) -> RunLog:
    readouts = [readout(step=k + 1, reverse_last_share=share) for k, share in enumerate(shares)]
    return log(lstm(bidirectional=True), readouts)


def test_the_reverse_direction_read_at_its_first_step() -> None:
    assert value_of("reverse_reads_one_step", both(1.0, 1.0), "lstm") is True
    assert value_of("reverse_reads_one_step", both(1.0, 0.05), "lstm") is False
    assert measure("reverse_reads_one_step", both(None), "lstm").absent
    assert value_of("reverse_reads_one_step", log(lstm()), "lstm") is False
    short = log(lstm(bidirectional=True), readout(time=1, reverse_last_share=1.0))
    assert measure("reverse_reads_one_step", short, "lstm").absent


def test_the_line_of_a_finding_is_that_of_the_read_out() -> None:
    lines = [readout(location=None), readout(step=3, location=at(31), reverse_last_share=1.0)]
    run = log(lstm(bidirectional=True), lines, padding(), padding(step=3))
    assert measure("padding_misread_share", run, "lstm").location == at(31)
    assert measure("reverse_reads_one_step", run, "lstm").location == at(31)
    unseen = log(lstm(), readout(), padding())
    assert measure("padding_misread_share", unseen, "lstm").location == at(20)


def test_a_part_that_is_never_read() -> None:
    def words(layers: int, *seen: tuple[int, str | None]) -> str | None:
        records = [
            readout(step=k, unread_layers=above, unread_direction=direction, location=at(30 + k))
            for k, (above, direction) in enumerate(seen, 1)
        ]
        run = log(lstm(bidirectional=True, num_layers=layers), records)
        found = measure("part_unread_name", run, "lstm")
        claim = measure("part_unread", run, "lstm")
        assert (found.value is not None) == (claim.value is True)
        assert claim.location == at(31)
        return str(found.value) if found.value else found.absent

    assert words(1, (0, "forward"), (0, "forward")) == "the forward direction"
    assert words(3, (0, "reverse")) == "the reverse direction of layer 2"
    assert words(3, (1, "forward")) == "the forward direction of layer 1 and layer 2"
    assert words(3, (2, None)) == "layers 1 to 2"
    assert words(1, (0, "forward"), (0, None)) == "the loss reads all of it"
    assert words(2, (0, None)) == "the loss reads all of it"
    assert measure("part_unread", log(lstm(), batch()), "lstm").absent
    assert measure("part_unread_name", log(lstm(), batch()), "lstm").absent


def test_a_view_that_mixes_samples() -> None:
    run = log(lstm(), mixing(location=None), mixing(step=3, what="input", shape=(8, 5, 2), viewed=(5, 8, 2)))
    found = measure("batch_mixed_by_view", run, "lstm")
    assert (found.value, found.location) == (True, at(40))
    assert value_of("batch_mixed_by_view_name", run, "lstm") == "the input (8, 5, 2) as (5, 8, 2)"
    assert measure("batch_mixed_by_view", log(lstm(), mixing(location=None)), "lstm").location == at(20)
    assert value_of("batch_mixed_by_view", log(lstm(), batch()), "lstm") is False
    assert measure("batch_mixed_by_view_name", log(lstm(), batch()), "lstm").absent
    assert measure("batch_mixed_by_view", log(lstm()), "lstm").absent


def test_a_view_that_mixes_the_steps_of_each_sample() -> None:
    steps_mixed = mixing(what="input", shape=(8, 4, 5), viewed=(8, 5, 4), within=True)
    assert value_of("view_mixes", log(lstm(), steps_mixed), "lstm") == "time steps"
    assert value_of("batch_mixed_by_view", log(lstm(), steps_mixed), "lstm") is True
    samples_mixed = mixing(step=3, what="start", shape=(8, 10), viewed=(2, 8, 5), location=None)
    both = log(lstm(), steps_mixed, samples_mixed)
    assert value_of("view_mixes", both, "lstm") == "samples"
    assert value_of("batch_mixed_by_view_name", both, "lstm") == "the first state (8, 10) as (2, 8, 5)"
    assert measure("view_mixes", log(lstm(), batch()), "lstm").absent
