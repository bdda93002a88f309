"""A part of the fault bench: mistakes that published studies of faults in deep learning describe, in research code."""
