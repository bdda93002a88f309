"""Comments in the source suppress what stands on their line, and are told where they do not work."""

import time
from typing import Any

import pytest

from rnn_doctor.diagnose.engine import diagnose
from rnn_doctor.diagnose.suppressions import suppress
from rnn_doctor.schema.report import Diagnosis, Remark, Suppressed
from rnn_doctor.schema.signals import Measurement, Signals
from rnn_doctor.schema.values import Location
from tests.diagnose.books import book, clause, merged, rule, run, signals

BOOK = book(
    rule("RD101", condition="overfitting", explains=["RD201"]),
    rule("RD201", condition="overfitting", severity="warning", when=[clause("share")]),
    rule("RD202", when=[clause("loud")]),
    rule("RD301", status="preview"),
)
ENABLED = frozenset({"RD101", "RD201", "RD202"})
CODE = "loss.backward()"


def measured(code: str | None = CODE, line: int = 2) -> Signals:
    place = Location(file="train.py", line=line, code=code)
    return merged(signals(size={"run": Measurement(value=3.0, location=place)}), run(share=2.0, loud=0.0))


def judged(
    comment: str = "", *, source: str | None = None, seen: Signals | None = None
) -> tuple[Diagnosis, tuple[Suppressed, ...], tuple[Remark, ...]]:
    """What is left of one finding on line 2 of train.py and another without a line."""
    sources = {} if source == "" else {"train.py": source or f"import torch\n    {CODE}  {comment}\n"}
    return suppress(diagnose(seen or measured(), BOOK, enabled=ENABLED), sources, BOOK, ENABLED)


def ids(diagnosis: Diagnosis) -> list[str]:
    return [finding.rule for finding in diagnosis.findings]


@pytest.mark.parametrize(
    "comment",
    [
        "# rnn-doctor: ignore[RD101] as in the paper",
        "# rnn-doctor: ignore[RD1] as in the paper",
        "# rnn-doctor: ignore[name-of-rd101] as in the paper",
        "# rnn-doctor: ignore[RD202, RD101]: as in the paper",
        "#rnn-doctor:ignore [ RD101 ] as in the paper",
        "# noqa  # rnn-doctor: ignore[RD101] as in the paper  # type: ignore",
    ],
)
def test_a_comment_on_the_line_suppresses_the_finding(comment: str) -> None:
    diagnosis, suppressed, remarks = judged(comment)
    assert ids(diagnosis) == ["RD201"]
    assert [(each.finding.rule, each.reason) for each in suppressed] == [("RD101", "as in the paper")]
    assert remarks == ()


@pytest.mark.parametrize(
    "source",
    [
        f"# rnn-doctor: ignore[RD101] above\n{CODE}\n",
        f"import torch\n{CODE}\n# rnn-doctor: ignore[RD101] below\n",
        f"text = '''\n{CODE}  # rnn-doctor: ignore[RD101] in a string\n'''\n",
        f"import torch\n{CODE}; log('# rnn-doctor: ignore[RD101] in a string')\n",
        f"import torch\n{CODE}  # rnn-doctor: ignore[RD2] of another rule\n",
        f"import torch\n{CODE}  # rnn-doctor: ingore[RD101] misspelt\n",
        "",
    ],
)
def test_nothing_else_does(source: str) -> None:
    diagnosis, suppressed, _ = judged(source=source)
    assert (ids(diagnosis), suppressed) == (["RD101", "RD201"], ())


def test_a_verdict_stays_and_says_that_its_finding_is_suppressed() -> None:
    before = diagnose(measured(), BOOK, enabled=ENABLED).conditions.overfitting
    verdict = judged("# rnn-doctor: ignore[RD101] as in the paper")[0].conditions.overfitting
    assert (before.verdict, before.findings) == ("present", ("RD101",))
    assert (verdict.verdict, verdict.findings) == ("present", ())
    assert verdict.reason == f"{before.reason}; RD101 is suppressed at train.py:2 (as in the paper)"


def test_what_a_suppressed_finding_explains_stands_alone() -> None:
    left = judged("# rnn-doctor: ignore[RD101] as in the paper")[0].findings
    assert left[0].explained_by == ()
    assert judged()[0].findings[1].explained_by == ("RD101",)


@pytest.mark.parametrize(
    ("recorded", "source", "works"),
    [
        (f"{CODE}  # rnn-doctor: ignore[RD101] why", "", True),
        (f"{CODE}  # rnn-doctor: ignore[RD101] why", "another = file\nthan = ran\n", True),
        (f"{CODE}  # rnn-doctor: ignore[RD101] why", f"import torch\n{CODE}\n", False),
        (CODE, f"import torch\nmoved()  # rnn-doctor: ignore[RD101] why\n{CODE}\n", False),
        (None, "import torch\nx()  # rnn-doctor: ignore[RD101] why\n", True),
        (f"f({'x' * 158}", f"import torch\nf({'x' * 300})  # rnn-doctor: ignore[RD101] why\n", True),
    ],
)
def test_of_a_changed_file_the_line_that_ran_decides(recorded: str | None, source: str, works: bool) -> None:
    _, suppressed, _ = judged(source=source, seen=measured(recorded))
    assert bool(suppressed) is works


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("# rnn-doctor: ignore[RD202] why", "`ignore[RD202]` is unused"),
        ("# rnn-doctor: ignore[RD101]", "`ignore[RD101]` gives no reason"),
        ("# rnn-doctor: ignore[RD999] why", "`ignore[RD999]`: no rule matches 'RD999'"),
        ("# rnn-doctor: ignore[rd101] why", "no rule matches 'rd101' (did you mean 'RD101'?)"),
        ("# rnn-doctor: ignore why", "`ignore` names no rule"),
        ("# rnn-doctor: ignore[] why", "`ignore` names no rule"),
        ("# rnn-doctor: ingore[RD101] why", "`ingore[RD101]` is not understood (did you mean 'ignore'?)"),
    ],
)
def test_what_is_wrong_with_a_comment_is_said(comment: str, said: str) -> None:
    remarks = judged(comment)[2]
    assert len(remarks) == 1
    assert (remarks[0].location.file, remarks[0].location.line) == ("train.py", 2)
    assert said in remarks[0].text


@pytest.mark.parametrize("code", ["RD301", "RD2"])
def test_what_was_not_looked_for_is_not_called_unused(code: str) -> None:
    unknown: dict[str, Any] = {"size": 0.0, "share": None, "loud": 0.0}
    assert judged(f"# rnn-doctor: ignore[{code}] why", seen=run(**unknown))[2] == ()
    assert judged("# rnn-doctor: ignore[RD1] why", seen=run(**unknown))[2][0].text.startswith(
        "`ignore[RD1]` is"
    )


@pytest.mark.parametrize(
    "source",
    [
        "# rnn-doctor: ignore[" * 40_000,
        "# rnn-doctor: ignore[RD999] x\n" * 30_000,
        f"# rnn-doctor: ignore[{'RD999,' * 100_000}]",
        f"# rnn-doctor{' ' * 900_000}",
        "#" * 900_000,
        "(" * 200_000,
        "'" * 200_000,
        "'\\" * 100_000,
        "".join(f"{' ' * n}if 1:\n" for n in range(1200)),
    ],
    ids=lambda source: source[:24],
)
def test_a_file_that_is_out_to_be_slow_is_not(source: str) -> None:
    start = time.process_time()
    _, suppressed, remarks = judged(source=f"# rnn-doctor\n{source}\n")
    assert suppressed == ()
    assert len(remarks) <= 100
    assert time.process_time() - start < 20, "quadratic time would take hours"
