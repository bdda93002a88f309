"""What the fault bench counted of a rule comes with its findings."""

from pathlib import Path

import pytest

from rnn_doctor.diagnose import rulebook
from rnn_doctor.diagnose.engine import diagnose
from rnn_doctor.errors import RulebookError
from rnn_doctor.render.wording import record
from rnn_doctor.schema.calibration import Record
from tests.diagnose.books import book, clause, rule, run

RECORD = Record(right=58, of=60, interval=(0.884, 0.996))


def test_warnings_and_errors_carry_it_and_notes_do_not() -> None:
    graded = rule(grade=[{"severity": "note", "when": [clause("size", below=5)]}])
    counted = book(graded).model_copy(update={"records": {"RD101": RECORD}})
    for size, expected in ((9.0, RECORD), (2.0, None)):
        (finding,) = diagnose(run(size=size), counted).findings
        assert finding.confidence.bench == expected
    (finding,) = diagnose(run(size=9.0), book(graded)).findings
    assert finding.confidence.bench is None


def test_in_words() -> None:
    assert record(RECORD) == "right in 58 of 60 runs of the fault bench (95 %: 88 to 100 %)"
    assert record(Record(right=0, of=1, interval=(0, 0.975))).startswith(
        "right in 0 of 1 run of the fault bench"
    )


@pytest.mark.parametrize("fields", [{"right": 3, "of": 2}, {"right": 1, "of": 4, "interval": (0.5, 0.9)}])
def test_impossible_counts_do_not_load(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"runs than there are|outside of its interval"):
        Record.model_validate({"interval": (0.0, 1.0), **fields})


def test_a_rule_that_a_user_replaced_has_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulebook, "_records", lambda: {"RD103": RECORD, "RD104": RECORD, "XX001": RECORD})
    assert set(rulebook.load().records) == {"RD103", "RD104"}
    shipped = Path(__file__).parents[2] / "rules" / "RD103-gradient-spikes.toml"
    own = tmp_path / shipped.name
    own.write_text(shipped.read_text(encoding="utf-8"), encoding="utf-8")
    assert set(rulebook.load([tmp_path]).records) == {"RD104"}
    assert rulebook.load(shipped=False).records == {}


def test_a_broken_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulebook, "files", lambda package: tmp_path)
    assert rulebook._records() == {}
    (tmp_path / rulebook.CALIBRATION).write_text('{"made_by": "me"}', encoding="utf-8")
    with pytest.raises(RulebookError, match=r"rules/calibration\.json: Field required"):
        rulebook._records()
