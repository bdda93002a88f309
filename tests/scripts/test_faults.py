"""Faults of the recurrence, planted one a script: the right rule leads the report, and points to the right line."""

import pytest

from tests.scripts import planted
from tests.scripts.check import check
from tests.scripts.planted import Fault

pytestmark = pytest.mark.e2e
TYPED = ("padding_last_output", "final_state_view", "vanishing_small_weights")


@pytest.mark.parametrize("fault", planted.TABLE, ids=lambda f: f.name)
def test_the_fault_is_named_first(fault: Fault) -> None:
    report = planted.examine(fault.path, fault.lag, fault.steps)
    _leads(fault, report.model_dump(mode="json")["findings"])


@pytest.mark.parametrize("fault", [f for f in planted.TABLE if f.name in TYPED], ids=lambda f: f.name)
def test_the_fault_is_named_first_by_the_command_line(fault: Fault) -> None:
    lag = () if fault.lag is None else ("--lag", str(fault.lag))
    code, report = check(fault.path, "--fail-on", "warning", *lag)
    _leads(fault, report["findings"])
    assert code == 1


def test_the_table_is_complete() -> None:
    assert sorted(fault.name for fault in planted.TABLE) == sorted(
        p.stem for p in planted.FAULTS.glob("*.py")
    )
    assert {fault.twin for fault in planted.TABLE} <= set(planted.guards())


def _leads(fault: Fault, findings: list[dict[str, object]]) -> None:
    assert findings, "nothing was found"
    first = findings[0]
    assert first["rule"] == fault.rule, [f["rule"] for f in findings]
    location = first["location"]
    assert isinstance(location, dict)
    assert (location["file"], location["line"]) == (fault.path.name, fault.line)
