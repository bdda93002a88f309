"""Trait: a script that never imports torch."""

print("hello")
