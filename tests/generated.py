"""Files that are made from the code: `make generate` writes them, a test keeps them fresh."""

import ast
import json
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
from pydantic import TypeAdapter

from rnn_doctor.cli import COMMANDS, main
from rnn_doctor.schema.comparison import Comparison
from rnn_doctor.schema.remedy import Remedy
from rnn_doctor.schema.report import Report
from rnn_doctor.schema.rule import Rule
from rnn_doctor.schema.runlog import Record
from tests import generated_rules, sample_logs

ROOT = Path(__file__).parent.parent
_PUBLISHED = ROOT / "rnn_doctor" / "schema" / "published"
_RULE_PAGES = ROOT / "docs" / "rules"


def schema(title: str, content: dict[str, Any]) -> str:
    """A JSON Schema as it is published, with the strings that stand under the models' fields."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    documented = field_docs()
    for name, model in {content.get("title", ""): content, **content.get("$defs", {})}.items():
        for field, text in documented.get(name, {}).items():
            if field in model.get("properties", {}):
                model["properties"][field]["description"] = text
    return json.dumps(head | {k: v for k, v in content.items() if k != "title"}, indent=2) + "\n"


def field_docs() -> dict[str, dict[str, str]]:
    """The string under each field, by class and field. (Pydantic could do this, but at every start.)"""
    found: dict[str, dict[str, str]] = {}
    for path in sorted((ROOT / "rnn_doctor" / "schema").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.ClassDef):
                continue
            for field, below in pairwise(node.body):
                match field, below:
                    case (
                        ast.AnnAssign(target=ast.Name(id=name)),
                        ast.Expr(value=ast.Constant(value=str() as text)),
                    ):
                        found.setdefault(node.name, {})[name] = " ".join(text.split())
    return found


def options_page() -> str:
    """docs/options.md: every command with its options, as `--help` tells them."""
    parts = ["# Commands and options", "", "Made from the commands themselves by `make generate`."]
    context = click.Context(main, info_name="rnn-doctor")
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        inner = click.Context(
            command, info_name=name, parent=context, terminal_width=98, help_option_names=["-h", "--help"]
        )
        parts += ["", f"## {name}", "", "```text", command.get_help(inner), "```"]
    return "\n".join([*parts, ""])


GENERATED: dict[Path, Callable[[], str]] = {
    # What we write holds every key; what others write may leave defaults out.
    _PUBLISHED / "report-1.schema.json": lambda: schema(
        "Report of rnn-doctor", Report.model_json_schema(mode="serialization")
    ),
    _PUBLISHED / "comparison-1.schema.json": lambda: schema(
        "Comparison of two reports of rnn-doctor", Comparison.model_json_schema(mode="serialization")
    ),
    _PUBLISHED / "runlog-1.schema.json": lambda: schema(
        "One line of a run log of rnn-doctor", TypeAdapter(Record).json_schema()
    ),
    _PUBLISHED / "rule-1.schema.json": lambda: schema("Rule file of rnn-doctor", Rule.model_json_schema()),
    _PUBLISHED / "remedy-1.schema.json": lambda: schema(
        "Remedy file of rnn-doctor", Remedy.model_json_schema()
    ),
    ROOT / "docs" / "options.md": options_page,
    ROOT / "rules" / "README.md": generated_rules.readme,
    _RULE_PAGES / "index.md": generated_rules.index_page,
    ROOT / "docs" / "remedies.md": generated_rules.remedies_page,
    sample_logs.FOLDER / "README.md": sample_logs.readme,
    **{
        _RULE_PAGES / f"{rule.id}.md": partial(generated_rules.rule_page, rule)
        for rule in generated_rules.book().rules.values()
    },
}


def write() -> None:
    """Write every generated file."""
    for path, content in GENERATED.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content(), encoding="utf-8")
    for path in stale():
        path.unlink()


def stale() -> list[Path]:
    """Pages of rules that are no more."""
    return sorted(set(_RULE_PAGES.glob("*.md")) - GENERATED.keys())


if __name__ == "__main__":
    write()
