"""Thresholds that the settings ask for, in the place of those of the rule files."""

from collections.abc import Callable, Mapping

from rnn_doctor.diagnose.clause import threshold
from rnn_doctor.errors import SettingsError, did_you_mean
from rnn_doctor.schema.report import ChangedThreshold
from rnn_doctor.schema.rule import Clause, Rule
from rnn_doctor.schema.rulebook import Rulebook

Bound = float | tuple[float, float]
"""A number for `above` and `below`, two of them for `between`."""

_TABLE = "[tool.rnn-doctor.thresholds]"


def _of_the_table(key: str) -> str:
    return f"{_TABLE} {key.removeprefix('thresholds.')}"


def changed(
    book: Rulebook,
    wanted: Mapping[str, Mapping[str, Bound]],
    origin: Callable[[str], str] = _of_the_table,
) -> tuple[Rulebook, tuple[ChangedThreshold, ...]]:
    """The rulebook with the wanted thresholds, by id or name of the rule and by signal, and what that changed.

    Only the clauses that decide whether a rule is found have thresholds to set; those of its grades stay. What the
    fault bench counted of a rule holds for its own thresholds, and is dropped. `origin` says of
    `thresholds.RULE.SIGNAL` where it was set.

    Raises: SettingsError: there is no such rule or threshold, or the threshold is of another form.
    """
    rules = dict(book.rules)
    changes: list[ChangedThreshold] = []
    for code, bounds in wanted.items():
        rule = rules[_rule(code, book, origin(f"thresholds.{code}")).id]
        for signal, bound in bounds.items():
            where = origin(f"thresholds.{code}.{signal}")
            old = _clause(rule, signal, where)
            new = _replaced(old, bound, where)
            if new.model_copy(update={"because": old.because}) == old:
                continue
            rule = rule.model_copy(update={"when": tuple(new if each is old else each for each in rule.when)})
            changes.append(
                ChangedThreshold(rule=rule.id, signal=signal, shipped=threshold(old), used=threshold(new))
            )
        rules[rule.id] = rule
    moved = {change.rule for change in changes}
    records = {rule: record for rule, record in book.records.items() if rule not in moved}
    return book.model_copy(update={"rules": rules, "records": records}), tuple(changes)


def _rule(code: str, book: Rulebook, where: str) -> Rule:
    for rule in book.rules.values():
        if code in (rule.id, rule.name):
            return rule
    names = [text for rule in book.rules.values() for text in (rule.id, rule.name)]
    raise SettingsError(
        f"{where}: no rule {code!r}{did_you_mean(code, names)}",
        "`rnn-doctor rule` lists the rules; give an id or a name",
    )


def _clause(rule: Rule, signal: str, where: str) -> Clause:
    mine = [clause for clause in rule.when if clause.signal == signal]
    numbers = [clause for clause in mine if clause.is_ is None]
    if len(numbers) == 1:
        return numbers[0]
    names = list(dict.fromkeys(clause.signal for clause in rule.when if clause.is_ is None))
    have = f"{rule.id} has thresholds of {', '.join(names)}" if names else f"{rule.id} has no thresholds"
    if numbers:
        raise SettingsError(
            f"{where}: {rule.id} compares {signal} twice", "replace the rule by one of your own"
        )
    if mine:
        raise SettingsError(f"{where}: {signal} is a claim, and has no threshold", have)
    raise SettingsError(
        f"{where}: {rule.id} {rule.name} has no such threshold{did_you_mean(signal, names)}", have
    )


def _replaced(old: Clause, bound: Bound, where: str) -> Clause:
    """The clause with another bound; its reason says that this one is the user's."""
    because = f"set in {_TABLE}; as shipped it is {threshold(old)}: {old.because}"
    if (old.between is not None) != isinstance(bound, tuple):
        form = "two numbers, [low, high]" if old.between is not None else "one number"
        raise SettingsError(
            f"{where}: its threshold is {threshold(old)}, which takes {form}", "correct the value"
        )
    form = "between" if old.between is not None else "above" if old.above is not None else "below"
    return old.model_copy(update={form: bound, "because": because})
