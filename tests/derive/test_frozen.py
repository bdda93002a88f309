"""Recurrences that are frozen as they were drawn."""

from typing import Any

import pytest

from rnn_doctor.schema.built import InitialWeights, Module
from rnn_doctor.schema.runlog import RunLog
from tests.derive.logs import adam, initial, log, loss_call, lstm, samples, steps, value_of, weight

DRAWN = initial(kurtosis=-1.2, gate_spread=1.01)


def run(module: Module, weights: InitialWeights | None = DRAWN, *others: Any) -> RunLog:
    held = [
        weight(0, "lstm.weight_ih_l0", trainable=False, optimizer=None, used=False, std=0.4),
        weight(1, "lstm.weight_hh_l0", trainable=False, optimizer=None, used=False, std=0.4),
        weight(2, "head.weight", module=None),
    ]
    seen = samples((1, 8), parameters=(0, 1, 2), displacement=lambda _: 0.0)
    return log(adam(), module, weights or [], held, steps([1.0] * 8), seen, *others)


def test_all_but_the_head_is_frozen() -> None:
    frozen = run(lstm(frozen=True))
    assert value_of("recurrence_frozen_fresh", frozen, "lstm") is True
    assert value_of("unoptimized_tensors", frozen, "lstm") == 2
    assert value_of("unoptimized_untrained", frozen, "lstm") is True
    assert value_of("unoptimized_tensors", frozen, "head") == 0


@pytest.mark.parametrize(
    "other",
    [
        run(lstm()),  # a gradient passes it, to an embedding that learns
        run(lstm(frozen=True), initial(kurtosis=2.0, gate_spread=1.4)),  # trained before
        run(
            lstm(frozen=True), initial(kurtosis=0.1, gate_spread=1.01, filled=0.1)
        ),  # most weights are 0, as of a reservoir
        run(lstm(frozen=True), None),
        run(lstm(frozen=True), initial()),
        run(lstm(frozen=True), DRAWN, loss_call(value=0.3, input_shape=(16, 4))),  # it knows something
        run(lstm(frozen=True), DRAWN, lstm(1, "decoder"), initial(module=1, kurtosis=-1.2, gate_spread=1.01)),
    ],
)
def test_what_may_be_frozen(other: RunLog) -> None:
    assert value_of("recurrence_frozen_fresh", other, "lstm") is False
    assert value_of("unoptimized_tensors", other, "lstm") == 0


@pytest.mark.parametrize(("name", "parameter"), [("cell", "cell.w_hh"), ("Net", "w_hh")])
def test_a_hand_written_cell(name: str, parameter: str) -> None:
    held = [
        weight(0, parameter, module=None, trainable=False, optimizer=None, used=None, std=0.4),
        weight(1, "head.weight", module=None),
    ]
    seen = samples((1, 8), parameters=(0, 1), displacement=lambda _: 0.0)
    cell = lstm(name=name, kind="custom", frozen=True)
    for weights, fresh in ((DRAWN, True), (initial(kurtosis=40.0, gate_spread=1.01), False)):
        frozen = log(adam(), cell, weights, held, steps([1.0] * 8), seen)
        assert value_of("recurrence_frozen_fresh", frozen, name) is fresh
        assert value_of("unoptimized_tensors", frozen, "head") == 0
        assert value_of("unoptimized_tensors", frozen, name) == int(fresh)
