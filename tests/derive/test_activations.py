"""Layers outside of recurrences of which an activation lets nothing through."""

from typing import Any

from rnn_doctor.derive.signals import signals
from rnn_doctor.schema.wiring import Activation
from tests.derive.logs import log, lstm, measure, value_of


def activation(step: int = 50, share: float = 1.0, **fields: Any) -> Activation:
    return Activation(**{
        "record": "activation", "step": step, "name": "dense", "function": "Relu", "units": 32, "rows": 64,
        "silent_share": share, **fields,
    })  # fmt: skip


def test_the_least_share_of_silent_units_after_the_first_update() -> None:
    assert value_of("silent_unit_share", log(lstm(), activation(21), activation(50)), "dense") == 1
    spoke = log(lstm(), activation(21, 0.5), activation(50))
    assert value_of("silent_unit_share", spoke, "dense") == 0.5
    died = log(lstm(), activation(1, 0.2), activation(50))
    assert value_of("silent_unit_share", died, "dense") == 1


def test_what_is_silent_before_the_first_update_may_speak_later() -> None:
    assert measure("silent_unit_share", log(lstm(), activation(1)), "dense").absent


def test_layers_are_subjects_of_their_own() -> None:
    seen = [activation(), activation(name="front", share=0.1)]
    assert set(signals(log(lstm(), seen)).signals["silent_unit_share"].measurements) == {"dense", "front"}
    assert signals(log(lstm())).signals["silent_unit_share"].measurements == {}


def test_a_layer_that_spoke_at_first_was_silenced() -> None:
    silenced = log(lstm(), activation(1, 0.3), activation(21), activation(50))
    assert value_of("layer_silenced", silenced) == 1
    assert value_of("layer_silenced", log(lstm(), activation(1, 0.6), activation(50))) == 0, "it never spoke"
    half = log(lstm(), activation(1, 0.3), activation(21, 0.5), activation(50))
    assert value_of("layer_silenced", half) == 0.5
    assert measure("layer_silenced", log(lstm(), activation(50))).absent
    assert measure("layer_silenced", log(lstm(), activation(1))).absent
