"""What must hold between rules, remedies and signals, and how a breach is told."""

import string
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn, get_args

from pydantic import BaseModel, ValidationError

from rnn_doctor.errors import RulebookError, did_you_mean
from rnn_doctor.schema.rule import Clause, Rule, Silence
from rnn_doctor.schema.rulebook import Rulebook


def check(book: Rulebook, origin: Mapping[str, str], signals: Mapping[str, str] | None) -> None:
    """Nothing, when every reference of the rulebook holds; `origin` names the file of each id.

    Raises: RulebookError: one does not.
    """
    for rule in book.rules.values():
        where = origin[rule.id]
        _check_references(rule, where, book)
        _check_spreads(rule, where)
        _check_message(rule, where)
        if signals is not None:
            _check_signals(rule, where, signals)
    for remedy in book.remedies.values():
        for other in remedy.excludes:
            if other not in book.remedies:
                _fail(f"{origin[remedy.id]}: excludes: no remedy '{other}'", other, book.remedies)
    for relation in ("explains", "invalidates"):
        _check_acyclic(book, relation, origin)


def first_problem(error: ValidationError, model: type[BaseModel]) -> str:
    """The first breach of the schema in words: `[[when]] 2: aboev: unknown key (did you mean 'above'?)`."""
    problem = error.errors(include_url=False)[0]
    *table, key = _path(problem["loc"])
    place = "".join(f"{part}: " for part in table)
    if problem["type"] == "extra_forbidden":
        return f"{place}{key}: unknown key{did_you_mean(key, _keys(model))}"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{place}{key}: {message[0].lower()}{message[1:]}"


def _path(loc: tuple[int | str, ...]) -> list[str]:
    parts: list[str] = []
    for part in loc:
        if isinstance(part, int):
            parts[-1] = f"[[{parts[-1]}]] {part + 1}"
        else:
            parts.append(part)
    return parts or ["the file"]


def _keys(model: type[BaseModel]) -> Iterator[str]:
    """Every key that a model and the models within it know."""
    for name, field in model.model_fields.items():
        yield field.alias or name
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from _keys(inner)


def _fail(message: str, word: str = "", known: Iterable[str] = (), hint: str | None = None) -> NoReturn:
    raise RulebookError(message + did_you_mean(word, known), hint or "correct the file")


def _check_references(rule: Rule, where: str, book: Rulebook) -> None:
    for relation in ("explains", "invalidates", "hides"):
        for other in getattr(rule, relation):
            if other not in book.rules:
                _fail(f"{where}: {relation}: no rule '{other}'", other, book.rules)
    tables = {
        "remedy": [t.use for t in rule.remedy],
        "contraindication": [c.use for c in rule.contraindication],
    }
    for table, uses in tables.items():
        for number, use in enumerate(uses, 1):
            if use not in book.remedies:
                _fail(
                    f"{where}: [[{table}]] {number}: no remedy '{use}'",
                    use,
                    book.remedies,
                    "a remedy is a file remedies/<id>.toml",
                )


def _check_spreads(rule: Rule, where: str) -> None:
    for other in rule.spreads:
        if other not in rule.explains:
            _fail(
                f"{where}: spreads: '{other}' is not in explains",
                other,
                rule.explains,
                "what a rule does not explain on its own subject it explains nowhere",
            )


def _check_message(rule: Rule, where: str) -> None:
    _check_template(rule.message, f"{where}: message", rule)
    for number, grade in enumerate(rule.grade, 1):
        if grade.message is not None:
            _check_template(grade.message, f"{where}: [[grade]] {number}: message", rule)


def _check_template(message: str, where: str, rule: Rule) -> None:
    known = {"subject", *rule.mentions, *(clause.signal for clause in rule.when)}
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(message) if field is not None]
    except ValueError as error:
        _fail(f"{where}: {error}", hint="the message is a str.format template; write {{ for a brace")
    for field in fields:
        if field not in known:
            _fail(
                f"{where}: '{{{field}}}' is neither a signal of its clauses nor in mentions",
                field,
                known,
                "name the signal in `mentions` to quote it",
            )


def _check_signals(rule: Rule, where: str, signals: Mapping[str, str]) -> None:
    kinds = _kinds(rule.when, f"{where}: [[when]]", signals) - {"run"}
    if len(kinds) > 1:
        _fail(
            f"{where}: [[when]]: one rule cannot speak of each {' and each '.join(sorted(kinds))}",
            hint="clauses may mix run-level signals with one other kind of subject",
        )
    for number, grade in enumerate(rule.grade, 1):
        _check_kind(_kinds(grade.when, f"{where}: [[grade]] {number}: [[when]]", signals), kinds, where)
    for number, treatment in enumerate(rule.remedy, 1):
        table = f"{where}: [[remedy]] {number}"
        _check_kind(_kinds(treatment.unless, f"{table}: unless", signals), kinds, where)
        _check_kind(_kinds(treatment.when, f"{table}: when", signals), kinds, where)
    for number, warning in enumerate(rule.contraindication, 1):
        table = f"{where}: [[contraindication]] {number}"
        _check_kind(_kinds(warning.when, f"{table}: when", signals), kinds, where)
    if rule.silence is not None:
        _check_silence(rule.silence, f"{where}: silence", signals)
    for name in rule.mentions:
        if name not in signals:
            _fail(f"{where}: mentions: no signal named '{name}'", name, signals)
        _check_kind({signals[name]}, kinds, where)
    for number, case in enumerate(rule.case, 1):
        for name in case.signals or {}:
            if name not in signals:
                _fail(f"{where}: [[case]] {number}: no signal named '{name}'", name, signals)


def _check_silence(silence: Silence, where: str, signals: Mapping[str, str]) -> None:
    """What a rule says of its condition it says of the whole run."""
    of_run = sorted(name for name, by in signals.items() if by == "run")
    named = [field for _, field, _, _ in string.Formatter().parse(silence.message) if field is not None]
    for name in [*named, *(clause.signal for clause in silence.provisional)]:
        if name not in of_run:
            _fail(f"{where}: no run-level signal named '{name}'", name, of_run)


def _kinds(clauses: tuple[Clause, ...], where: str, signals: Mapping[str, str]) -> set[str]:
    for number, clause in enumerate(clauses, 1):
        if clause.signal not in signals:
            _fail(f"{where} {number}: no signal named '{clause.signal}'", clause.signal, signals)
    return {signals[clause.signal] for clause in clauses}


def _check_kind(found: set[str], allowed: set[str], where: str) -> None:
    for kind in sorted(found - allowed - {"run"}):
        _fail(
            f"{where}: a signal of each {kind} is used, but no clause of [[when]] speaks of a {kind}",
            hint="grades and mentions may use run-level signals and those of the kind that [[when]] uses",
        )


def _check_acyclic(book: Rulebook, relation: str, origin: Mapping[str, str]) -> None:
    done: set[str] = set()

    def visit(rule: str, path: tuple[str, ...]) -> None:
        if rule in path:
            cycle = " -> ".join((*path[path.index(rule) :], rule))
            _fail(f"{origin[rule]}: {relation}: runs in a circle: {cycle}", hint="drop one of the links")
        if rule not in done:
            links: Any = getattr(book.rules[rule], relation)
            for other in links:
                visit(other, (*path, rule))
            done.add(rule)

    for rule in book.rules:
        visit(rule, ())
