"""The networks of the courses' part, by the kind that a task asks for."""

from ..parts_common.scripts import build

__all__ = ("build",)
