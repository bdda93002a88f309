"""Whatever a script, a log or a stored report holds: no format is broken by it, and none executes it."""

import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import html5lib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnn_doctor.compare.baseline import since
from rnn_doctor.compare.numbers import BASES
from rnn_doctor.compare.reports import compare
from rnn_doctor.render import (
    FORMATS,
    TOGETHER,
    comparison,
    comparison_markdown,
    expected,
    github,
    markdown,
    overview,
)
from rnn_doctor.schema.expectation import Expected, Undecided
from rnn_doctor.schema.report import Report
from tests.render import readers, reports

ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><b>\' x="',
    "</details></summary>",
    "<!--",
    "]]>",
    "<![CDATA[",
    "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>&b;",
    "&lt;&amp;&#10;&#x1f;",
    "[click](javascript:alert(1))",
    "![x](http://example.org/pixel.png)",
    "`code` ``` ~~~",
    "a | b | c \\| d",
    "# heading\n\n- item\n\n---\n\n1. one",
    "@everyone #1 https://example.org www.example.org",
    "{0} {1} {{}} {x!r} %s %(y)s ${HOME} $(id)",
    "::error::x",
    "x\n::set-output name=a::b\n::add-mask::c",
    "##[add-mask]x",
    "::stop-commands::t",
    "%0A::error::x,y:z",
    "\x1b[31mred\x1b[0m\x1b]8;;http://example.org\x07link\x1b]8;;\x07",
    "\x00\x07\x08\x7f\x9b\r\n\t\v\f\x85\u2028\u2029",
    "\u202eevil\u202c\u200b\ufeff\ufffe\uffff",
    "../../etc/passwd",
    "C:\\windows\\x",
    "",
    " ",
    "\n\n\n",
    "𝕏 漢字 é 🙂",
)
TEXTS = st.one_of(
    st.sampled_from(ATTACKS),
    st.text(),
    st.builds(lambda *parts: "".join(parts), *[st.sampled_from(ATTACKS)] * 3),
)
NUMBERS = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 1e308, -5e-324, 12345.678])
LINES = st.sampled_from([-1, 0, 1, 2**31, 10**30])

_FIXED = {
    "schema_version", "severity", "verdict", "condition", "word", "basis", "effort", "by", "change", "was",
    "lags", "times", "bench", "right", "of",
}  # fmt: skip
"""Keys whose values only certain words or numbers can be: others are refused when a report is read."""


def _walk(value: Any, key: str, texts: Iterator[str], numbers: Iterator[float], lines: Iterator[int]) -> Any:
    """The value with every free text, number and count replaced."""
    if key in _FIXED or value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return {k: _walk(v, k, texts, numbers, lines) for k, v in value.items()}
    if isinstance(value, list):
        return [_walk(v, key, texts, numbers, lines) for v in value]
    if isinstance(value, str):
        confidence = key == "confidence" and value in ("certain", "high", "moderate", "hint")
        return value if confidence or value in ("Infinity", "NaN") else next(texts)
    return next(lines) if isinstance(value, int) else next(numbers)


def infected(texts: list[str], numbers: list[float], lines: list[int]) -> Report:
    """The full report, with everything in it chosen by somebody else."""
    listed = Expected(
        name="train.py",
        expect=("RD103", "RD601"),
        known=("RD303",),
        met=False,
        found=("RD103",),
        suppressed=("RD308",),
        fixed=("RD303",),
        missing=("RD601",),
        undecided=(Undecided(rule="RD101", reason="no lag"),),
        note="it failed",
    )
    data = json.loads(reports.full().model_copy(update={"expected": listed}).model_dump_json())
    return Report.model_validate(_walk(data, "", cycle(texts), cycle(numbers), cycle(lines)))


Infected = st.builds(
    infected,
    st.lists(TEXTS, min_size=1, max_size=7),
    st.lists(NUMBERS, min_size=1, max_size=3),
    st.lists(LINES, min_size=1, max_size=3),
)


