"""Part of the fault bench in the manner of public tutorials and courses."""
