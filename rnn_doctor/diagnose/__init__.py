"""Signals and rulebook in, findings out: three-valued verdicts, causes before consequences."""
