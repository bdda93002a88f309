"""Layers outside of recurrences of which an activation lets nothing through."""

from typing import Any

from rnn_doctor.derive.signals import signals
from rnn_doctor.schema.wiring import Activation
from tests.derive.logs import log, lstm, value_of
from tests.derive.recurrent_logs import layer


def activation(step: int = 50, share: float = 1.0, **fields: Any) -> Activation:
    return Activation(**{
        "record": "activation", "step": step, "name": "dense", "function": "Relu", "units": 32, "rows": 64,
        "silent_share": share, **fields,
    })  # fmt: skip


def subjects(*seen: Activation) -> set[str]:
    return set(signals(log(lstm(), seen)).signals["dead_unit_share"].measurements)


def test_a_dead_layer_is_a_subject_of_its_own() -> None:
    run = log(lstm(), layer(50), activation(21), activation(50))
    assert value_of("dead_unit_share", run, "dense") == 1
    assert value_of("lets_nothing_through", run, "dense") is True
    assert value_of("dead_unit_share", run, "lstm") == 0
    assert value_of("lets_nothing_through", run, "lstm") is False


def test_a_layer_of_which_some_units_speak_is_none() -> None:
    assert subjects(activation(share=0.95)) == {"lstm", "dense"}
    assert subjects(activation(share=0.94)) == {"lstm"}
    assert subjects(activation(21, 0.5), activation(50)) == {"lstm"}, "it spoke in between"
    assert subjects(activation(1)) == {"lstm"}, "small weights may keep all units below zero at first"
    assert subjects(activation(1, 0.2), activation(50)) == {"lstm", "dense"}, "it died"
