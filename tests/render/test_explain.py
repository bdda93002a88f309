"""The page of a rule and the table of all rules."""

import json
from collections.abc import Callable

from rnn_doctor.render import explain
from rnn_doctor.schema.rulebook import Rulebook
from tests.diagnose.books import book, clause, remedy, rule


def _book() -> Rulebook:
    return book(
        rule(
            "RD101",
            name="loud-things",
            condition="slow_convergence",
            summary="Things are too loud to be heard.",
            why="First paragraph, broken\nacross lines.\n\nSecond paragraph.",
            when=[clause("size", above=3), clause("loud", **{"is": True})],
            grade=[{"severity": "note", "confidence": "hint", "when": [clause("size", between=(3, 5))]}],
            explains=["RD102"],
            remedy=[
                {"use": "rest", "effect": 0.2, "because": "it passes"},
                {"use": "listen", "effect": 0.9, "because": "it helps"},
            ],
        ),
        rule("RD102", name="quiet", severity="warning", status="preview"),
        remedies=(remedy("rest"), remedy("listen")),
    )


def test_page(gold: Callable[[str, str], None]) -> None:
    gold("explain-rule.txt", explain.rule(_book().rules["RD101"], _book()))


def test_table(gold: Callable[[str, str], None]) -> None:
    gold("explain-table.txt", explain.table(_book()))


def test_the_page_names_both_ends_of_a_link() -> None:
    assert "Explains: RD102 quiet" in explain.rule(_book().rules["RD101"], _book())
    assert "Explained by: RD101 loud-things" in explain.rule(_book().rules["RD102"], _book())


def test_the_stronger_remedy_comes_first() -> None:
    page = explain.rule(_book().rules["RD101"], _book())
    assert page.index("Title of listen") < page.index("Title of rest")


def test_json() -> None:
    data = json.loads(explain.rule_json(_book().rules["RD101"], _book()))
    assert data["rule"]["when"][1] == {"signal": "loud", "is": True, "because": "healthy runs stay below it"}
    assert set(data["remedies"]) == {"rest", "listen"}
    rows = json.loads(explain.table_json(_book()))
    assert [row["id"] for row in rows] == ["RD101", "RD102"]
    assert set(rows[0]) == {"id", "name", "status", "severity", "condition", "summary"}
