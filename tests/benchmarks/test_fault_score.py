"""What the fault bench counts, on results made by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults import baselines, beside, first_looks, page, run, score
from benchmarks.faults import calibration as shipped
from benchmarks.faults.faults import BY_NAME
from benchmarks.faults.peers.causes import MEANINGS
from benchmarks.faults.peers.sample import is_sampled
from benchmarks.faults.peers.tools import TOOLS
from benchmarks.faults.plan import Scenario
from benchmarks.faults.setting import Setting
from benchmarks.faults.task import FOLDERS
from rnn_doctor.schema.calibration import Calibration
from tests.recorded import BUILT, run_log, steps

ABSENT = dict.fromkeys(score.CONDITIONS, "absent")


def finding(rule: str, severity: str = "error", confidence: str = "high", *causes: str) -> dict[str, Any]:
    return {
        "rule": rule, "severity": severity, "confidence": confidence, "explained_by": list(causes), "message": "",
    }  # fmt: skip


def result(fault: str | None, *findings: dict[str, Any], **fields: Any) -> dict[str, Any]:
    verdicts = ABSENT | fields.pop("verdicts", {})
    return {
        "key": f"{fault} {findings}", "part": "held-back", "healthy": fault is None, "fault": fault, "form": "f",
        "dose": None if fault is None else "gross", "refused": None, "findings": list(findings),
        "verdicts": verdicts, "naive": [],
    } | fields  # fmt: skip


SLOW = {"slow_convergence": "present"}
QUIET = result(None)
NOTED = result(None, finding("RD302", "note"))
WARNED = result(None, finding("RD302", "warning"), verdicts={"slow_convergence": "suspected"})
ALARMED = result(None, finding("RD103", "warning"), finding("RD301"))
LED = result("softmax-twice", finding("RD401"), finding("RD302", "warning"), verdicts=SLOW)
MISLED = result(
    "softmax-twice", finding("RD501"), finding("RD401"), verdicts={"overfitting": "present"} | SLOW
)
MISSED = result("softmax-twice", finding("RD401", "note"))
ALL = [QUIET, NOTED, WARNED, ALARMED, LED, MISLED, MISSED]


def test_a_way_of_planting_may_have_a_rule_of_its_own() -> None:
    summed = result("step-too-large", finding("RD420"), finding("RD301", "error", "high", "RD420"))
    assert not score.leads(summed)
    assert score.leads(summed | {"form": "summed over the batch"})
    assert score.is_right(summed | {"form": "summed over the batch"}, finding("RD420"))


def test_alarms_on_healthy_runs() -> None:
    healthy = score.of(ALL, "held-back")
    assert len(healthy) == 4
    assert score.rate(healthy, score.has_error) == (1, 4)
    assert score.rate(healthy, score.has_warning) == (1, 4)


def test_the_right_cause_among_and_first_notes_left_out() -> None:
    ill = score.of(ALL, "held-back", "gross")
    assert score.rate(ill, score.named) == (2, 3)
    assert score.rate(ill, score.leads) == (1, 3)
    assert score.of(ALL, "held-back", "mild") == score.of(ALL, "development", "gross") == []


def test_verdicts_on_conditions() -> None:
    # told: WARNED's slow convergence (wrong), LED's (right), MISLED's overfitting (wrong) and slow convergence (right)
    assert score.precision(ALL, score.doctor_conditions) == (2, 4)
    assert score.recall(ALL, score.doctor_conditions) == (2, 3)


def test_a_condition_that_may_be_there_is_not_wrong_and_not_enough() -> None:
    nan = result("not-finite", finding("RD104"), verdicts=SLOW)
    assert score.precision([nan], score.doctor_conditions) == (1, 1)
    assert score.recall([nan], score.doctor_conditions) == (0, 1)


def test_findings_count_once_a_run_and_consequences_are_right() -> None:
    twice = result(
        "softmax-twice", finding("RD401"), finding("RD401"), finding("RD999", "error", "high", "RD401")
    )
    counted = score.calibration([*ALL, twice])
    assert counted == {
        "RD103": (0, 1),
        "RD301": (0, 1),
        "RD302": (1, 2),
        "RD401": (3, 3),
        "RD501": (0, 1),
        "RD999": (1, 1),
    }
    assert score.bands([LED, WARNED]) == {"high": (2, 3)}


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(0, 90, 0.0, 0.0402), (15, 15, 0.7820, 1.0), (58, 60, 0.8847, 0.9959)]
)
def test_clopper_pearson(k: int, n: int, low: float, high: float) -> None:
    assert score.interval(k, n) == pytest.approx((low, high), abs=1e-4)


def test_the_lists_of_what_went_wrong() -> None:
    lines = score.misses(ALL)
    assert [line.split(",")[0].split(" (")[0] for line in lines] == [
        "- healthy",
        "- healthy",
        "- misled",
        "- missed",
    ]


def test_the_page_and_the_calibration_hold_what_was_counted() -> None:
    text = page.page(ALL)
    assert "| gross faults: right cause named | 0.97 |  |  | 2 of 3 (0.67; 0.09 to 0.99) | NO |" in text
    assert "| healthy runs with an error | 0 of at least 300 |  |  | 1 of 4 " in text
    assert "| gross faults: right cause named | 0.97 |  |  | none | NO |" in text, (
        "of the blind part, which has none here"
    )
    development = [r | {"part": "development"} for r in ALL]
    written = Calibration.model_validate(
        json.loads(shipped.written([*ALL, *development] * shipped.FEWEST, {}))
    )
    assert {rule: (r.right, r.of) for rule, r in written.rules.items()} == score.calibration(
        ALL * shipped.FEWEST
    )
    assert json.loads(shipped.written(ALL, {}))["rules"] == {}, "too few to be shown"


def _runs(part: str, right: int, wrong: int, task: str = "names") -> list[dict[str, Any]]:
    good, bad = result("softmax-twice", finding("RD401")), result(None, finding("RD401"))
    return [r | {"part": part, "key": f"task={task} seed=1"} for r in [good] * right + [bad] * wrong]


def test_the_later_parts_count_too_and_as_they_were_at_first_where_that_was_worse() -> None:
    held, later = _runs("held-back", 30, 0), _runs("blind", 12, 0)
    assert shipped.records([*held, *later], {}) == {"RD401": (42, 42)}
    looks = {
        "blind": first_looks.look_at(_runs("blind", 11, 0), "blind"),
        "sealed": first_looks.look_at(_runs("sealed", 0, 1), "sealed"),
    }
    assert shipped.records([*held, *later], looks) == {"RD401": (42, 42)}, "11 of 12 may be chance"
    looks["sealed"] = first_looks.look_at(_runs("sealed", 3, 6), "sealed")
    assert shipped.records([*held, *later], looks) == {"RD401": (14, 20)}
    few = {"blind": first_looks.look_at(_runs("blind", 1, 3), "blind")}
    assert shipped.records([*held, *later], few) == {}, "too few to be told, and the others flatter"
    assert shipped.records(_runs("development", 12, 0), {}) == {}


def test_a_first_look_counts_by_rule_and_by_word_and_task() -> None:
    look = first_looks.look_at(
        [*_runs("blind", 3, 1), *_runs("blind", 5, 0, "digits"), *_runs("sealed", 9, 9)], "blind"
    )
    assert look.rules == {"RD401": (8, 9)}
    assert look.words == {"high": {"digits": (5, 5), "names": (3, 4)}}
    assert look.targets["gross faults: right cause named"] == (8, 8)
    assert look.targets["healthy runs with an error"] == (1, 1)


def test_findings_of_one_task_that_err_together_widen_the_interval() -> None:
    spread, together = [(9, 10)] * 10, [(10, 10)] * 9 + [(0, 10)]
    assert first_looks.clustered(spread) == pytest.approx(score.interval(90, 100))
    low, high = first_looks.clustered(together)
    assert low < score.interval(90, 100)[0] - 0.1
    assert high > score.interval(90, 100)[1]
    assert first_looks.clustered([(5, 5)]) == score.interval(5, 5)


def test_a_part_is_held_against_what_the_others_foretell() -> None:
    others = [(19, 20)] * 10
    assert first_looks.compared([(9, 10)] * 4, others) == "yes"
    assert first_looks.compared([(12, 20)] * 4, others) == "WORSE"
    assert first_looks.compared([(400, 400)], others) == "better"
    assert first_looks.compared([(20, 20), (20, 20), (0, 20)], others) == "yes", "one task may be an odd one"
    assert first_looks.compared([(5, 5)], [(7, 7)]) == "yes"


def test_the_first_looks_that_are_kept() -> None:
    looks = first_looks.first_looks()
    # The newest part may not have been examined yet.
    assert tuple(looks) in (FOLDERS, FOLDERS[:-1])
    for look in looks.values():
        assert (
            score.total(n for by in look.words.values() for n in by.values())[1]
            >= score.total(look.rules.values())[1]
        )
    text = page.page(ALL, looks=looks)
    assert (
        "| clear faults: right cause named | 0.90 | 105 of 123 (0.85; 0.78 to 0.91) | NO | none | NO |"
        in text
    )
    assert "| confidence | blind, at first | within | sealed, at first | within |" in text
    by_word = text.partition("By word of confidence")[2]
    assert "WORSE" not in by_word, "as the other parts foretell"
    assert "| certain | 185 of 197, 0.94 | yes |" in by_word
    assert first_looks.first_looks(Path("none.json")) == {}


def test_labels_are_earned() -> None:
    healthy = Scenario(Setting("recall"), "development")
    ill = Scenario(
        Setting("recall", rate=100.0), "development", "step-too-large", "rate", "gross", healthy.setting
    )

    def health(its: int | None, mine: int | None, ended: str = "ended") -> tuple[bool | None, bool | None]:
        labels = {healthy.key: {"reached": its, "ended": "ended"}, ill.key: {"reached": mine, "ended": ended}}
        return run.healthy(healthy, labels), run.healthy(ill, labels)

    assert health(100, None) == (True, False)
    assert health(100, 160) == (True, False)
    assert health(100, 150) == (True, None), "not measurably worse"
    assert health(None, None) == (None, None), "no twin to be worse than"
    assert health(100, None, "crashed") == (True, False)
    assert health(100, None, "out of time") == (True, None), "nothing was measured"
    assert run.healthy(ill, {}) is None


def test_what_happens_at_once_counts_only_within_the_steps_that_are_observed() -> None:
    healthy = Scenario(Setting("recall"), "development")
    setting = Setting("recall", loss_log=True)
    ill = Scenario(setting, "development", "not-finite", "logarithm of zero", "gross", healthy.setting)

    def health(**broke: int | None) -> bool | None:
        row = {"reached": None, "ended": "ended", **broke}
        return run.healthy(ill, {healthy.key: {"reached": 100, "ended": "ended"}, ill.key: row})

    assert health(broke=20) is False
    assert health(broke=None) is None, "until then it is its twin"
    assert health() is None, "not measured yet"


def test_naive_rules_read_the_log() -> None:
    def with_steps(**fields: Any) -> list[str]:
        return baselines.naive(run_log([*BUILT, *({**step, **fields} for step in steps(50))]))

    assert with_steps() == []
    assert with_steps(grad_norm=101) == ["norm above 100"]
    assert with_steps(grad_norm="NaN") == ["norm above 100"]
    assert with_steps(grad_norm=1e-8) == ["norm below 1e-7"]
    assert with_steps(loss=2.0) == ["plateau"]


def peer_rows(runs: list[dict[str, Any]], peers: list[dict[str, Any]], tool: str) -> list[list[str]]:
    lines = "\n".join(beside.beside(runs, peers)).split("## Beside other tools")[1].splitlines()
    return [
        [cell.split(" (")[0] for cell in line.strip("| ").split(" | ")]
        for line in lines
        if line.startswith((f"| {tool} |", "- "))
    ]


def test_a_peer_is_counted_on_the_runs_that_it_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "is_sampled", lambda key: True)
    nan = result("not-finite", finding("RD104"))
    peers = [
        {"key": QUIET["key"], "tool": "torch-audit", "alarms": ["TA300"]},
        {"key": nan["key"], "tool": "torch-audit", "alarms": ["TA100"]},
        {"key": LED["key"], "tool": "torch-audit", "alarms": []},
    ]
    (row,) = peer_rows([*ALL, nan], peers, "torch-audit")
    assert row == ["torch-audit", "1 of 1", "1 of 2", "1 of 1", "1 of 2"]


def test_advice_of_a_peer_is_no_alarm_and_its_errors_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "is_sampled", lambda key: True)
    peers = [
        {"key": QUIET["key"], "tool": "trainspotter", "alarms": ["No LR warmup detected"], "error": "E: no"}
    ]
    row, error = peer_rows(ALL, peers, "trainspotter")
    assert row == ["trainspotter", "0 of 1", "none", "none", "none"]
    assert error == ["- trainspotter failed on 1 of 1 runs: `E: no`"]


def test_all_rows_beside_the_peers_are_of_the_sample() -> None:
    kept = [r for r in (result(None, key=f"run {i}") for i in range(60)) if is_sampled(r["key"])]
    assert 10 <= len(kept) <= 30
    (row,) = peer_rows([result(None, key=f"run {i}") for i in range(60)], [], "rnn-doctor")
    assert row[1] == f"0 of {len(kept)}"


def test_what_alarms_mean_is_in_the_words_of_the_bench() -> None:
    for tool, meanings in MEANINGS.items():
        assert tool in TOOLS
        for meaning in meanings.values():
            assert set(meaning.faults) <= set(BY_NAME)
            assert meaning.condition in (None, *score.CONDITIONS)
    assert set(MEANINGS) == set(TOOLS)


def test_what_is_explained_through_another_finding_is_right() -> None:
    chain = (
        finding("RD403"),
        finding("RD201", "warning", "high", "RD403"),
        finding("RD308", "warning", "certain", "RD201"),
    )
    assert score.is_right(result("unscaled-inputs", *chain), chain[-1])
    assert not score.is_right(result("unscaled-inputs", *chain[1:]), chain[-1] | {"explained_by": []})
    circle = (finding("RD998", "error", "high", "RD999"), finding("RD999", "error", "high", "RD998"))
    assert not score.is_right(result("unscaled-inputs", *circle), circle[0])
