"""What changed between two reports, as text for a terminal or as JSON."""

from collections.abc import Iterable, Mapping, Sequence

from rnn_doctor.render.page import Page
from rnn_doctor.render.standing import named
from rnn_doctor.render.wording import count, number
from rnn_doctor.schema.comparison import (
    Basis,
    ChangedClaim,
    ChangedVerdict,
    Comparison,
    MovedNumber,
    Side,
)
from rnn_doctor.schema.report import Finding

SHOWN = 20
"""Numbers and claims that are shown; the JSON form has every one."""
_KNOWN: frozenset[Basis] = frozenset({"intervals", "z"})
_WORD_WIDTH = len("suppressed")
_STYLE = {
    "new": "bold red",
    "worse": "bold red",
    "better": "bold green",
    "gone": "bold green",
    "suppressed": "bold",
    "not judged": "bold yellow",
}


def render(comparison: Comparison, bases: Mapping[str, str], *, width: int = 80, color: bool = False) -> str:
    """The text for a terminal; `bases` says of each basis what it takes for a move."""
    page = Page(width, color=color)
    page.add(("old: ", "bold"), side(comparison.old), hang=5)
    page.add(("new: ", "bold"), side(comparison.new), hang=5)
    for remark in comparison.remarks:
        page.add(f"- {remark}", hang=2)
    if comparison.verdicts:
        _verdicts(page, comparison.verdicts)
    _findings(page, comparison)
    if comparison.numbers:
        _numbers(page, comparison.numbers, bases)
    if comparison.claims:
        _claims(page, comparison.claims)
    page.blank()
    page.add((summary(comparison), "bold"))
    return page.text()


def as_json(comparison: Comparison) -> str:
    """The comparison as its published schema describes it."""
    return comparison.model_dump_json(indent=2) + "\n"


def side(of: Side) -> str:
    """`train.py --epochs 3; 50 steps, 1 evaluation; 242,177 parameters; rnn-doctor 0.3.0, PyTorch 2.13.0`"""
    evaluations = f", {count(of.evaluations, 'evaluation')}" if of.evaluations else ""
    return "; ".join(
        [
            " ".join([of.script, *of.arguments]),
            f"{count(of.steps, 'step')}{evaluations}",
            f"{of.parameters:,} parameters",
            f"rnn-doctor {of.tool_version}, PyTorch {of.torch}",
        ]
    )


def changed(comparison: Comparison) -> list[tuple[str, Finding]]:
    """The findings that are not what they were, each with how: what got worse first."""
    by_change = [
        (word, f) for word in ("new", "worse", "better") for f in comparison.findings if f.change == word
    ]
    rest = {"gone": comparison.gone, "suppressed": comparison.suppressed, "not judged": comparison.unjudged}
    return by_change + [(word, finding) for word, findings in rest.items() for finding in findings]


def known(comparison: Comparison) -> list[str]:
    """The ids of the rules whose findings are as they were."""
    return list(dict.fromkeys(finding.rule for finding in comparison.findings if finding.change == "known"))


def heading(finding: Finding) -> str:
    """`error RD303 over-clipping at train.py:57 (was a warning)`"""
    was = f" (was {'an' if finding.was == 'error' else 'a'} {finding.was})" if finding.was else ""
    return f"{finding.severity} {named(finding)}{was}"


def moved(number_: MovedNumber) -> str:
    """`0.31 -> 4.2 ratio`, with the intervals where there are any."""
    old, new = (
        number(value) + (f" ({number(interval[0])} to {number(interval[1])})" if interval else "")
        for value, interval in (
            (number_.old, number_.old_interval),
            (number_.new, number_.new_interval),
        )
    )
    unit = "" if number_.unit in ("", "ratio", "slope") else f" {number_.unit}"
    return f"{old} -> {new}{unit}"


def noise(numbers: Sequence[MovedNumber], bases: Mapping[str, str]) -> list[str]:
    """What was taken for a move, first where the noise is known."""
    used = {each.basis for each in numbers}
    known_ = [bases[basis] for basis in bases if basis in used & _KNOWN]
    unknown = [bases[basis] for basis in bases if basis in used - _KNOWN]
    return [
        *([f"Beyond their noise: {'; '.join(known_)}."] if known_ else []),
        *([f"Where the noise is not known, shown are {'; '.join(unknown)}."] if unknown else []),
    ]


def claim(value: bool | str) -> str:
    """`yes`, `no`, or the text."""
    return value if isinstance(value, str) else "yes" if value else "no"


def of(signal: MovedNumber | ChangedClaim) -> str:
    """`grad_norm_max`, with its subject where that is not the run."""
    return signal.signal if signal.subject == "run" else f"{signal.signal} of {signal.subject}"


def verdict(word: str) -> str:
    """`not assessed`"""
    return word.replace("_", " ")


def summary(comparison: Comparison) -> str:
    """`1 new, 2 gone, 3 known; 5 of 83 numbers moved.`"""
    counts: dict[str, int] = {}
    for word, _ in changed(comparison):
        counts[word] = counts.get(word, 0) + 1
    same = sum(finding.change == "known" for finding in comparison.findings)
    if same:
        counts["known"] = same
    findings = ", ".join(f"{n} {word}" for word, n in counts.items()) or "no findings in either"
    return f"Findings: {findings}; {len(comparison.numbers)} of {comparison.compared} numbers moved."


def _verdicts(page: Page, verdicts: Iterable[ChangedVerdict]) -> None:
    page.blank()
    page.add(("Verdicts", "bold underline"))
    for each in verdicts:
        page.add(
            f"{each.condition.replace('_', ' ')}: {verdict(each.old)} -> ",
            (verdict(each.new), "bold"),
            f": {each.reason}",
            indent=2,
            hang=4,
        )


def _findings(page: Page, comparison: Comparison) -> None:
    rows, same = changed(comparison), known(comparison)
    if not rows and not same:
        return
    page.blank()
    page.add(("Findings", "bold underline"))
    for word, finding in rows:
        page.add(
            (f"{word:<{_WORD_WIDTH}}  ", _STYLE[word]),
            f"{heading(finding)}: {finding.message}",
            indent=2,
            hang=2 + _WORD_WIDTH + 2,
        )
    if same:
        page.add(f"{'known':<{_WORD_WIDTH}}  {', '.join(same)}", indent=2, hang=2 + _WORD_WIDTH + 2)


def _numbers(page: Page, numbers: Sequence[MovedNumber], bases: Mapping[str, str]) -> None:
    page.blank()
    page.add(("Numbers that moved", "bold underline"))
    for each in numbers[:SHOWN]:
        page.add(f"{of(each)}: ", (moved(each), "bold"), indent=2, hang=4)
    if len(numbers) > SHOWN:
        page.add(f"and {len(numbers) - SHOWN} more in the JSON form", indent=2)
    for sentence in noise(numbers, bases):
        page.add(sentence, indent=2)


def _claims(page: Page, claims: Sequence[ChangedClaim]) -> None:
    page.blank()
    page.add(("What is another now", "bold underline"))
    for each in claims[:SHOWN]:
        page.add(f"{of(each)}: {claim(each.old)} -> ", (claim(each.new), "bold"), indent=2, hang=4)
    if len(claims) > SHOWN:
        page.add(f"and {len(claims) - SHOWN} more in the JSON form", indent=2)
