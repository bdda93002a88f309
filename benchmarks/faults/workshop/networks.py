"""The networks of the workshop's part, by their tasks."""

from ..parts_common.scripts import build

__all__ = ("build",)
