"""Values and foreign text in words that are safe to print."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnn_doctor.schema.calibration import Record
    from rnn_doctor.schema.remedy import Study, TrialPlan
    from rnn_doctor.schema.report import Evidence, Finding, Prescription, Trial

_PLAIN_UNITS = frozenset(
    {"", "1", "ratio", "share", "bool", "boolean", "claim", "text", "name", "count", "number"}
)
"""Units that a reader does not miss after a number."""


def clean(text: str) -> str:
    """The text on one line, without what steers a terminal, turns the direction of writing, or commands a CI runner.

    Names, paths and messages come from the user's script or from a log that anyone may have written.
    """
    kept = (
        c for c in text.translate(_SPACES) if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    return _COMMAND.sub(r"\1: ", "".join(kept)).replace("##[", "## [")


_COMMAND = re.compile(r"^(\s*):(?=:)")
"""`::name::` at the start of a line is a command to GitHub's runner, and so is `##[name]` wherever it stands."""


LONGEST = 2000
"""Characters of one text that a reader is given; whole texts stand in the JSON report alone."""


def short(text: str, most: int = LONGEST) -> str:
    """The text made clean, with the number of characters left out where it is longer than anyone reads."""
    if len(text) <= most:
        return clean(text)
    return f"{clean(text[:most])}... ({len(text) - most} more characters)"


def inert(data: str) -> str:
    """The same JSON, in which no string steers the terminal or commands the CI runner that shows it."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", data)


_UNSAFE = re.compile(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069]|(?<=##)\[")


_SPACES = dict.fromkeys(map(ord, "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"), " ")


def number(value: float) -> str:
    """Three significant digits, without an exponent where that is as short."""
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e6):
        return str(int(value))
    if 1000 <= abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.3g}"


def value(evidence: Evidence) -> str:
    """What was measured, with its unit: `104`, `12 steps`, `yes`."""
    if isinstance(evidence.value, bool):
        return "yes" if evidence.value else "no"
    if evidence.value is None:
        return "unknown"
    if isinstance(evidence.value, str):
        return evidence.value
    if evidence.unit in _PLAIN_UNITS:
        return number(evidence.value)
    unit = (
        evidence.unit.removesuffix("s") if evidence.value == 1 and evidence.unit.isalpha() else evidence.unit
    )
    return f"{number(evidence.value)} {unit}"


def evidence(piece: Evidence, *, reason: bool = True) -> str:
    """One piece of evidence: `input_std is 104 (> 10): healthy inputs stay below 3`, or without the reason."""
    asides = []
    if piece.threshold is not None and not isinstance(piece.value, bool):
        asides.append(piece.threshold)
    if piece.interval is not None:
        asides.append("95 % interval {} to {}".format(*map(number, piece.interval)))
    aside = f" ({'; '.join(asides)})" if asides else ""
    because = f": {piece.because}" if piece.because and reason else ""
    return f"{piece.signal} is {value(piece)}{aside}{because}"


def record(counted: Record) -> str:
    """`right in 58 of 60 runs of the fault bench (95 %: 88 to 100 %)`"""
    low, high = (f"{100 * share:.0f}" for share in counted.interval)
    runs = "run" if counted.of == 1 else "runs"
    return f"right in {counted.right} of {counted.of} {runs} of the fault bench (95 %: {low} to {high} %)"


def study(measured: Study) -> str:
    """`error 0.16 shuffled, 0.45 sorted (four classes; benchmarks/thresholds/order.py)`, or that no size is known."""
    aside = f"{measured.setting}; {measured.source}"
    return (
        f"{measured.effect} ({aside})" if measured.effect else f"no size of effect is known to us ({aside})"
    )


_BASIS = {
    "certain": "certain, it undoes the fault",
    "trial": "measured on this run",
    "literature": "by published evidence",
}
_LARGEST = 100.0
"""Logarithm of the largest ratio that is written out."""
_VERDICT = {"helps": "it helped", "harms": "it made this run worse", "unclear": "no difference that shows"}


def basis(remedy: Prescription) -> str:
    """What a recommendation rests on; of a remedy that was tried, what it did, in words and numbers."""
    if remedy.trial is None:
        return _BASIS[remedy.basis]
    certain = f"{_BASIS['certain']}; " if remedy.basis == "certain" else ""
    return f"{certain}tried: {_VERDICT[remedy.trial.verdict]}; {measured(remedy.trial)}"


def measured(trial: Trial) -> str:
    """`0.21 times the loss (0.15 to 0.3) with Adam at 0.001, in 3 runs of 50 updates; RD302 is gone`."""
    low, high = (ratio(bound) for bound in trial.interval)
    known = f" ({low} to {high})" if math.isfinite(trial.interval[1]) else ""
    loss = f"{ratio(trial.effect)} times the loss{known}"
    text = f"{loss} with {trial.arms[0]}, in {count(trial.repeats, 'run')}"
    gone = f"; {joined(trial.gone)} {'is' if len(trial.gone) == 1 else 'are'} gone" if trial.gone else ""
    rarer = "".join(
        f"; {each.rule} in {each.without} of {trial.repeats} without it, in {each.with_it or 'none'} with it"
        for each in trial.found
        if each.rule not in trial.gone and each.with_it < each.without
    )
    return f"{text} of {count(trial.steps, 'update')}{gone}{rarer}"


def ratio(logarithm: float) -> str:
    """A ratio of losses, by its logarithm, in two digits; three where these would say 1."""
    value = math.exp(min(logarithm, _LARGEST))
    return f"{value:.2g}" if not 0.9 < value < 1.1 else f"{value:.3g}"


_APPLIES = {
    "live": "`rnn-doctor try` applies it at each update",
    "restart": "`rnn-doctor try` applies it from the start",
    "no": "cannot be applied without you",
}


def trial(plan: TrialPlan) -> str:
    """Whether a trial can apply a remedy, and how."""
    return f"{_APPLIES[plan.applies]}: {plan.how}"


def count(how_many: int, noun: str) -> str:
    """`1 error`, `2 errors`, `no errors`."""
    return f"{how_many or 'no'} {noun}{'' if how_many == 1 else 's'}"


def severities(findings: Iterable[Finding]) -> list[str]:
    """`2 errors`, `1 warning`: how many findings there are of each severity that occurs, the gravest first."""
    found = [finding.severity for finding in findings]
    return [count(n, word) for word in ("error", "warning", "note") if (n := found.count(word))]


def joined(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
