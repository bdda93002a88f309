"""Small rulebooks in the making: rules that hold what a test names, and sensible rest."""

from typing import Any

from rnn_doctor.schema.remedy import Remedy
from rnn_doctor.schema.rule import Rule
from rnn_doctor.schema.rulebook import Rulebook
from rnn_doctor.schema.signals import RUN, Measurement, Signal, Signals


def clause(signal: str = "size", **comparison: Any) -> dict[str, Any]:
    because = comparison.pop("because", "healthy runs stay below it")
    return {"signal": signal, "because": because, **(comparison or {"above": 1})}


def rule_data(rule_id: str = "RD101", **fields: Any) -> dict[str, Any]:
    return {
        "id": rule_id,
        "name": f"name-of-{rule_id.lower()}",
        "status": "stable",
        "severity": "error",
        "confidence": "high",
        "confidence_because": "10 of 10 injected faults",
        "summary": f"Summary of {rule_id}.",
        "message": "Message.",
        "why": "Why.",
        "limits": "None known.",
        "sources": ["A paper"],
        "when": [clause()],
        **fields,
    }


def rule(rule_id: str = "RD101", **fields: Any) -> Rule:
    return Rule.model_validate(rule_data(rule_id, **fields))


def remedy_data(remedy_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": remedy_id,
        "title": f"Title of {remedy_id}",
        "kind": "treatment",
        "effort": "line",
        "does": "Something.",
        "after": "x = 1",
        "sources": ["A paper"],
        **fields,
    }


def remedy(remedy_id: str, **fields: Any) -> Remedy:
    return Remedy.model_validate(remedy_data(remedy_id, **fields))


def book(*rules: Rule, remedies: tuple[Remedy, ...] = ()) -> Rulebook:
    return Rulebook(rules={r.id: r for r in rules}, remedies={r.id: r for r in remedies})


def run(**values: Any) -> Signals:
    """Run-level signals; None is unknown."""
    return signals(**{name: {RUN: value} for name, value in values.items()})


def signals(by: str = "run", /, **values: dict[str, Any]) -> Signals:
    """Signals of one kind of subject: {signal: {subject: value}}; None is absent."""
    return Signals.model_validate(
        {
            "signals": {
                name: Signal.model_validate(
                    {"name": name, "unit": "", "by": by, "measurements": _measurements(name, subjects)}
                )
                for name, subjects in values.items()
            }
        }
    )


def merged(*parts: Signals) -> Signals:
    return Signals(signals={name: signal for part in parts for name, signal in part.signals.items()})


def _measurements(name: str, subjects: dict[str, Any]) -> dict[str, Measurement]:
    return {
        subject: value
        if isinstance(value, Measurement)
        else Measurement(value=value, absent=f"no {name}" if value is None else None)
        for subject, value in subjects.items()
    }
