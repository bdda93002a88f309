"""Findings and rulebook in, ranked remedies out."""
