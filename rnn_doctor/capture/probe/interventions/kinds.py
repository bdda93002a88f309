"""What an intervention is, and where it can act."""

from __future__ import annotations

from typing import Any


class Intervention:
    """One change of a running training; what it does not override stays as it is."""

    def __init__(self) -> None:
        self.applied = 0
        """How often it changed something: what changed nothing was not tried."""

    def before_step(self, optimizer: Any) -> None:
        """An optimizer is about to use its gradients and settings."""

    def after_step(self, optimizer: Any) -> None:
        """An optimizer has stepped."""

    def before_first_call(self, module: Any) -> None:
        """A module is called for the first time, before the first update."""

    def given(self, module: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Other arguments for a call of a recurrent module, or None."""
        return None

    def returned(self, module: Any, output: Any) -> Any:
        """Another result of a call of a recurrent module, or None."""
        return None
