"""A rule as a page, and all rules as a table, for `rnn-doctor rule`."""

import json

from rnn_doctor.render import wording
from rnn_doctor.render.page import Page
from rnn_doctor.schema.rule import Clause, Grade, Rule
from rnn_doctor.schema.rulebook import Rulebook


def rule(rule: Rule, rulebook: Rulebook, *, width: int = 80, color: bool = False) -> str:
    """The page of a rule: what it says, when, why, how sure, what helps, and what it does not see."""
    page = Page(width, color=color)
    page.add((f"{rule.id} {rule.name}", "bold"), f" ({_standing(rule)})")
    page.add(rule.summary, indent=2)
    _section(page, "Why")
    _prose(page, rule.why)
    _section(page, "Found when all of these hold")
    for clause in rule.when:
        page.add("- ", *_clause(clause), indent=2, hang=4)
    for grade in rule.grade:
        _grade(page, grade)
    _section(page, "Confidence")
    page.add((rule.confidence, "bold"), f": {rule.confidence_because}", indent=2)
    _section(page, "Limits")
    _prose(page, rule.limits)
    _links(page, rule, rulebook)
    if rule.remedy:
        _section(page, "Remedies")
    for treatment in sorted(rule.remedy, key=lambda treatment: -treatment.effect):
        remedy = rulebook.remedies[treatment.use]
        page.add("- ", (remedy.title, "bold"), f" ({remedy.id}): {treatment.because}", indent=2, hang=4)
        for study in remedy.evidence:
            page.add(f"Elsewhere: {wording.study(study)}", indent=4, hang=6)
        if remedy.trial is not None:
            page.add(f"A trial: {wording.trial(remedy.trial)}", indent=4, hang=6)
    if rule.contraindication:
        _section(page, "No remedies")
    for warning in rule.contraindication:
        title = rulebook.remedies[warning.use].title
        page.add("- ", (title, "bold"), f" ({warning.use}): {warning.because}", indent=2, hang=4)
    _section(page, "Sources")
    for source in rule.sources:
        page.add(f"- {source}", indent=2, hang=4)
    return page.text()


def table(rulebook: Rulebook, *, width: int = 80, color: bool = False) -> str:
    """All rules, two lines each: id, name and severity; summary."""
    page = Page(width, color=color)
    for each in rulebook.rules.values():
        page.add(
            (each.id, "bold"), f"  {each.name} ({', '.join([severities(each), *_status(each)])})", hang=7
        )
        page.add(each.summary, indent=len(each.id) + 2)
    return page.text()


def severities(rule: Rule) -> str:
    """The severities that a rule's findings may have, the gravest first: `error or note`."""
    possible = {rule.severity, *(grade.severity for grade in rule.grade)}
    return " or ".join(word for word in ("error", "warning", "note") if word in possible)


def rule_json(rule: Rule, rulebook: Rulebook) -> str:
    """The rule as JSON, with the remedies that it uses in full."""
    data = rule.model_dump(mode="json", by_alias=True, exclude_none=True)
    used = [*(t.use for t in rule.remedy), *(c.use for c in rule.contraindication)]
    remedies = {use: rulebook.remedies[use].model_dump(mode="json", exclude_none=True) for use in used}
    return json.dumps({"rule": data, "remedies": remedies}, indent=2, ensure_ascii=False) + "\n"


def table_json(rulebook: Rulebook) -> str:
    """All rules as a JSON list of what the table shows."""
    keys = {"id", "name", "status", "severity", "condition", "summary"}
    rows = [each.model_dump(mode="json", include=keys) for each in rulebook.rules.values()]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def comparison(clause: Clause) -> str:
    """What a clause asks of its signal: `above 3`, `2 to 5`, `is true`."""
    if clause.above is not None:
        return f"above {clause.above:g}"
    if clause.below is not None:
        return f"below {clause.below:g}"
    if clause.between is not None:
        return "from {:g} to {:g}".format(*clause.between)
    return str(clause.is_).lower()


def _standing(rule: Rule) -> str:
    condition = [rule.condition.replace("_", " ")] if rule.condition else []
    return ", ".join([severities(rule), *_status(rule), *condition])


def _status(rule: Rule) -> list[str]:
    return [] if rule.status == "stable" else [rule.status]


def _section(page: Page, title: str) -> None:
    page.blank()
    page.add((title, "bold underline"))


def _prose(page: Page, text: str) -> None:
    """Paragraphs, whose line breaks in the file have no meaning."""
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            page.blank()
        page.add(" ".join(paragraph.split()), indent=2)


def _clause(clause: Clause) -> tuple[tuple[str, str] | str, ...]:
    return (f"{clause.signal} is ", (comparison(clause), "bold"), f": {clause.because}")


def _grade(page: Page, grade: Grade) -> None:
    confidence = f" of {grade.confidence} confidence" if grade.confidence else ""
    article = "an" if grade.severity == "error" else "a"
    page.add(f"It is {article} {grade.severity}{confidence} when all of these hold too", indent=2)
    for clause in grade.when:
        page.add("- ", *_clause(clause), indent=4, hang=6)


def _links(page: Page, rule: Rule, rulebook: Rulebook) -> None:
    links = {
        "Explains": rule.explains,
        "Makes meaningless": rule.invalidates,
        "Explained by": tuple(r.id for r in rulebook.rules.values() if rule.id in r.explains),
    }
    if any(links.values()):
        _section(page, "Other rules")
    for words, ids in links.items():
        if ids:
            names = ", ".join(f"{i} {rulebook.rules[i].name}" for i in ids)
            page.add(f"{words}: {names}", indent=2, hang=4)
