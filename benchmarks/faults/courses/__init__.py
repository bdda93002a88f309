"""A part of the fault bench: what is handed in for courses, and the small projects after them."""
