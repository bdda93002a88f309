"""The terminal report: what it says, how it is laid out, what it keeps out."""

import re
import unicodedata
from collections.abc import Callable

import pytest
from rich.cells import cell_len

from rnn_doctor.render.terminal import render
from rnn_doctor.schema.report import Confidence, NotAssessed
from tests.render import reports

Gold = Callable[[str, str], None]


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("name", ["ill", "healthy", "hostile"])
def test_gold(gold: Gold, name: str, width: int) -> None:
    gold(f"terminal-{name}-{width}.txt", render(getattr(reports, name)(), width=width))


@pytest.mark.parametrize("name", ["ill", "healthy"])
def test_gold_with_reasons(gold: Gold, name: str) -> None:
    gold(f"terminal-{name}-reasons.txt", render(getattr(reports, name)(), full=True))


def test_reasons_are_told_on_demand() -> None:
    told, full = render(reports.ill()), render(reports.ill(), full=True)
    assert "= input_std is 104 (> 10)\n" in told
    assert "= input_std is 104 (> 10): inputs of healthy" in full
    assert len(told.splitlines()) < len(full.splitlines())
    assert "explains a rule, -v each number." in told
    assert "-v" not in full


def test_gold_in_color(gold: Gold) -> None:
    gold("terminal-ill-color.txt", render(reports.ill(), color=True))


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("name", ["ill", "healthy"])
def test_lines_fit_and_end_clean(name: str, width: int) -> None:
    for line in render(getattr(reports, name)(), width=width).splitlines():
        assert cell_len(line) <= width or line.startswith(" " * 6)  # code is never wrapped
        assert line == line.rstrip()


def test_on_a_narrow_screen_reasons_stand_below_their_verdicts() -> None:
    told = render(reports.ill(), width=60).splitlines()
    at = told.index("  exploding gradients  PRESENT")
    assert told[at + 1] == "      The gradient norm jumps far above its running median"
    assert told[at + 2] == "      [RD103; confidence high]"
    assert "  exploding gradients  PRESENT       The gradient" in render(reports.ill(), width=72)


