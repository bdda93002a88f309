"""Healthy scripts of the kinds that are often called ill: none may get an error or a warning."""

import pytest

from tests.scripts import planted
from tests.scripts.check import check

pytestmark = pytest.mark.e2e
PLATEAUS = ("adding_gru", "irnn_raw", "minimal_gated_unit")
"""Tasks with a long memory, whose loss stands for a while before it falls."""
TYPED = ("truncated_lm", "cell_with_resets", "unbatched_series")


@pytest.mark.parametrize("name", planted.guards())
def test_a_guard_is_left_alone(name: str) -> None:
    report = planted.examine(planted.GUARDS / f"{name}.py")
    assert planted.alarms(report.model_dump(mode="json")["findings"]) == []


@pytest.mark.parametrize("name", PLATEAUS)
def test_a_guard_on_its_plateau_gets_a_hint_at_most(name: str) -> None:
    report = planted.examine(planted.GUARDS / f"{name}.py", steps=220)
    assert planted.alarms(report.model_dump(mode="json")["findings"]) == []


@pytest.mark.parametrize("name", TYPED)
def test_a_guard_is_left_alone_by_the_command_line(name: str) -> None:
    code, report = check(planted.GUARDS / f"{name}.py")
    assert planted.alarms(report["findings"]) == []
    assert code == 0
