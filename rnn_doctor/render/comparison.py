"""What changed between two reports, as text for a terminal or as JSON."""

from collections.abc import Iterable, Mapping, Sequence

from rnn_doctor.render.page import Page
from rnn_doctor.render.standing import named
from rnn_doctor.render.wording import count, inert, number
from rnn_doctor.schema.comparison import (
    ChangedClaim,
    ChangedVerdict,
    Comparison,
    MovedNumber,
    Side,
)
from rnn_doctor.schema.report import Finding

SHOWN = 20
"""Numbers and claims that are shown; the JSON form has every one."""
MOVED = "Numbers that moved beyond their noise"
UNSURE = "Numbers that differ; how far they scatter from run to run is not known"
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
    page.add(("old: ", "bold"), side(comparison.old, comparison.repeats), hang=5)
    page.add(("new: ", "bold"), side(comparison.new), hang=5)
    for remark in comparison.remarks:
        page.add(f"- {remark}", hang=2)
    if comparison.verdicts:
        _verdicts(page, comparison.verdicts)
    _findings(page, comparison)
    for title, numbers in ((MOVED, comparison.numbers), (UNSURE, comparison.unsure)):
        if numbers:
            _numbers(page, title, numbers, bases)
    if comparison.claims:
        _claims(page, comparison.claims)
    page.blank()
    if hint := advice(comparison):
        page.add(hint)
    page.add((summary(comparison), "bold"))
    return page.text()


def as_json(comparison: Comparison) -> str:
    """The comparison as its published schema describes it."""
    return inert(comparison.model_dump_json(indent=2)) + "\n"


def side(of: Side, runs: int = 1) -> str:
    """`train.py --epochs 3; 50 steps, 1 evaluation; 242,177 parameters; rnn-doctor 0.3.0, PyTorch 2.13.0`"""
    evaluations = f", {count(of.evaluations, 'evaluation')}" if of.evaluations else ""
    return "; ".join(
        [
            " ".join([of.script, *of.arguments]),
            *([f"the first of {runs} runs"] if runs > 1 else []),
            f"{count(of.steps, 'step')}{evaluations}",
            *([f"{of.parameters:,} parameters"] if of.parameters else []),
            f"rnn-doctor {of.tool_version}{_pytorch(of.torch)}",
        ]
    )


def _pytorch(version: str) -> str:
    """Nothing where that is not known, as of a log of another library."""
    return f", PyTorch {version}" if version[:1].isdigit() else ""


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
    """`0.31 (usual 0.2 to 0.4) -> 4.2 ratio`, with what is known of how far the numbers scatter."""
    usual = number_.usual and f" (usual {_range(number_.usual)})"
    own = number_.old_interval and f" ({_range(number_.old_interval)})"
    old = f"{number(number_.old)}{usual or own or ''}"
    new = number(number_.new) + (f" ({_range(number_.new_interval)})" if number_.new_interval else "")
    unit = "" if number_.unit in ("", "ratio", "slope") else f" {number_.unit}"
    return f"{old} -> {new}{unit}"


def _range(ends: tuple[float, float]) -> str:
    return f"{number(ends[0])} to {number(ends[1])}"


def told(numbers: Sequence[MovedNumber], bases: Mapping[str, str]) -> str:
    """What was taken for a move."""
    used = {each.basis for each in numbers}
    return f"Shown are {'; '.join(bases[basis] for basis in bases if basis in used)}."


def advice(comparison: Comparison) -> str | None:
    """What would tell more of the numbers whose noise is not known; None where they are few or repeats were given."""
    if comparison.repeats > 1 or not comparison.unsure:
        return None
    return (
        "Repeats of the old run with other seeds tell how far numbers scatter: "
        "`rnn-doctor compare OLD1 OLD2 OLD3 NEW`."
    )


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
    """`Findings: 1 new, 3 known; 2 of 4 numbers moved beyond their noise; ...`"""
    counts: dict[str, int] = {}
    for word, _ in changed(comparison):
        counts[word] = counts.get(word, 0) + 1
    same = sum(finding.change == "known" for finding in comparison.findings)
    if same:
        counts["known"] = same
    findings = ", ".join(f"{n} {word}" for word, n in counts.items()) or "no findings in either"
    return f"Findings: {findings}; {_moves(comparison)}."


def _moves(comparison: Comparison) -> str:
    """How many numbers moved, and of how many nobody knows; the two together are those that were compared."""
    sure, rest = comparison.with_noise, comparison.compared - comparison.with_noise
    parts = [f"{len(comparison.numbers)} of {count(sure, 'number')} moved beyond their noise"] if sure else []
    if rest:
        parts.append(
            f"of {count(rest, 'other' if sure else 'number')}, whose noise is not known, "
            f"{len(comparison.unsure) or 'none'} differ by much"
        )
    return "; ".join(parts) or "no numbers in common"


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


def _numbers(page: Page, title: str, numbers: Sequence[MovedNumber], bases: Mapping[str, str]) -> None:
    page.blank()
    page.add((title, "bold underline"))
    for each in numbers[:SHOWN]:
        page.add(f"{of(each)}: ", (moved(each), "bold"), indent=2, hang=4)
    if len(numbers) > SHOWN:
        page.add(f"and {len(numbers) - SHOWN} more in the JSON form", indent=2)
    page.add(told(numbers, bases), indent=2)


def _claims(page: Page, claims: Sequence[ChangedClaim]) -> None:
    page.blank()
    page.add(("What is another now", "bold underline"))
    for each in claims[:SHOWN]:
        page.add(f"{of(each)}: {claim(each.old)} -> ", (claim(each.new), "bold"), indent=2, hang=4)
    if len(claims) > SHOWN:
        page.add(f"and {len(claims) - SHOWN} more in the JSON form", indent=2)
