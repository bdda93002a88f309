"""A part of the fault bench: ordinary scripts, with the mistakes that people meet most often in them."""
