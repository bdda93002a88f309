"""One clause: holds, fails, or unknown."""

import math
from typing import Any

import pytest

from rnn_doctor.diagnose.clause import judge
from rnn_doctor.schema.rule import Clause
from rnn_doctor.schema.signals import RUN
from tests.diagnose.books import clause, run, signals


@pytest.mark.parametrize(
    ("comparison", "value", "state"),
    [
        ({"above": 3}, 3.1, "holds"),
        ({"above": 3}, 3.0, "fails"),
        ({"above": 3}, math.inf, "holds"),
        ({"above": 3}, math.nan, "fails"),
        ({"below": 3}, 2.9, "holds"),
        ({"below": 3}, 3.0, "fails"),
        ({"below": 3}, math.nan, "fails"),
        ({"below": 0}, -math.inf, "holds"),
        ({"between": (1, 2)}, 1.0, "holds"),
        ({"between": (1, 2)}, 2.0, "holds"),
        ({"between": (1, 2)}, 2.01, "fails"),
        ({"between": (1, 2)}, math.nan, "fails"),
        ({"is": True}, True, "holds"),
        ({"is": True}, False, "fails"),
        ({"is": False}, False, "holds"),
        ({"is": True}, 1.0, "fails"),
        ({"is": "SGD"}, "SGD", "holds"),
        ({"is": "SGD"}, "Adam", "fails"),
        ({"above": 0}, True, "unknown"),
        ({"above": 0}, "SGD", "unknown"),
    ],
)
def test_comparison(comparison: dict[str, Any], value: Any, state: str) -> None:
    outcome = judge(Clause.model_validate(clause("size", **comparison)), run(size=value), RUN)
    assert outcome.state == state
    assert (outcome.evidence is not None) == (state == "holds")
    assert (outcome.reason is not None) == (state == "unknown")


def test_evidence_quotes_value_threshold_and_reason() -> None:
    evidence = judge(Clause.model_validate(clause("size", above=3)), run(size=4.0), RUN).evidence
    assert evidence is not None
    assert (evidence.signal, evidence.value, evidence.threshold) == ("size", 4.0, "> 3")
    assert evidence.because == "healthy runs stay below it"


@pytest.mark.parametrize(
    ("comparison", "value", "words"),
    [
        ({"above": 1e-4}, 1.0, "> 0.0001"),
        ({"below": 2}, 1.0, "< 2"),
        ({"between": (0.5, 2)}, 1.0, "0.5 to 2"),
        ({"is": False}, False, "is false"),
        ({"is": "SGD"}, "SGD", "is SGD"),
    ],
)
def test_threshold_in_words(comparison: dict[str, Any], value: Any, words: str) -> None:
    evidence = judge(Clause.model_validate(clause("size", **comparison)), run(size=value), RUN).evidence
    assert evidence is not None
    assert evidence.threshold == words


def test_unknown_says_why() -> None:
    absent = judge(Clause.model_validate(clause()), run(size=None), RUN)
    assert (absent.state, absent.reason) == ("unknown", "no size")
    missing = judge(Clause.model_validate(clause()), run(), RUN)
    assert (missing.state, missing.reason) == ("unknown", "size was not measured")
    other = judge(Clause.model_validate(clause()), signals("module", size={"encoder": 2.0}), "decoder")
    assert (other.state, other.reason) == ("unknown", "size was not measured")


def test_a_run_level_signal_speaks_for_every_subject() -> None:
    assert judge(Clause.model_validate(clause()), run(size=2.0), "encoder").state == "holds"
