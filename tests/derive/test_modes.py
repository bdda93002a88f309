from typing import Any

import pytest

from rnn_doctor.schema.runlog import Place
from rnn_doctor.schema.wiring import Mode
from tests.derive.logs import at, log, lstm, measure, steps, value_of

UPDATES, SINCE = "evaluation_mode_updates", "evaluation_mode_since"
EXTENT, OF = "evaluation_mode_extent", "evaluation_mode_of"


def mode(step: int, *training: bool, **fields: Any) -> Mode:
    """A dropout, a second one, and batch normalization, as many of them as modes are given."""
    given = {
        "names": ("drop", "decoder.drop", "norm")[: len(training)],
        "kinds": ("dropout", "dropout", "batch_norm")[: len(training)],
        "others": any(training),
    }
    return Mode(**{"record": "mode", "step": step, "training": training, **given, **fields})


def test_off_from_an_update_on() -> None:
    run = log(steps([1.0] * 50), mode(1, True, True, True), mode(13, False, False, False, location=at(7)))
    assert (value_of(UPDATES, run), value_of(SINCE, run)) == (38, 13)
    assert value_of(EXTENT, run) == "whole"
    assert value_of(OF, run) == "dropout (drop, decoder.drop) and batch normalization (norm)"
    assert measure(UPDATES, run).location == at(7)


def test_where_no_line_called_eval_the_backward_pass_is_pointed_to() -> None:
    backward = Place(record="place", step=1, role="backward", location=at(9))
    assert measure(UPDATES, log(steps([1.0] * 8), mode(1, False), backward)).location == at(9)


def test_on_at_the_end_is_on() -> None:
    run = log(steps([1.0] * 50), mode(1, False), mode(10, True))
    assert value_of(UPDATES, run) == 0
    assert measure(SINCE, run).absent == "nothing is off"
    assert value_of(UPDATES, log(steps([1.0] * 50), mode(1))) == 0


def test_a_later_change_of_what_is_off_does_not_begin_anew() -> None:
    run = log(steps([1.0] * 50), mode(1, True, True), mode(11, True, False), mode(31, False, False))
    assert (value_of(UPDATES, run), value_of(SINCE, run)) == (40, 11)


def extent(*records: Mode) -> Any:
    return value_of(EXTENT, log(steps([1.0] * 50), *records))


def test_how_much_is_off() -> None:
    assert extent(mode(1, False, False)) == "whole"
    assert extent(mode(1, False, others=None)) == "whole"
    assert extent(mode(1, True, False)) == "part"
    assert extent(mode(1, False, others=True)) == "part"
    assert extent(mode(1, True, True), mode(9, True, False)) == "turned off"
    assert extent(mode(1, False, True), mode(9, True, False)) == "turned off"
    assert extent(mode(1, True, True, False)) == "normalization"
    assert extent(mode(1, True, True, True), mode(9, True, True, False)) == "normalization"


@pytest.mark.parametrize("name", [UPDATES, SINCE, EXTENT, OF])
def test_absent(name: str) -> None:
    def why(*records: Any) -> str:
        return measure(name, log(*records)).absent or ""

    run = steps([1.0] * 8)
    assert "no training step" in why()
    assert "gradient" in why(run)
    assert "TorchScript" in why(run, lstm(called=False), mode(1, False))
    turns = [s.model_copy(update={"optimizers": (s.step % 2,)}) for s in run]
    assert "take turns" in why(turns, mode(1, False))
    assert "too often" in why(run, mode(1, False, complete=False))


def test_a_few_updates_at_the_end_may_pass() -> None:
    run: list[Any] = [steps([1.0] * 50), mode(1, True)]
    assert "4 updates were" in (measure(UPDATES, log(*run, mode(47, False))).absent or "")
    assert value_of(UPDATES, log(*run, mode(46, False))) == 5
