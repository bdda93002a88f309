"""The pytest plugin: a fixture that examines trainings. Nothing of ours is imported before a test asks for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rnn_doctor.schema.report import Report


class Doctor:
    """What the fixture `rnn_doctor` gives; settings are those of `[tool.rnn-doctor]`, by the names of its keys."""

    def check(
        self, script: str | os.PathLike[str] | None = None, args: Sequence[str] = (), **options: Any
    ) -> Report:
        """The report on a training: `rnn_doctor.check("train.py", ["--epochs", "1"], steps=50)`.

        `module="pkg.mod"` runs a module instead, and `log=path` keeps the run log. A training that fails, or is too
        short to judge, fails the test.
        """
        __tracebackhide__ = True
        from rnn_doctor import api
        from rnn_doctor.errors import DoctorError

        try:
            return api.check(script, args, **options)
        except DoctorError as error:
            pytest.fail(_told(error), pytrace=False)

    def assert_healthy(
        self,
        script: str | os.PathLike[str] | None = None,
        args: Sequence[str] = (),
        *,
        known: Sequence[str] = (),
        **options: Any,
    ) -> Report:
        """The report on a training; fails the test where it has findings at or above `fail_on` that are not `known`.

        The failure shows verdicts, findings with their source lines, and remedies.
        """
        __tracebackhide__ = True
        from rnn_doctor import api
        from rnn_doctor.errors import DoctorError

        try:
            return api.assert_healthy(script, args, known=known, **options)
        except api.Unhealthy as error:
            pytest.fail(f"rnn-doctor found this training ill\n\n{error}", pytrace=False)
        except DoctorError as error:
            pytest.fail(_told(error), pytrace=False)


def _told(error: Any) -> str:
    return f"rnn-doctor: {error.message}" + (f"\n  {error.hint}" if error.hint else "")


@pytest.fixture(scope="session")
def rnn_doctor() -> Doctor:
    """Examines training scripts: `rnn_doctor.assert_healthy("train.py", ["--epochs", "1"], steps=50)`.

    Scripts run in the present directory, each in a process of its own.
    """
    return Doctor()
