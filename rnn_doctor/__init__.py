"""A training doctor and linter for PyTorch recurrent networks."""

__version__ = "0.1.0"
