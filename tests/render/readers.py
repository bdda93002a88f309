"""The formats read back, by the rules of those who read them."""

import json
import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import xmlschema
from jsonschema import Draft4Validator, Draft202012Validator
from markdown_it import MarkdownIt
from markdown_it.token import Token

from rnn_doctor.schema.report import Finding

SCHEMAS = Path(__file__).parent.parent / "schemas"

Found = tuple[str, str, str | None, int | None]
"""Rule, severity, file and line of a finding."""


def found(finding: Finding, script: str) -> Found:
    """What a format must say of a finding."""
    place = finding.location
    return finding.rule, finding.severity, place.file if place else script, place.line if place else None


@dataclass(frozen=True)
class Command:
    """A workflow command of GitHub Actions."""

    name: str
    properties: dict[str, str]
    data: str


def commands(text: str) -> list[Command]:
    """The commands in a text, each on a line; read as the runner does."""
    return [_command(line) for line in text.removesuffix("\n").split("\n")]


def _command(line: str) -> Command:
    assert line.startswith("::"), line
    head, data = line[2:].split("::", 1)
    name, _, rest = head.partition(" ")
    pairs = [pair.split("=", 1) for pair in rest.split(",")]
    return Command(name, {key: _unescaped(value, ":,") for key, value in pairs}, _unescaped(data, ""))


def _unescaped(text: str, more: str) -> str:
    for character in ["\r", "\n", *more, "%"]:
        text = text.replace(f"%{ord(character):02X}", character)
    return text


@cache
def _validator(name: str) -> Any:
    schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    return (Draft4Validator if "draft-04" in schema["$schema"] else Draft202012Validator)(schema)


def sarif(text: str) -> dict[str, Any]:
    """The one run of a SARIF log, which keeps the schema of OASIS."""
    log = json.loads(text)
    _validator("sarif-schema-2.1.0.json").validate(log)
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def gitlab(text: str) -> list[dict[str, Any]]:
    """The issues of a Code Quality report, whose fingerprints differ."""
    issues = json.loads(text)
    _validator("gitlab-code-quality.schema.json").validate(issues)
    assert isinstance(issues, list)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    return issues


@cache
def _xsd() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd"))


def junit(text: str) -> Any:
    """The root of a JUnit file, which keeps the schema of Jenkins and counts its cases right."""
    from xml.etree import ElementTree

    _xsd().validate(text.encode())
    root = ElementTree.fromstring(text.encode())
    for suite in root:
        cases = suite.findall("testcase")
        for key, kind in (("failures", "failure"), ("skipped", "skipped"), ("errors", "error")):
            assert int(suite.attrib[key]) == sum(case.find(kind) is not None for case in cases)
        assert int(suite.attrib["tests"]) == len(cases)
    assert int(root.attrib["tests"]) == sum(int(suite.attrib["tests"]) for suite in root)
    return root


OURS = re.compile(
    r"<details><summary>[^<>]*(?:<!-- -->[^<>]*)*</summary>|</details>|<sub>|</sub>|<!-- -->", re.DOTALL
)
"""All HTML that a Markdown page of ours may hold."""


def markdown(text: str) -> list[Token]:
    """The tokens of a page, blocks and what is in them, which holds no HTML but ours, no link and no picture."""
    blocks = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    tokens = [token for block in blocks for token in (block, *(block.children or []))]
    for token in tokens:
        assert token.type not in ("link_open", "image", "s_open", "blockquote_open", "hr"), token
        if token.type in ("html_block", "html_inline"):
            assert OURS.fullmatch(token.content.strip()), token.content
    return tokens


def cells(tokens: list[Token]) -> list[list[str]]:
    """The tables' rows, their cells as plain text."""
    rows: list[list[str]] = []
    for before, token in pairwise(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif before.type in ("td_open", "th_open"):
            rows[-1].append(plain(token))
    return rows


def plain(inline: Token) -> str:
    """Inline content as a reader sees it."""
    return "".join(child.content for child in inline.children or [] if child.type != "html_inline")
