import math
from typing import Any

import pytest

from rnn_doctor.derive.signals import signals
from rnn_doctor.schema.recurrence import LoopInput, StepReadout
from rnn_doctor.schema.runlog import Batch
from rnn_doctor.schema.wiring import Tokens
from tests.derive.logs import (
    adam,
    batch,
    loader,
    log,
    lstm,
    measure,
    readout,
    samples,
    steps,
    value_of,
    weight,
)  # fmt: skip
from tests.derive.recurrent_logs import flow

NAMES = ("input_std", "input_absmax", "input_offset", "input_drive", "input_constant", "sequence_length_max")


def test_statistics_of_the_input() -> None:
    run = log(lstm(), [batch(k, mean=-8.0, std=2.0, absmax=10.0 * k, drive=0.1 * k) for k in (1, 2, 3)])
    assert value_of("input_std", run, "lstm") == 2
    assert value_of("input_absmax", run, "lstm") == 20
    assert value_of("input_offset", run, "lstm") == 4
    assert value_of("input_drive", run, "lstm") == pytest.approx(0.1)


def test_scaled_inputs_scale_their_statistics_but_not_the_offset() -> None:
    run = log(lstm(), batch(mean=8.0, std=2.0, absmax=10.0))
    scaled = log(lstm(), batch(mean=80.0, std=20.0, absmax=100.0))
    assert value_of("input_std", scaled, "lstm") == 20
    assert value_of("input_absmax", scaled, "lstm") == 100
    assert value_of("input_offset", scaled, "lstm") == value_of("input_offset", run, "lstm")


@pytest.mark.parametrize("name", NAMES)
def test_absent(name: str) -> None:
    assert "not called" in (measure(name, log(lstm()), "lstm").absent or "")
    assert "TorchScript" in (measure(name, log(lstm(called=False)), "lstm").absent or "")
    assert "hand-written" in (measure(name, log(lstm(kind="custom")), "lstm").absent or "")
    assert signals(log()).signals[name].measurements == {}


def test_input_that_is_never_finite_is_absent() -> None:
    run = log(lstm(), batch(mean=math.nan, std=math.nan, absmax=math.inf, finite=False, drive=None))
    for name in ("input_std", "input_absmax", "input_offset", "input_drive"):
        assert measure(name, run, "lstm").absent


def test_tokens_of_a_hand_written_recurrence() -> None:
    def told(**fields: Any) -> bool | float | str | None:
        record = Tokens(
            **{"record": "tokens", "step": 3, "module": 0, "looked": 96, "constant": True, **fields}
        )
        return value_of("input_constant", log(lstm(kind="custom"), record), "lstm")

    assert told() is True
    assert told(constant=False) is False
    assert told(looked=63) is None
    assert told(module=1) is None
    seen = Tokens(record="tokens", step=3, module=0, looked=96, constant=True)
    assert value_of("input_constant", log(lstm(), batch(), seen), "lstm") is False  # its own input is known


def loop_input(step: int = 1, **fields: Any) -> LoopInput:
    return LoopInput(**{
        "record": "loop_input", "step": step, "module": 0, "vectors": 64, "constant": False, "mean": 0.1, "std": 1.0,
        "absmax": 3.0, "drive": 0.0, **fields,
    })  # fmt: skip


def test_what_the_steps_of_a_hand_written_recurrence_take() -> None:
    by_hand = lstm(kind="custom")
    run = log(by_hand, [loop_input(k, std=2.0, absmax=10.0 * k, drive=0.01 * k) for k in (1, 21, 50)])
    assert value_of("input_std", run, "lstm") == 2
    assert value_of("input_absmax", run, "lstm") == 210
    assert value_of("input_drive", run, "lstm") == 0.01
    assert value_of("input_constant", run, "lstm") is False
    late = log(by_hand, loop_input(21))
    assert measure("input_drive", late, "lstm").absent, "its weights have learned by then"
    assert value_of("input_std", log(lstm(), batch(), loop_input(std=7.0)), "lstm") == 1, (
        "its calls were seen"
    )


