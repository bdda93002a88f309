"""A comparison tells what is another, and what makes the two reports less alike."""

import json

from jsonschema import Draft202012Validator

from rnn_doctor.cli.schema import published
from rnn_doctor.compare.reports import compare
from rnn_doctor.render.comparison import as_json
from rnn_doctor.schema.report import ChangedThreshold, Suppressed
from tests.render import reports


def test_verdicts_and_findings_from_healthy_to_ill_and_back() -> None:
    worse = compare([reports.healthy()], reports.ill(), version="1")
    assert {(v.condition, v.old, v.new) for v in worse.verdicts} == {
        ("exploding_gradients", "absent", "present"),
        ("slow_convergence", "absent", "present"),
    }
    assert {f.change for f in worse.findings} == {"new"}
    better = compare([reports.ill()], reports.healthy(), version="1")
    assert better.findings == ()
    assert len(better.gone) == len(reports.ill().findings)


def test_a_report_and_itself_differ_in_nothing() -> None:
    same = compare([reports.ill()], reports.ill(), version="1")
    assert {f.change for f in same.findings} == {"known"}
    assert not any(
        (same.verdicts, same.gone, same.unjudged, same.numbers, same.unsure, same.claims, same.remarks)
    )


def test_what_was_found_and_is_suppressed_now_is_told() -> None:
    first, *rest = reports.ill().findings
    now = reports.ill().model_copy(
        update={"findings": tuple(rest), "suppressed": (Suppressed(finding=first),)}
    )
    held = compare([reports.ill()], now, version="1")
    assert [f.rule for f in held.suppressed] == [first.rule]
    assert held.gone == ()


def test_what_makes_the_reports_less_alike_is_told() -> None:
    old = reports.healthy().model_copy(update={"rules": ("RD101", "RD103")})
    other = old.model_copy(
        update={
            "subject": old.subject.model_copy(update={"script": "x.py", "arguments": (), "torch": "2.4"}),
            "observation": old.observation.model_copy(update={"steps": 2000}),
            "rules": ("RD103", "RD104"),
            "thresholds": (ChangedThreshold(rule="RD103", signal="x", shipped="> 1", used="> 2"),),
        }
    )
    assert compare([old], other, version="1").remarks == (
        "the scripts are train.py and x.py",
        "the script's arguments are `--epochs 3` and none",
        "PyTorch was 2.13.0 and 2.4",
        "50 and 2,000 updates were seen: many numbers depend on how many",
        "other rules were in use: RD104 more; RD101 fewer",
        "other thresholds were in use",
    )


def test_json_keeps_its_published_schema() -> None:
    schema = json.loads(published("comparison"))
    for old, new in ((reports.healthy(), reports.ill()), (reports.ill(), reports.hostile())):
        data = json.loads(as_json(compare([old], new, version="1")))
        Draft202012Validator(schema).validate(data)
        assert set(data) == set(schema["properties"])


def test_what_one_of_several_old_runs_had_is_not_new_and_what_one_lacked_is_not_gone() -> None:
    ill, healthy = reports.ill(), reports.healthy()
    back = compare([healthy, ill], ill, version="1")
    assert {f.change for f in back.findings} == {"known"}
    assert back.verdicts == ()
    healed = compare([ill, healthy], healthy, version="1")
    assert (healed.gone, healed.unjudged) == ((), ())
    assert healed.repeats == 2
    both = compare([ill, ill], healthy, version="1")
    assert len(both.gone) == len(ill.findings)
    flaky = {f"{f.rule} was found in 1 of the 2 old runs" for f in ill.findings}
    assert flaky <= set(healed.remarks)
    assert not flaky & set(both.remarks)


def test_old_runs_that_are_no_repeats_are_said() -> None:
    old = reports.healthy()
    larger = old.model_copy(update={"subject": old.subject.model_copy(update={"parameters": 7})})
    longer = old.model_copy(update={"observation": old.observation.model_copy(update={"steps": 7})})
    said = " ".join(compare([old, larger, longer], old, version="1").remarks)
    assert "the 3 old runs gave the same numbers, so they tell of no noise" in said
    assert "trained other numbers of parameters: they are no repeats of one run" in said
    assert "saw other numbers of updates" in said
    assert compare([old], old, version="1").remarks == ()


def test_too_few_repeats_are_said() -> None:
    _, *rest = reports.healthy().signals
    other = reports.healthy().model_copy(update={"signals": tuple(rest)})
    remarks = compare([reports.healthy(), other], other, version="1").remarks
    assert "the 2 old runs are too few to tell how far numbers scatter: 3 do" in remarks
