"""Layers in a plain list."""

import pytest

from rnn_doctor.schema.values import Location
from tests.derive.logs import log, lstm, measure, value_of

LISTS = [
    "self.layers = [nn.LSTM(5, 32), nn.LSTM(32, 32)]",
    "self.layers.append(nn.LSTM(n, 32, batch_first=True))",
    "self.cells[name] = nn.LSTM(5, 32)",
    "nn.LSTM(5, 32, batch_first=True),",
    "'words': nn.LSTM(5, 32),",
    "layers = tuple(nn.LSTM(32, 32) for _ in range(depth))",
]
NONE = [
    "self.rnn = nn.LSTM(5, 32)",
    "rnn: nn.LSTM = nn.LSTM(5, 32)",
    "model, head = nn.LSTM(5, 32), nn.Linear(32, 1)",
]


@pytest.mark.parametrize("code", LISTS)
def test_what_is_built_into_a_list_and_is_part_of_no_model(code: str) -> None:
    line = Location(file="train.py", line=5, function="__init__", code=code)
    assert value_of("kept_in_a_list", log(lstm(name="LSTM", location=line)), "LSTM") is True
    assert value_of("kept_in_a_list", log(lstm(name="LSTM#2", location=line)), "LSTM#2") is True
    assert value_of("kept_in_a_list", log(lstm(name="layers.0", location=line)), "layers.0") is False


@pytest.mark.parametrize("code", NONE)
def test_what_has_a_name_of_its_own(code: str) -> None:
    line = Location(file="train.py", line=5, function="__init__", code=code)
    assert value_of("kept_in_a_list", log(lstm(name="LSTM", location=line)), "LSTM") is False


def test_a_line_that_is_not_known() -> None:
    assert measure("kept_in_a_list", log(lstm(location=None)), "lstm").absent
