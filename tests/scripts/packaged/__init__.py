"""Trait: a package whose module is run with -m and imports its siblings relatively."""
