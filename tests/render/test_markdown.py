"""The page for a pull request: what a reader sees, by a Markdown parser."""

import re
from collections.abc import Callable

import pytest
from markdown_it.token import Token

from rnn_doctor.render import markup
from rnn_doctor.render.markdown import render, together
from rnn_doctor.schema.report import Report
from tests.render import readers, reports

Gold = Callable[[str, str], None]


def headings(tokens: list[Token]) -> list[str]:
    return [
        readers.plain(tokens[number + 1])
        for number, token in enumerate(tokens)
        if token.type == "heading_open"
    ]


def paragraphs(report: Report) -> list[str]:
    return [readers.plain(token) for token in readers.markdown(render(report)) if token.type == "inline"]


@pytest.mark.parametrize("name", ["ill", "full", "healthy", "hostile"])
def test_its_parts_in_their_order(name: str) -> None:
    report = getattr(reports, name)()
    tokens = readers.markdown(render(report))
    first, *rest = headings(tokens)
    assert first.startswith("rnn-doctor: ")
    expected = ["Findings", "Remedies, the one to try first in front"]
    assert rest == [
        head for head, there in zip(expected, (report.findings, report.remedies), strict=True) if there
    ]
    rows = readers.cells(tokens)
    assert [len(row) for row in rows] == [3] * 5
    assert [row[0] for row in rows] == [
        "condition",
        "vanishing gradients",
        "exploding gradients",
        "overfitting",
        "slow convergence",
    ]


def test_the_verdicts_are_a_table() -> None:
    rows = readers.cells(readers.markdown(render(reports.ill())))
    assert rows[1][1:] == ["⚪ not assessed", f"{reports.ill().conditions.vanishing_gradients.reason}"]
    assert rows[2][1:] == [
        "🔴 present (high)",
        "The gradient norm jumps far above its usual size (RD103)".replace("usual size", "running median"),
    ]


def test_findings_lines_and_severities_are_those_of_the_report() -> None:
    report = reports.ill()
    text = "\n".join(paragraphs(report))
    heads = re.findall(r"^(?:↳ )?\S (error|warning|note) (\S+) \S+(?: at (\S+):(\d+))?", text, re.MULTILINE)
    shown = [finding for finding in report.findings if finding.subject not in ("blocks.3", "blocks.4")]
    assert [
        (rule, severity, file or "train.py", int(line) if line else None)
        for severity, rule, file, line in heads
    ] == [readers.found(finding, "train.py") for finding in shown]
    assert "And the same on 2 more: blocks.3, blocks.4" in text
    for finding in shown:
        assert finding.message in text


def test_the_source_line_and_the_snippets_are_code() -> None:
    fences = [token.content for token in readers.markdown(render(reports.ill())) if token.type == "fence"]
    assert fences[0] == "output, _ = self.encoder(x)\n"
    assert fences[3] == reports.ill().remedies[0].how + "\n"
    assert len(fences) == 3 + 3


def test_what_is_known_and_what_is_gone_is_told() -> None:
    text = "\n".join(paragraphs(reports.full()))
    assert "error RD403 unscaled-inputs, worse (was a warning) at train.py:31" in text
    assert "Suppressed: note RD410 dropout-without-effect at train.py:19: as in the paper" in text
    assert "Gone: note RD410 dropout-without-effect at train.py:19" in text
    assert "Threshold: RD403 asks for input_std > 20, as shipped > 10" in text
    assert "1 finding suppressed" in text


def test_a_healthy_page_is_short() -> None:
    text = render(reports.healthy())
    assert "### rnn-doctor: no findings\n" in text
    assert len(text.splitlines()) <= 20


def test_a_page_fits_in_a_comment() -> None:
    finding = reports.ill().findings[0]
    many = tuple(
        finding.model_copy(update={"rule": f"RD{n}", "message": "x" * 2000}) for n in range(100, 400)
    )
    text = render(reports.ill().model_copy(update={"findings": many}))
    readers.markdown(text)
    assert len(text) < 65_536
    assert re.search(r"2\d\d findings more in the JSON report", text)
    assert "Standardize the inputs" in text