def test_color_changes_nothing_but_the_color() -> None:
    colored = render(reports.ill(), color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render(reports.ill())


def test_our_own_text_is_ascii() -> None:
    assert render(reports.ill()).isascii()


def test_the_order_of_the_report() -> None:
    text = render(reports.ill())
    parts = [
        "train.py --epochs 3: LSTM encoder",
        "vanishing gradients  not assessed",
        "exploding gradients  PRESENT",
        "overfitting          not assessed",
        "slow convergence     PRESENT",
        "error[RD403]",
        "--> train.py:31 in Model.forward",
        "31 | output, _ = self.encoder(x)",
        "    error[RD103]",
        "warning[RD308]",
        "note[RD410]",
        " 1. Standardize the inputs (RD403; certain",
        " 2. Lower the learning rate (RD103; tried: it helped",
        " 3. Clip the gradient norm",
        "- Does not help vanishing gradients.",
        " 4. Put dropout",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert text.splitlines()[-1] == "2 errors, 5 warnings, 1 note; 2 checks not assessed."


def test_a_healthy_report_is_short_and_calm() -> None:
    text = render(reports.healthy())
    assert len(text.splitlines()) <= 12
    assert text.splitlines()[-1] == "No findings; 2 checks not assessed."
    assert not re.search(r"error|warning|remed", text, re.IGNORECASE)


def test_what_was_not_assessed_is_grouped_by_reason_and_said_once() -> None:
    entries = (
        NotAssessed(what="RD303 over-clipping", condition="slow_convergence", reason="too few steps"),
        NotAssessed(what="RD304 decay", condition="slow_convergence", reason="too few steps"),
        *reports.healthy().not_assessed,
    )
    report = reports.healthy().model_copy(update={"not_assessed": entries})
    assert "Not assessed (-v tells why): RD303, RD304\n" in render(report)
    text = render(report, full=True)
    assert "- RD303 over-clipping, RD304 decay: too few steps\n" in text
    assert text.count("no evaluation was seen") == 1
    assert text.splitlines()[-1] == "No findings; 4 checks not assessed."


@pytest.mark.parametrize(("count", "said"), [(16, "RD300, RD301, RD302,"), (17, "17 rules\n")])
def test_of_many_that_were_not_assessed_the_number_is_told(count: int, said: str) -> None:
    entries = [NotAssessed(what=f"RD{300 + k} name", reason="metrics alone") for k in range(count)]
    report = reports.healthy().model_copy(update={"not_assessed": tuple(entries)})
    assert f"Not assessed (-v tells why): {said}" in render(report)
    assert f"RD{299 + count}" in render(report, full=True)


def test_every_check_that_is_counted_is_named_once() -> None:
    """Those that a verdict names stand there, those that share its reason are named below, and so are all others."""
    shared, own = (
        reports.healthy().not_assessed[0],
        NotAssessed(what="sensor gates", reason="RuntimeError: x"),
    )
    partly = [NotAssessed(what="RD303 over-clipping", reason=f"{layer}: too few steps") for layer in "ab"]
    entries = (shared, shared.model_copy(update={"what": "RD105 truncated-memory"}), own, *partly)
    report = reports.healthy().model_copy(update={"not_assessed": entries})
    assert "Not assessed (-v tells why): RD105, RD303\n- sensor gates: RuntimeError: x\n" in render(report)
    text = render(report, full=True)
    assert "- RD105 truncated-memory: for the reasons that the verdicts above give\n" in text
    assert text.count("RD101") == 1
    assert text.splitlines()[-1] == "No findings; 4 checks not assessed."


def test_what_a_verdict_has_told_is_not_told_again_of_a_check_of_no_condition() -> None:
    """Of a check with several reasons that a verdict has told in part, the others are told alone."""
    told = "no evaluation was seen"
    assert told in (reports.healthy().conditions.overfitting.reason or "")
    entries = (
        NotAssessed(what="RD504 below", reason=told),
        NotAssessed(what="RD503 data", reason=f"its size is not known; {told}"),
    )
    text = render(reports.healthy().model_copy(update={"not_assessed": entries}), full=True)
    assert "- RD504 below: for the reasons that the verdicts above give\n" in text
    assert "- RD503 data: its size is not known\n" in text


def test_many_checks_of_one_reason_are_told_by_their_ids() -> None:
    reason = "hand-written: its gates are not looked into"
    rules = [NotAssessed(what=f"RD20{k} some-name", reason=reason) for k in range(1, 5)]
    for count, expected in (
        (3, "- RD201 some-name, RD202 some-name, RD203 some-name: hand-written: its gates are\n"),
        (4, f"- RD201, RD202, RD203, RD204: {reason}\n"),
    ):
        text = render(reports.healthy().model_copy(update={"not_assessed": tuple(rules[:count])}), full=True)
        assert expected in text
    entries = (*rules, NotAssessed(what="sensor losses", reason=reason))
    text = render(reports.healthy().model_copy(update={"not_assessed": entries}), full=True)
    assert "- RD201, RD202, RD203, RD204, sensor losses: hand-written" in text


def test_only_the_first_snippets_are_shown_and_long_lists_are_cut() -> None:
    remedy = reports.ill().remedies[0]
    ranked = tuple(remedy.model_copy(update={"rank": n, "title": f"Remedy {n}"}) for n in range(1, 12))
    text = render(reports.ill().model_copy(update={"remedies": ranked}))
    assert text.count("train_x.mean") == 3
    assert "Remedy 8" in text
    assert "Remedy 9" not in text
    assert "and 3 more in the JSON report" in text


def test_many_findings_alike_are_told_once() -> None:
    text = render(reports.ill())
    assert text.count("warning[RD308]") == 3
    assert text.count("unchanged_tensors") == 1
    assert "and the same on 2 more: blocks.3, blocks.4" in text


def test_nothing_of_the_script_reaches_the_terminal_as_control_or_markup() -> None:
    text = render(reports.hostile())
    assert {c for c in text if unicodedata.category(c).startswith("C")} == {"\n"}
    assert "[bold]evil" in text
    colored = render(reports.hostile(), color=True)
    ours = re.findall(r"\x1b\[([0-9;]*)m", colored)
    assert len(ours) == colored.count("\x1b")
    assert all(re.fullmatch(r"0|[0-9]{1,2}(;[0-9]{1,2})*", codes) for codes in ours)


def test_wide_characters_are_measured() -> None:
    confidence = Confidence(word="high", because="漢字 " * 40)
    finding = reports.ill().findings[0].model_copy(update={"confidence": confidence})
    text = render(reports.ill().model_copy(update={"findings": (finding,)}), width=80, full=True)
    assert text.count("漢字") == 40
    assert max(cell_len(line) for line in text.splitlines()) <= 80
