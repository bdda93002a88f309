"""Which rules of the rulebook an examination uses."""

from collections.abc import Callable, Iterable

from rnn_doctor.errors import SettingsError, did_you_mean
from rnn_doctor.schema.rule import Rule
from rnn_doctor.schema.rulebook import Rulebook


def enabled(
    rulebook: Rulebook,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    *,
    preview: bool = False,
    origin: Callable[[str], str] = str,
) -> frozenset[str]:
    """Ids of the rules to use: those that `select` names (all by default), less those that `ignore` names.

    A code is an id, the beginning of one (`RD1`, `RD`) or a name; of two codes that match a rule the longer
    one decides, so `--select RD103 --ignore RD1` keeps RD103. Preview rules are used where `preview` says so,
    deprecated ones only when selected in full. `origin` says of `select` and `ignore` where they were set.

    Raises: SettingsError: a code matches no rule, or names a preview rule in full while they are off.
    """
    chosen, dropped = list(select), list(ignore)
    for code in chosen:
        _check(code, rulebook, origin("select"), preview=preview)
    for code in dropped:
        _check(code, rulebook, origin("ignore"), preview=True)
    found = set()
    for rule in rulebook.rules.values():
        wanted = _longest(rule, chosen) if chosen else 0
        if wanted is None or not _in_use(rule, chosen, preview=preview):
            continue
        unwanted = _longest(rule, dropped)
        if unwanted is None or wanted > unwanted:
            found.add(rule.id)
    return frozenset(found)


def _check(code: str, rulebook: Rulebook, option: str, *, preview: bool) -> None:
    matches = [rule for rule in rulebook.rules.values() if specificity(rule, code) is not None]
    if not matches:
        names = [text for rule in rulebook.rules.values() for text in (rule.id, rule.name)]
        raise SettingsError(
            f"{option}: no rule matches '{code}'{did_you_mean(code, names)}",
            "`rnn-doctor rule` lists the rules; give an id, its beginning or a name",
        )
    full = [rule for rule in matches if code in (rule.id, rule.name)]
    if full and full[0].status == "preview" and not preview:
        raise SettingsError(
            f"{option}: {full[0].id} {full[0].name} is a preview rule", "add --preview to use preview rules"
        )


def specificity(rule: Rule, code: str) -> int | None:
    """How much of the rule a code names; None where it does not match."""
    if code in (rule.id, rule.name):
        return len(rule.id)
    return len(code) if code and rule.id.startswith(code) else None


def _longest(rule: Rule, codes: list[str]) -> int | None:
    return max((n for n in (specificity(rule, code) for code in codes) if n is not None), default=None)


def _in_use(rule: Rule, chosen: list[str], *, preview: bool) -> bool:
    if rule.status == "preview":
        return preview
    return rule.status == "stable" or rule.id in chosen or rule.name in chosen