@pytest.mark.parametrize("number", [2, 7, 30])
def test_several_pages_fit_in_a_comment_and_each_has_its_verdicts(number: int) -> None:
    short, long = reports.healthy(), reports.ill()
    first = long.findings[0]
    many = tuple(first.model_copy(update={"message": "x" * 2000, "rule": f"RD{n}"}) for n in range(100, 140))
    texts = together([short, *[long.model_copy(update={"findings": many})] * (number - 1)])
    tokens = readers.markdown(texts)
    assert len(texts) < 65_536
    assert len([title for title in headings(tokens) if title.startswith("rnn-doctor: ")]) == number
    assert texts.count("| slow convergence | ") == number
    assert "more in the JSON report" in texts


def test_what_a_short_page_leaves_goes_to_the_next() -> None:
    assert together([reports.healthy(), reports.ill()]) == "\n".join(
        map(render, (reports.healthy(), reports.ill()))
    )


@pytest.mark.parametrize(
    "foreign",
    [
        "*a* _b_ **c** ~~d~~ `e` $f$",
        "# a",
        "- a",
        "1. a",
        "12) a",
        "> a",
        "---",
        "===",
        "[a](http://b)",
        "![a](b)",
        "<a href='x'>b</a>",
        "<!-- a",
        "&lt;script&gt;",
        "a | b",
        "\\",
        "\\*",
        "grad_norm_max and _x_ and x_",
        "http://a.b www.a.b",
        "@someone #12",
        "a\nb",
        "```",
        "::error::x",
        "[a]: http://b",
        "    x",
    ],
)
def test_text_is_shown_as_it_stands(foreign: str) -> None:
    (inline,) = (token for token in readers.markdown(markup.text(foreign)) if token.type == "inline")
    shown = foreign.replace("\n", " ").replace("::error", ": :error").strip()
    assert readers.plain(inline) == shown
    row = f"| a |\n|---|\n| {markup.text(foreign)} |"
    assert readers.cells(readers.markdown(row)) == [["a"], [shown]]


def test_addresses_and_people_are_not_linked() -> None:
    assert markup.text("http://a www.b @c #1") == "http\\://a www\\.b @<!-- -->c #<!-- -->1"
    assert markup.summary("<b>@c &amp;") == "&lt;b&gt;@<!-- -->c &amp;amp;"


@pytest.mark.parametrize("foreign", ["`", "``a``", " a ", "a|b", "a`|`b", "`a", "a\\", "<b>"])
def test_code_is_shown_as_it_stands(foreign: str) -> None:
    (span,) = (
        token for token in readers.markdown(f"x {markup.code(foreign)} y") if token.type == "code_inline"
    )
    assert span.content == foreign


@pytest.mark.parametrize("source", ["```\n# a\n```", "~~~", "</details>\n\n<b>", "a\n\nb", "````x"])
def test_blocks_end_where_they_should(source: str) -> None:
    tokens = readers.markdown(f"<details><summary>a</summary>\n\n{markup.block(source)}\n\n</details>\n\nb")
    (fence,) = (token for token in tokens if token.type == "fence")
    assert fence.content == source + "\n"


def test_paragraphs_of_a_rule_keep_their_code() -> None:
    tokens = readers.markdown(markup.prose("A `nn.LSTM` is\nopen, `h` too.\n\n*So* it is."))
    shown = [readers.plain(token) for token in tokens if token.type == "inline"]
    assert shown == ["A nn.LSTM is open, h too.", "*So* it is."]
    assert [token.content for token in tokens if token.type == "code_inline"] == ["nn.LSTM", "h"]


def test_gold(gold: Gold) -> None:
    gold("markdown-full.md", render(reports.full()))
