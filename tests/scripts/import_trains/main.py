"""Trait: the script only imports a module, and the training runs on that import."""

import training

print("trained", training.steps, "steps")
