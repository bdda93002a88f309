"""Pages about the rulebook, made from its files: rules/README.md, docs/rules/, docs/remedies.md."""

from functools import cache

from rnn_doctor.diagnose.rulebook import load
from rnn_doctor.render import wording
from rnn_doctor.render.explain import comparison, severities
from rnn_doctor.schema.remedy import Remedy
from rnn_doctor.schema.rule import Clause, Rule
from rnn_doctor.schema.rulebook import Rulebook

_NOTE = "Made from the rule files by `make generate`."


@cache
def book() -> Rulebook:
    """The shipped rulebook."""
    return load()


def readme() -> str:
    """rules/README.md: every rule and every remedy on a line."""
    return _table("../docs/rules/", "../docs/")


def index_page() -> str:
    """docs/rules/index.md: the same in the documentation, whose navigation lists the pages."""
    pages = "\n".join(rule.id for rule in book().rules.values())
    return f"{_table('', '../')}\n```{{toctree}}\n:hidden:\n\n{pages}\n```\n"


def _table(rules: str, docs: str) -> str:
    lines = [
        "# Rules and remedies",
        "",
        "One TOML file a rule, one a remedy: its documentation, its thresholds with their reasons, its cases.",
        f"`rnn-doctor rule RD103` explains a rule; `rnn-doctor schema rule` prints what a file may hold. {_NOTE}",
        "",
        "| rule | name | severity | condition | what is found |",
        "|---|---|---|---|---|",
    ]
    for rule in book().rules.values():
        condition = (rule.condition or "-").replace("_", " ")
        status = "" if rule.status == "stable" else f" ({rule.status})"
        lines.append(
            f"| [{rule.id}]({rules}{rule.id}.md) | {rule.name}{status} | {severities(rule)} | {condition} "
            f"| {_cell(rule.summary)} |"
        )
    lines += ["", "| remedy | kind | effort | what it does | used by |", "|---|---|---|---|---|"]
    for remedy in book().remedies.values():
        users = ", ".join(_users(remedy)) or "-"
        lines.append(
            f"| [{remedy.id}]({docs}remedies.md#{remedy.id}) | {remedy.kind} | {remedy.effort} "
            f"| {_cell(remedy.title)} | {users} |"
        )
    return "\n".join([*lines, ""])


def rule_page(rule: Rule) -> str:
    """docs/rules/RDxxx.md."""
    facts = [severities(rule), *([rule.condition.replace("_", " ")] if rule.condition else [])]
    facts += [] if rule.status == "stable" else [rule.status]
    parts = [
        f"# {rule.id} {rule.name}",
        f"*{', '.join(facts)}*",
        rule.summary,
        "## Why",
        rule.why.strip(),
        "## When it is found",
        _clauses(rule.when, "All of these hold:"),
    ]
    for grade in rule.grade:
        confidence = f" (confidence: {grade.confidence})" if grade.confidence else ""
        parts.append(_clauses(grade.when, f"It is graded {grade.severity}{confidence} when these hold too:"))
    parts += [
        "## Confidence",
        f"{rule.confidence}: {rule.confidence_because}",
        "## Limits",
        rule.limits.strip(),
        *_links(rule),
        *_remedies(rule),
        "## Sources",
        "\n".join(f"- {source}" for source in rule.sources),
        "",
        f"{_NOTE}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def remedies_page() -> str:
    """docs/remedies.md: the catalogue with snippets and cautions."""
    parts = ["# Remedies", f"What rnn-doctor recommends, and where it does not help. {_NOTE}"]
    for remedy in book().remedies.values():
        parts += [
            f"## {remedy.id}",
            f"**{remedy.title}** ({remedy.kind}; effort: {remedy.effort})",
            remedy.does,
        ]
        if remedy.before:
            parts += ["Before:", _code(remedy.before), "After:"]
        parts.append(_code(remedy.after))
        if remedy.by_hand:
            parts += ["For a hand-written cell:", _code(remedy.by_hand)]
        parts.append("\n".join(f"- {caution}" for caution in remedy.cautions))
        parts += _evidence(remedy)
        if remedy.excludes:
            parts.append(f"Not together with: {', '.join(f'[{i}](#{i})' for i in remedy.excludes)}.")
        if _users(remedy):
            parts.append(f"Used by: {', '.join(f'[{i}](rules/{i}.md)' for i in _users(remedy))}.")
        if _warners(remedy):
            parts.append(f"Warned of by: {', '.join(f'[{i}](rules/{i}.md)' for i in _warners(remedy))}.")
        parts.append("Sources: " + "; ".join(remedy.sources) + ".")
    return "\n\n".join(parts) + "\n"


def _evidence(remedy: Remedy) -> list[str]:
    """What was measured elsewhere, and whether a trial can apply it."""
    studies = "\n".join(f"- {wording.study(study)}" for study in remedy.evidence)
    trial = [] if remedy.trial is None else [f"A trial: {wording.trial(remedy.trial)}."]
    return [*(["Elsewhere:", studies] if studies else []), *trial]


def _clauses(clauses: tuple[Clause, ...], head: str) -> str:
    lines = [f"- `{c.signal}` is **{comparison(c)}**: {' '.join(c.because.split())}" for c in clauses]
    return "\n".join([head, "", *lines])


def _links(rule: Rule) -> list[str]:
    links = {
        "Explains": rule.explains,
        "Makes meaningless": rule.invalidates,
        "Explained by": tuple(r.id for r in book().rules.values() if rule.id in r.explains),
    }
    lines = [
        f"- {words}: {', '.join(f'[{i} {book().rules[i].name}]({i}.md)' for i in ids)}"
        for words, ids in links.items()
        if ids
    ]
    return ["## Other rules", "\n".join(lines)] if lines else []


def _remedies(rule: Rule) -> list[str]:
    lines = [
        f"- [{book().remedies[t.use].title}](../remedies.md#{t.use}): {' '.join(t.because.split())}"
        for t in sorted(rule.remedy, key=lambda t: -t.effect)
    ]
    warned = [
        f"- [{book().remedies[w.use].title}](../remedies.md#{w.use}): {' '.join(w.because.split())}"
        for w in rule.contraindication
    ]
    parts = ["## Remedies", "\n".join(lines)] if lines else []
    return parts + (["## No remedies", "\n".join(warned)] if warned else [])


def _warners(remedy: Remedy) -> list[str]:
    return [r.id for r in book().rules.values() if any(w.use == remedy.id for w in r.contraindication)]


def _users(remedy: Remedy) -> list[str]:
    return [rule.id for rule in book().rules.values() if any(t.use == remedy.id for t in rule.remedy)]


def _code(source: str) -> str:
    return "```python\n" + source.strip("\n") + "\n```"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
