"""The networks of the studies' part, by their tasks: each script has its own."""

from ..parts_common.scripts import build

__all__ = ("build",)