def test_a_hand_written_recurrence_that_is_given_the_same_at_all_steps() -> None:
    def told(*inputs: LoopInput, **tokens: Any) -> bool | float | str | None:
        words = [Tokens(record="tokens", step=3, module=0, looked=96, **tokens)] if tokens else []
        return value_of("input_constant", log(lstm(kind="custom"), inputs, words), "lstm")

    same: dict[str, Any] = {"constant": True, "mean": 0.5, "std": 0.0}
    assert told(loop_input(**same), loop_input(21, **same)) is True
    assert told(loop_input(**same), loop_input(21, **{**same, "mean": 0.6})) is False
    assert told(loop_input(**same), loop_input(21)) is False
    assert told(loop_input(**same, vectors=63)) is None
    zeros = {"constant": True, "mean": 0.0, "std": 0.0, "absmax": 0.0, "vectors": 4}
    assert told(*(loop_input(k, **zeros) for k in (1, 21, 50))) is True
    assert told(*(loop_input(k, **{**zeros, "vectors": 3}) for k in (1, 21, 50))) is None
    assert told(*(loop_input(k, **{**zeros, "absmax": 1e-6}) for k in (1, 21, 50))) is None
    assert told(*(loop_input(k, **zeros) for k in (1, 50))) is None
    assert told(loop_input(**same), constant=False) is True, (
        "an embedding of zeros makes the same of all tokens"
    )
    assert told(loop_input(), constant=True) is True, "dropout makes the same token differ"


def test_one_vector_for_all_rows_of_a_batch_tells_none_apart_though_the_next_batch_has_another() -> None:
    def told(*rows: int, constant: bool = True) -> bool | float | str | None:
        given = [loop_input(k, constant=constant, mean=0.1 * k, std=0.0) for k in (1, 21, 50)]
        return value_of("input_constant", log(lstm(kind="custom"), given, map(steps_read, rows)), "lstm")

    assert told(9, 9) is True
    assert told(9, 1) is False, "a sequence alone may hold one input"
    assert told() is False, "how many rows there are was not seen"
    assert told(9, 9, constant=False) is False


def steps_read(rows: int) -> StepReadout:
    return StepReadout(
        record="step_readout",
        step=1,
        module=0,
        steps=8,
        rows=rows,
        last_share=1,
        top_row_share=0.2,
        rows_reached=rows,
    )


def constant(**fields: Any) -> bool | float | str | None:
    run = log(
        lstm(), [batch(k, **{"constant_share": 1.0, "std": 0.0, "mean": 0.0, **fields}) for k in (1, 2, 3)]
    )
    return value_of("input_constant", run, "lstm")


def test_constant_input() -> None:
    assert constant() is True
    assert constant(mean=77.0) is True
    assert constant(constant_share=0.9, std=0.5) is False


def test_numbers_of_another_range_hardly_vary() -> None:
    scaled = {"constant_share": 0.0, "mean": 0.5, "absmax": 0.5001}
    assert constant(**scaled, std=1e-5) is True
    assert constant(**scaled, std=1e-3) is False
    looks = [batch(k, mean=0.5 + k, std=1e-5, absmax=1.0 + k) for k in (1, 2, 3)]
    assert value_of("input_constant", log(lstm(), looks), "lstm") is False, "another number at each look"
    one_sequence = [batch(1, batch=1, mean=0.5, std=1e-5, absmax=0.5)]
    assert value_of("input_constant", log(lstm(), one_sequence), "lstm") is False


def test_a_number_that_is_hardly_ever_another() -> None:
    blank = [
        batch(k, batch=64, time=30, features=1, constant_share=1.0, mean=0.0, std=0.0) for k in (1, 3, 21)
    ]
    other = batch(8, batch=64, time=30, features=1, constant_share=0.0, mean=0.0005, std=0.02)

    def told(*batches: Batch) -> bool | float | str | None:
        return value_of("input_constant", log(lstm(), *batches), "lstm")

    assert told(*blank, other) is True
    assert told(*blank, other, other) is False, "two of five looks"
    assert told(*blank[:2], other) is False
    assert told(*(b.model_copy(update={"time": 3}) for b in blank), other) is False, (
        "of few samples by chance"
    )
    assert told(*(b.model_copy(update={"mean": float(b.step)}) for b in blank), other) is False


def test_decoders_may_be_fed_constants() -> None:
    assert constant(state="given") is False
    assert constant(state="carried") is False


def test_single_values_cannot_vary() -> None:
    assert constant(time=1, batch=1) is None
    assert constant(time=1, batch=1, calls=20) is True


def test_vector_repeated_over_time_is_not_constant_data() -> None:
    repeated = [batch(k, batch=1, constant_share=1.0, mean=0.1 * k) for k in (1, 2, 3)]
    assert value_of("input_constant", log(lstm(), repeated), "lstm") is False
    once = log(lstm(), batch(1, batch=1, constant_share=1.0))
    assert value_of("input_constant", once, "lstm") is False


