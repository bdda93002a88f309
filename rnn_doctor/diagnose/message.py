"""The messages of findings and verdicts: templates of rule files, filled with what was measured."""

import string
from typing import Any

ABOVE = "above"
"""The format of a share by which one number lies above another: `at {validation_gap:above} the training loss`."""


class Message(string.Formatter):
    """A formatter that no value can break: what is not there is "unknown", what no format fits is plain."""

    def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:
        """The value of that name, None where there is none."""
        return kwargs.get(key)

    def format_field(self, value: Any, format_spec: str) -> str:
        """The value in that format."""
        if value is None:
            return "unknown"
        try:
            return _above(value) if format_spec == ABOVE else format(value, format_spec)
        except (TypeError, ValueError):
            return str(value)


def _above(share: float) -> str:
    """`3.4% above`, `38% above`, `12% below`; from twice as much on the factor, `50 times`: 4882% says little."""
    if not share < 1:
        return f"{1 + share:.{0 if share >= 9 else 1}f} times"
    size = abs(share)
    return f"{size:.{0 if size >= 0.0995 else 1}%} {'above' if share >= 0 else 'below'}"
