"""Tables as people have them: what is read of them, and what is said where they cannot be read."""

import gzip
from pathlib import Path

import pytest

from rnn_doctor.errors import RunLogError
from rnn_doctor.foreign import runs

ROWS = [(epoch, 2.0 * 0.9**epoch, 2.1 * 0.95**epoch) for epoch in range(12)]
REPORT = (Path(__file__).parents[1] / "gold" / "report-v1.json").read_bytes()
TABLE = "epoch,train_loss,val_loss\n" + "".join(f"{k},{a:.4f},{b:.4f}\n" for k, a, b in ROWS)


def test_a_comma_marks_decimals_where_it_parts_no_fields(tmp_path: Path) -> None:
    plain, other = tmp_path / "plain.csv", tmp_path / "other.csv"
    plain.write_text(TABLE, encoding="utf-8")
    other.write_text(TABLE.replace(",", ";").replace(".", ","), encoding="utf-8")
    expected, found = (runs.in_file(path).read({}) for path in (plain, other))
    assert [s.loss for s in found.steps] == [s.loss for s in expected.steps]
    assert [e.loss for e in found.evaluations] == [e.loss for e in expected.evaluations]
    assert len(found.evaluations) == len(ROWS)


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode("utf-16"),
        gzip.compress(TABLE.encode()),
        TABLE.replace("epoch", "époque").encode("latin-1"),
    ],
    ids=["utf-16", "gzip", "latin-1"],
)
def test_however_its_characters_are_written(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(content)
    log = runs.in_file(path).read({})
    assert [e.loss for e in log.evaluations] == [round(b, 4) for _, _, b in ROWS]
    assert not log.truncated


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"\n \n\n", "the file holds nothing but blank lines"),
        (b"loss\n1.0\n0.9\n", "its first line names a single column"),
        (b"0,1.9,2.0\n1,1.8,1.9\n", "its first line has no names of columns, but numbers"),
        (b"epoch,loss,loss\n0,1.9,2.0\n", "two of its columns are called 'loss'"),
        (b"\0\1\2\3", "no log of a kind that is read"),
        (REPORT, "no log but a report of rnn-doctor"),
        (b"[" + REPORT + b"]", "no log but a report of rnn-doctor"),
        (REPORT.replace(b"\n", b""), "no log but a report of rnn-doctor"),
    ],
)
def test_what_keeps_a_table_from_being_read_is_told(text: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(text)
    with pytest.raises(RunLogError) as raised:
        runs.in_file(path)
    assert raised.value.message.startswith(f"{path}: {said}")
    assert raised.value.hint
