"""The networks of the untouched part, by their tasks: each script has its own."""

from ..parts_common.scripts import build

__all__ = ("build",)
