"""The cases of a rule file: what the rule says on numbers, or on a recorded run, against what is expected."""

from rnn_doctor.diagnose import verdict
from rnn_doctor.schema.rule import Case, Rule
from rnn_doctor.schema.signals import RUN, Measurement, Signal, Signals


def breach(rule: Rule, case: Case, signals: Signals | None = None) -> str | None:
    """How the rule breaks the case, as a clause; None when it keeps it.

    `signals` are those of the recorded run that the case names; a case with numbers brings its own.
    """
    reached = verdict.reach(rule, signals if signals is not None else _numbers(case))
    if reached.state != case.expect:
        reasons = "; ".join(dict.fromkeys(s.reason for s in reached.subjects if s.reason))
        return f"is {reached.state}, expected {case.expect}" + (f" ({reasons})" if reasons else "")
    if case.severity is None:
        return None
    severities = {
        subject.grade.severity if subject.grade else rule.severity
        for subject in reached.subjects
        if subject.state == "found"
    }
    if case.severity not in severities:
        return f"has severity {', '.join(sorted(severities)) or 'none'}, expected {case.severity}"
    return None


def _numbers(case: Case) -> Signals:
    """The case's values as signals of one subject; what it does not name is not measured."""
    return Signals(
        signals={
            name: Signal(name=name, unit="", measurements={RUN: Measurement(value=value)})
            for name, value in (case.signals or {}).items()
        }
    )
