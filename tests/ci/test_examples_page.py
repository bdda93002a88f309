"""What docs/ci.md and docs/formats.md give to copy is valid as GitHub, GitLab and pre-commit publish."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pre_commit.clientlib import load_config

from tests.ci.published import holds_against
from tests.generated import ROOT


def examples(page: str) -> list[tuple[str, Any]]:
    """The blocks of YAML of a page, each with the heading that it stands under."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    sections = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return [
        (title, yaml.safe_load(block))
        for title, section in zip(sections[::2], sections[1::2], strict=True)
        for block in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    ]


EXAMPLES = [*examples("ci.md"), *examples("formats.md")]


def workflow(example: Any) -> dict[str, Any]:
    """A whole workflow of what stands in one of its jobs."""
    job = {"steps": example} if isinstance(example, list) else example
    return {"on": "push", "jobs": {"health": {"runs-on": "ubuntu-latest"} | job}}


def test_there_are_examples_of_each() -> None:
    titles = {title for title, _ in EXAMPLES}
    assert {"GitHub", "GitLab", "pre-commit", "markdown", "github", "gitlab", "sarif", "junit"} <= titles


@pytest.mark.parametrize(("title", "example"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_an_example_is_valid(tmp_path: Path, title: str, example: Any) -> None:
    file = tmp_path / "example.yml"
    of_gitlab = title in ("GitLab", "gitlab", "junit")
    whole = example if of_gitlab or title == "pre-commit" else workflow(example)
    file.write_text(yaml.safe_dump(whole, sort_keys=False), encoding="utf-8")
    if title == "pre-commit":
        (repo,) = load_config(str(file))["repos"]
        assert {hook["id"] for hook in repo["hooks"]} == {"rnn-doctor", "rnn-doctor-rules"}
    else:
        holds_against("gitlab-ci" if of_gitlab else "github-workflows", file)


def test_the_inputs_of_the_example_are_those_of_the_action() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    job = next(example for title, example in EXAMPLES if title == "GitHub")
    given = [step["with"] for step in job["steps"] if "rnn-doctor" in step.get("uses", "")]
    assert given
    assert set(given[0]) <= set(action["inputs"])
