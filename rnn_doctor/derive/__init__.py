"""Run log -> signals: numbers with their units, and the reason of each that is absent."""