def _json(text: str, report: Report) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(text, parse_constant=refuse)
    assert Report.model_validate_json(text).findings[0].message == report.findings[0].message


def _terminal(text: str, report: Report) -> None:
    assert {c for c in text if unicodedata.category(c).startswith("C")} == {"\n"}


def _github(text: str, report: Report) -> None:
    commands = readers.commands(text)
    assert len(commands) == 1 + len(report.findings) + len(list(expected.lines(report)))
    assert {command.name for command in commands} <= {"error", "warning", "notice"}
    assert all(set(command.properties) <= {"file", "line", "title"} for command in commands)


def _gitlab(text: str, report: Report) -> None:
    unmet = [line for line in expected.lines(report) if line.fails]
    assert len(readers.gitlab(text)) == len(report.findings) + len(unmet)


def _sarif(text: str, report: Report) -> None:
    run = readers.sarif(text)
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(report.findings) + 2
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    for rule in rules:
        readers.markdown(rule["help"]["markdown"])
        assert not re.search(r"\]\(|(?<!{)(?:{{)*{\d", json.dumps(rule["help"]["text"]))


def _junit(text: str, report: Report) -> None:
    root = readers.junit(text)
    assert {element.tag for element in root.iter()} <= {
        "testsuites", "testsuite", "testcase", "failure", "skipped", "system-out",
    }  # fmt: skip


def _markdown(text: str, report: Report) -> None:
    tokens = readers.markdown(text)
    assert [len(row) for row in readers.cells(tokens)] == [3] * 5
    assert sum(token.type == "heading_open" for token in tokens) == 3
    html = "".join(token.content for token in tokens if token.type == "html_block")
    assert html.count("<details>") == html.count("</details>") > 0
    assert {c for c in text if unicodedata.category(c).startswith("C")} == {"\n"}


def _html(text: str, report: Report) -> None:
    """A whole document, whose elements, scripts and addresses are those of a page without foreign text."""
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", text)
    root = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    assert len(list(root.iter("script"))) == len(list(root.iter("style"))) == 1
    for element in root.iter():
        if not isinstance(element.tag, str):
            raise AssertionError("a comment")
        assert element.tag not in ("iframe", "object", "embed", "form", "base", "img")
        assert not [name for name in element.attrib if str(name).startswith("on")]
        for name in ("href", "src", "action", "xlink:href"):
            assert element.attrib.get(name, "#").startswith("#") or element.attrib[name] == "data:,"


UNBROKEN: dict[str, Callable[[str, Report], None]] = {
    "json": _json,
    "terminal": _terminal,
    "github": _github,
    "gitlab": _gitlab,
    "sarif": _sarif,
    "junit": _junit,
    "markdown": _markdown,
    "html": _html,
}


def unbroken(name: str, report: Report) -> str:
    """The rendered report, after it was read back."""
    text = FORMATS[name](report)
    UNBROKEN[name](text, report)
    if name not in ("github", "html"):  # no page is read by a runner
        assert not re.search(r"^\s*::", text, re.MULTILINE), "a workflow command"
        assert "##[" not in text, "a workflow command of old"
    return text


FUZZED = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("name", UNBROKEN)
@given(report=Infected)
@FUZZED
def test_nothing_breaks_a_format(name: str, report: Report) -> None:
    unbroken(name, report)


@given(old=Infected, new=Infected)
@settings(FUZZED, max_examples=10)
def test_nothing_breaks_a_comparison(old: Report, new: Report) -> None:
    compared = compare([old, new, old], new, version="1")
    data = json.loads(comparison.as_json(compared))
    assert len(data["findings"]) == len(new.findings)
    assert len(data["gone"]) + len(data["unjudged"]) <= len(old.findings)
    for text in (comparison.render(compared, BASES), comparison_markdown.render(compared, BASES)):
        assert {c for c in text if unicodedata.category(c).startswith("C")} == {"\n"}
        assert not re.search(r"^\s*::|##\[", text, re.MULTILINE), "a workflow command"
        assert len(text) < 1_000_000
    readers.markdown(comparison_markdown.render(compared, BASES))