def test_longest_sequence() -> None:
    assert value_of("sequence_length_max", log(lstm(), batch(time=7), batch(2, time=30)), "lstm") == 30
    wider = log(lstm(), batch(time=7, batch=99), batch(2, time=30, batch=99))
    assert value_of("sequence_length_max", wider, "lstm") == 30


def recurrent(*norms: float | None) -> bool | float | str | None:
    seen = [s for k, n in enumerate(norms) for s in samples([k + 1], grad_norm=(n, 1.0), parameters=(0, 1))]
    run = log(
        adam(), lstm(), weight(0), weight(1, "lstm.weight_ih_l0"), steps([1.0] * 8), seen,
    )  # fmt: skip
    return value_of("recurrent_weights_unused", run, "lstm")


def test_recurrent_weights_are_unused_if_their_gradient_is_exactly_zero() -> None:
    assert recurrent(0.0, 0.0, None) is True
    assert recurrent(0.0, 1e-30) is False
    assert recurrent(0.0, 1e30) is False
    assert recurrent(None, None) is None


def test_a_state_that_is_handed_on_uses_them_whatever_stops_the_gradient() -> None:
    zero = samples([1, 3], grad_norm=(0.0,), parameters=(0,))
    for attached in (0, 7):
        handed = flow(calls=8, attached=attached, length=1)
        run = log(adam(), lstm(), weight(0), steps([1.0] * 8), zero, handed)
        assert value_of("recurrent_weights_unused", run, "lstm") is (attached == 0)


def test_a_single_step_from_zeros_uses_none_even_where_no_gradient_arrives() -> None:
    def single(**fields: Any) -> bool | float | str | None:
        seen = samples([1, 3], grad_norm=(None,), parameters=(0,))
        call = batch(**{"time": 1, "state": "none", **fields})
        return value_of(
            "recurrent_weights_unused", log(adam(), lstm(), weight(0), steps([1.0] * 8), seen, call), "lstm"
        )

    assert single() is True
    assert single(state="zero") is True
    assert single(state="carried") is None
    assert single(calls=5) is None
    assert single(time=2) is None


def mixed_up(*records: object) -> bool | float | str | None:
    return value_of("batch_axis_as_time", log(lstm(), *records), "lstm")  # type: ignore[arg-type]


def test_reading_one_row_of_the_batch() -> None:
    alone: dict[str, Any] = {"top_row_share": 1.0, "last_share": 0.05}
    assert mixed_up(readout(1, **alone), readout(2, **alone)) is True
    assert mixed_up(readout(1, **alone), readout(2, top_row_share=0.2, last_share=0.05)) is False
    assert mixed_up(readout(1, **alone)) is False
    narrow = [readout(k, **alone, batch=1) for k in (1, 2)]
    assert mixed_up(narrow) is False
    one_sample = [readout(k, top_row_share=1.0, last_share=1.0) for k in (1, 2)]
    assert mixed_up(one_sample) is False
    decoder = [readout(k, top_row_share=1.0, time=1) for k in (1, 2)]
    assert mixed_up(decoder) is False


def crossed(**fields: Any) -> bool | float | str | None:
    given = {"time": 32, "batch": 20, "loader": 0, "loader_shape": (32, 20, 8)}
    options = {k: fields.pop(k) for k in ("shuffled", "batch_size") if k in fields}
    return mixed_up(loader(**options), [batch(k, **{**given, **fields}) for k in (1, 2)])


def test_samples_of_a_shuffled_loader_on_the_time_axis() -> None:
    assert crossed() is True
    assert crossed(time=20, batch=32) is False


def test_axes_that_cannot_be_told_apart() -> None:
    assert crossed(shuffled=False) is None
    assert crossed(batch_size=64) is None
    assert crossed(time=20, batch=20, loader_shape=(20, 20, 8), batch_size=20) is None
    assert crossed(loader=None) is None
    assert mixed_up() is None


def test_a_series_in_chunks_is_no_mix_up() -> None:
    assert crossed(time=32, batch=1, loader_shape=(32, 1)) is False


def test_dropout_of_a_single_layer() -> None:
    run = log(
        lstm(0, "one", dropout=0.5), lstm(1, "two", dropout=0.5, num_layers=2), lstm(2, "none"),
        lstm(3, "cell", kind="LSTMCell", dropout=0.5),
    )  # fmt: skip
    found = {name: m.value for name, m in signals(run).signals["dropout_single_layer"].measurements.items()}
    assert found == {"one": True, "two": False, "none": False, "cell": False}
    weaker = log(lstm(0, "one", dropout=0.01))
    assert value_of("dropout_single_layer", weaker, "one") is True
