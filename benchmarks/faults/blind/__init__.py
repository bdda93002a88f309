"""The blind part of the bench: tasks, networks and loops that no rule was written or mended with."""