@given(several=st.lists(Infected, min_size=2, max_size=3))
@settings(FUZZED, max_examples=10)
def test_nothing_breaks_the_combined_report_of_a_manifest(several: list[Report]) -> None:
    """Each document is read back, and holds what every script has."""
    findings = sum(len(report.findings) for report in several)
    texts = {name: together(several) for name, together in TOGETHER.items()}
    assert len(json.loads(texts["json"])) == len(several)
    assert len(readers.sarif(texts["sarif"])["results"]) == findings + 2 * len(several)
    assert len(list(readers.junit(texts["junit"]).iter("testsuite"))) == len(several)
    assert len(readers.gitlab(texts["gitlab"])) >= findings
    _html(texts["html"], several[0])
    table, page = overview.render(several), markdown.together(several)
    rows = [row for row in readers.cells(readers.markdown(page)) if row[0] not in ("script", "condition")]
    assert len(rows) >= len(several)
    assert "<script>" not in "".join(t.content for t in readers.markdown(page) if t.type == "html_block")
    for text in (table, page):
        assert {c for c in text if unicodedata.category(c).startswith("C")} == {"\n"}
        assert not re.search(r"^\s*::|##\[", text, re.MULTILINE), "a workflow command"
    commands = readers.commands(FORMATS["github"](several[0])) + readers.commands(
        FORMATS["github"](several[1])
    )
    assert sorted(map(str, readers.commands(github.together(several[:2])))) == sorted(map(str, commands))
    for name in sorted(texts.keys() - {"html"}):
        assert not re.search(r"^\s*::|##\[", texts[name], re.MULTILINE), "a workflow command"


def test_megabytes_are_cut_in_a_combined_report() -> None:
    """As in each alone; the table says no more of a script than its place needs."""
    everywhere = infected(["<b>\x1b[1m` word" * 200_000], [1.0], [1])
    for name in sorted(TOGETHER.keys() - {"json"}):
        assert len(TOGETHER[name]([everywhere, everywhere])) < 2_000_000
    assert len(overview.render([everywhere, everywhere])) < 100_000
    assert len(markdown.together([everywhere, everywhere])) < 65_536


@given(old=Infected, new=Infected)
@settings(FUZZED, max_examples=10)
def test_nothing_breaks_a_baseline(old: Report, new: Report) -> None:
    held = since(new, [old, old])
    assert [finding.rule for finding in held.findings] == [finding.rule for finding in new.findings]
    assert all(finding.change for finding in held.findings)
    for name in ("terminal", "markdown", "github", "gitlab"):
        unbroken(name, held)
    assert {finding.change for finding in since(new, [new], same=True).findings} == {"known"}


def test_megabytes_are_cut_in_a_comparison() -> None:
    """Names, messages and claims are, and the arguments of both sides."""
    huge = infected(["<b>\x1b[1m` word" * 200_000], [1.0], [1])
    for olds, new in (([reports.healthy()], huge), ([huge, huge, huge], reports.healthy())):
        held = compare(olds, new, version="1")
        for text in (comparison.render(held, BASES), comparison_markdown.render(held, BASES)):
            assert len(text) < 200_000
            assert {c for c in text if unicodedata.category(c).startswith("C")} == {"\n"}


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_attack_alone(attack: str) -> None:
    report = infected([attack], [math.nan], [-1])
    for name in UNBROKEN:
        unbroken(name, report)


@pytest.mark.parametrize("name", sorted(set(UNBROKEN) - {"json"}))
def test_megabytes_are_cut_to_what_is_read(name: str) -> None:
    everywhere = infected(["<b>\x1b[1m` word" * 20_000], [1.0], [1])
    first, *rest = everywhere.findings
    first = first.model_copy(update={"message": "<b>\x1b[1m` word" * 700_000})
    text = unbroken(name, everywhere.model_copy(update={"findings": (first, *rest)}))
    assert len(text) < 1_000_000
    assert "more characters" in text
