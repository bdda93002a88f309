"""The folder that is put on PYTHONPATH of the examined script; Python imports its `sitecustomize` at start."""
